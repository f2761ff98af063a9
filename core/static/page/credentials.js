// Keys and requests. What a person types in stays in these variables: no storage, no cookie, no address bar.
import { byId, make } from "./dom.js";

/** @typedef {"functions" | "api"} KeyKind the door's key (Azure), or the service's own */
const HEADER_OF = { functions: "X-Functions-Key", api: "X-API-Key" };
// A function's address may end without a slash (…/pneumonia): what the page asks for lies below it all the same.
const BASE = new URL(location.pathname.replace(/\/?$/, "/"), location.origin);
/** @type {Map<KeyKind, string>} */
const keys = new Map();
let adminToken = "";
/** @type {Promise<boolean> | null} */
let asking = null;
/** @type {Set<KeyKind>} */
const declined = new Set();
/** @type {KeyKind} */
let wanted = "functions"; // what the header's button asks for

/** An answer that is no good, in a sentence that a person can read. `code` is stable; "no_answer" when the service is gone. */
export class Problem extends Error {
  /** @param {{status: number, code: string, detail: string, requestId?: string | null, body?: any}} facts */
  constructor({ status, code, detail, requestId = null, body = null }) {
    super(detail);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.body = body;
  }
}

/** Keep the admin token for `fetchJson(…, {admin: true})`; an empty one forgets it. @param {string} token */
export function setAdminToken(token) {
  adminToken = token;
}

/** Whether an admin token is held. */
export function hasAdminToken() {
  return adminToken !== "";
}

/**
 * Ask the service, with the keys that are held. On 401 for want of a key it asks the person once and tries again.
 * @param {string} path relative, so that the page works below any prefix
 * @param {RequestInit & {admin?: boolean}} [options] `admin` adds the admin token
 * @returns {Promise<Response>} an answer below 400
 * @throws {Problem}
 */
export async function ask(path, options = {}) {
  const { admin = false, ...init } = options;
  for (;;) {
    const sent = new Map(keys);
    const response = await send(path, init, admin);
    if (response.ok) return response;
    const problem = await problemOf(response);
    const kind = missingKey(problem);
    if (!kind) throw problem;
    if (keys.get(kind) !== sent.get(kind)) continue; // another request has asked meanwhile
    if (!(await askForKey(kind, sent.has(kind)))) throw problem;
  }
}

/**
 * Ask for JSON. `fetchJson("status")`, `fetchJson("retrain", {method: "POST", admin: true})`.
 * @param {string} path
 * @param {RequestInit & {admin?: boolean}} [options]
 * @returns {Promise<any>}
 * @throws {Problem}
 */
export async function fetchJson(path, options = {}) {
  const response = await ask(path, options);
  try {
    return await response.json();
  } catch {
    throw new Problem({ status: response.status, code: "no_json", detail: "The service's answer is not JSON." });
  }
}

/**
 * A problem as a block of the page.
 * @param {unknown} error
 * @returns {HTMLElement}
 */
export function problemBlock(error) {
  const problem = error instanceof Problem ? error : null;
  const facts = problem ? [`Code: ${problem.code}`, problem.requestId ? `Request: ${problem.requestId}` : ""] : [];
  const text = error instanceof Error ? error.message : String(error);
  return make(
    "div",
    { className: "problem" },
    make("p", {}, text),
    facts.length ? make("p", { className: "soft" }, facts.filter(Boolean).join(" · ")) : null,
  );
}

/** Take a function key that came in the address (`?code=…`, as Azure's portal hands it out) out of it. */
export function takeKeyFromAddress() {
  const query = new URLSearchParams(location.search);
  const code = query.get("code");
  if (code) keys.set("functions", code);
  if (code) hideLinks();
  if (location.search) history.replaceState(null, "", location.pathname + location.hash);
  byId("docs-link").href = new URL("docs", BASE).href;
  byId("key-button").addEventListener("click", () => {
    declined.clear();
    void askForKey(wanted, false).then((given) => given && dispatchEvent(new Event("key-given")));
  });
}

/** Ask for a key again although the person has declined before: they act themselves now. */
export function forgetDeclined() {
  declined.clear();
}

async function send(path, init, admin) {
  const headers = new Headers(init.headers);
  for (const [kind, key] of keys) headers.set(HEADER_OF[kind], key);
  if (admin && adminToken) headers.set("X-Admin-Token", adminToken);
  try {
    return await fetch(new URL(path, BASE), { ...init, headers, credentials: "same-origin", cache: "no-store" });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Problem({ status: 0, code: "no_answer", detail: "The service does not answer. Is it still running, and are you online?" });
  }
}

async function problemOf(response) {
  const requestId = response.headers.get("X-Request-Id");
  const body = await response.json().catch(() => null);
  const words = { 401: "The service wants a key.", 403: "The service does not let you in.", 404: "There is no such route.", 413: "The file is too large.", 429: "The service is busy. Try again in a moment." };
  const detail = body?.detail ?? words[response.status] ?? `The service answered ${response.status} ${response.statusText}`.trim() + ".";
  return new Problem({ status: response.status, code: body?.code ?? `http_${response.status}`, detail, requestId, body });
}

/** @returns {KeyKind | null} */
function missingKey(problem) {
  if (problem.status !== 401 || problem.code === "admin_unauthorized") return null;
  return problem.code === "unauthorized" ? "api" : "functions"; // Azure's host says 401 before our code is asked
}

/** A link carries no header: behind a function key it would lead to an empty page. */
function hideLinks() {
  byId("docs-link").hidden = true;
}

/** @param {KeyKind} kind @param {boolean} wasWrong */
function askForKey(kind, wasWrong) {
  if (declined.has(kind)) return Promise.resolve(false);
  asking ??= showDialog(kind, wasWrong).finally(() => {
    asking = null;
  });
  return asking;
}

/** @param {KeyKind} kind @param {boolean} wasWrong @returns {Promise<boolean>} */
function showDialog(kind, wasWrong) {
  const dialog = byId("key-dialog");
  const field = byId("key-field");
  if (kind === "functions") hideLinks();
  byId("key-label").textContent = kind === "functions" ? "Function key" : "API key";
  byId("key-why").textContent = wasWrong ? "That key was not accepted. Try another." : "Whoever runs it can give you one.";
  byId("key-why").className = wasWrong ? "bad" : "";
  field.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  field.focus();
  return new Promise((resolve) => {
    byId("key-cancel").onclick = () => dialog.close("");
    byId("key-form").onsubmit = (event) => {
      event.preventDefault();
      dialog.close(field.value.trim() ? "use" : "");
    };
    dialog.onclose = () => {
      const given = dialog.returnValue === "use" ? field.value.trim() : "";
      field.value = "";
      if (given) keys.set(kind, given);
      else declined.add(kind);
      wanted = kind;
      byId("key-button").hidden = given !== "";
      resolve(given !== "");
    };
  });
}
