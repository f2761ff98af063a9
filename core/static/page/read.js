// The tab "Read": takes pictures, asks the service for each by itself, two at a time, and shows what came back.
import { byId, make, percent } from "./dom.js";
import { Problem, ask, fetchJson, forgetDeclined, problemBlock } from "./credentials.js";
import { announce, onTab } from "./shell.js";
import { measuredInWords, pointInWords, sameInWords } from "./words.js";
import { decodePicture, paint } from "./viewer.js";
import { countsInWords, makeReading, stateInWords } from "./reading.js";
import { printInstead, saveCsv, saveJson } from "./saving.js";

const AT_A_TIME = 2;
const KEPT_DECODED = 24; // pictures of a megapixel each; the others are decoded again when they are looked at
const LARGE_BYTES = 20_000_000;

/** @type {import("./reading.js").ReadItem[]} */
let items = [];
/** @type {import("./reading.js").ReadItem | null} */
let shown = null;
/** @type {any} */
let card = null;
let running = 0;
let views = 0;
let round = 0; // of the operating point: what was asked before it changed does not count

function takeFiles(files) {
  const added = [...files].map((file) => newItem(file, file.name));
  if (!added.length) return;
  items.push(...added);
  shown = added[0];
  for (const item of added) addRow(item);
  render();
  pump();
  if (isNarrow()) byId("results").scrollIntoView();
}

function isNarrow() {
  return matchMedia("(max-width: 60rem)").matches;
}

/** @param {Blob} blob @param {string} name @returns {import("./reading.js").ReadItem} */
function newItem(blob, name) {
  return { name, blob, state: "waiting", answer: null, problem: null, look: { window: 255, level: 128, opacity: 100 }, picture: null, advise: false, unseen: false, ticked: false, row: null };
}

async function takeSample() {
  byId("sample").disabled = true;
  forgetDeclined();
  try {
    const response = await ask("phantom.jpg");
    takeFiles([new File([await response.blob()], "Sample (drawn, no patient)", { type: "image/jpeg" })]);
  } catch (error) {
    byId("model-problem").replaceChildren(problemBlock(error));
    announce(String(error));
  } finally {
    byId("sample").disabled = false;
  }
}

/** Read what waits, two pictures at a time. */
function pump() {
  const next = items.find((item) => item.state === "waiting");
  if (!next || running >= AT_A_TIME) return;
  running += 1;
  next.state = "reading";
  update(next);
  void readOne(next, round).finally(() => {
    running -= 1;
    pump();
  });
  pump();
}

async function readOne(item, asked) {
  const query = new URLSearchParams({ explain: "heatmap" });
  if (byId("point").value) query.set("operating_point", byId("point").value);
  if (item.advise) query.set("guard", "advise");
  let answer = null;
  let problem = null;
  try {
    answer = await fetchJson(`predict?${query}`, { method: "POST", body: item.blob, headers: { "Content-Type": "application/octet-stream" } });
  } catch (error) {
    if (error instanceof Problem && error.body?.status === "rejected") answer = error.body;
    else problem = await explained(error, item.blob);
  }
  if (asked !== round || !items.includes(item)) return; // the operating point has changed, or the picture is gone
  Object.assign(item, { answer, problem, state: problem ? "failed" : answer.status === "rejected" ? "rejected" : "done" });
  if (answer && card && answer.model.sha256 !== card.model.sha256) void loadCard(); // another model has been promoted
  if (answer) await decode(item);
  update(item);
  announce(`${item.name}: ${stateInWords(item)}.`);
}

/** No answer may also mean that the file cannot be read, or is so large that the service closed the line: say so. */
async function explained(error, blob) {
  if (!(error instanceof Problem) || error.code !== "no_answer") return error;
  const readable = await blob.slice(0, 1).arrayBuffer().then(() => true, () => false);
  if (!readable) return new Problem({ status: 0, code: "unreadable_file", detail: "The browser cannot read this file. Is it a folder, or has it changed since?" });
  if (blob.size < LARGE_BYTES) return error;
  const detail = `${error.message} Or the file, of ${Math.round(blob.size / 1e6)} MB, is larger than it takes.`;
  return new Problem({ status: 0, code: error.code, detail });
}

async function decode(item) {
  try {
    item.picture ??= await decodePicture(item.blob, item.answer);
  } catch {
    item.unseen = true; // the answer stands without a view
  }
  if (item.picture) drawThumbnail(item);
  const decoded = items.filter((one) => one.picture && one !== shown && !one.ticked);
  for (const one of decoded.slice(0, Math.max(0, decoded.length - KEPT_DECODED))) one.picture = null;
}

function drawThumbnail(item) {
  const whole = document.createElement("canvas");
  paint(whole, item.picture);
  const canvas = item.row.querySelector("canvas");
  const scale = 96 / Math.max(whole.width, whole.height);
  Object.assign(canvas, { width: Math.round(whole.width * scale), height: Math.round(whole.height * scale) });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(whole, 0, 0, canvas.width, canvas.height);
}

function addRow(item) {
  const state = make("span", { className: "small soft state" });
  const open = make("button", { type: "button", className: "shelf-item" }, make("canvas", { width: 96, height: 96, "aria-hidden": "true" }), make("span", { className: "shelf-text" }, make("span", { className: "shelf-name" }, item.name), state));
  open.addEventListener("click", () => show(item, true));
  const tick = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox", "aria-label": `Compare ${item.name}` }));
  tick.addEventListener("change", () => {
    item.ticked = tick.checked;
    void showView();
  });
  item.row = make("li", {}, open, make("label", { className: "tick compare" }, tick));
  byId("shelf").append(item.row);
}

function show(item, byHand) {
  shown = item;
  for (const one of items) if (one.ticked) Object.assign(one, { ticked: false }).row.querySelector("input").checked = false;
  render();
  if (byHand && isNarrow()) byId("view").scrollIntoView();
}

function update(item) {
  renderRow(item);
  renderCount();
  if (item === shown || item.ticked) void showView();
}

/** Bring the list, its count and the view up to date. */
function render() {
  byId("results").hidden = items.length === 0;
  byId("results").classList.toggle("single", items.length === 1);
  items.forEach(renderRow);
  renderCount();
  void showView();
}

function renderRow(item) {
  item.row.querySelector(".state").textContent = stateInWords(item);
  item.row.dataset.state = item.state;
}

function renderCount() {
  const ended = items.filter((item) => !["waiting", "reading"].includes(item.state)).length;
  byId("shelf-count").textContent = ended < items.length ? `${ended} of ${items.length} done` : countsInWords(items);
  const progress = byId("shelf-progress");
  progress.hidden = ended === items.length;
  progress.value = items.length ? ended / items.length : 0;
  for (const id of ["save-json", "save-csv", "print"]) byId(id).disabled = ended === 0;
}

async function showView() {
  const compared = items.filter((item) => item.ticked);
  const chosen = compared.length > 1 ? compared : shown ? [shown] : [];
  byId("save-what").textContent = compared.length ? `Save the ${compared.length} ticked` : items.length > 1 ? "Save all" : "Save the answer";
  views += 1;
  const view = views;
  for (const item of chosen) if (item.answer && !item.picture && !item.unseen) await decode(item);
  if (view !== views) return; // another was asked for meanwhile
  const compact = chosen.length > 1;
  for (const item of items) item.row.querySelector("button").setAttribute("aria-current", String(chosen.includes(item)));
  const made = chosen.map((item) => makeReading(item, card, { compact, again: () => readOnceMore(item), advise: () => readOnceMore(item, true), remove: compact || items.length < 2 ? undefined : () => remove(item) }));
  byId("view").classList.toggle("side-by-side", compact);
  byId("view").replaceChildren(...made);
}

function readOnceMore(item, advise = item.advise) {
  item.advise = advise;
  forgetDeclined();
  readAgain([item]);
  byId("view").focus();
}

function readAgain(some) {
  for (const item of some) Object.assign(item, { state: "waiting", answer: null, problem: null });
  render();
  pump();
}

function remove(item) {
  const at = items.indexOf(item);
  items = items.filter((one) => one !== item);
  item.row.remove();
  if (shown === item) shown = items[Math.min(at, items.length - 1)] ?? null;
  render();
  announce(`${item.name} removed.`);
  (shown?.row.querySelector("button") ?? byId("choose")).focus();
}

function clear() {
  items = [];
  shown = null;
  byId("shelf").replaceChildren();
  byId("view").replaceChildren();
  render();
  announce("All pictures removed.");
  byId("choose").focus();
}

function ended() {
  const some = items.filter((item) => item.answer || item.problem);
  return some.some((item) => item.ticked) ? some.filter((item) => item.ticked) : some;
}

async function loadCard() {
  try {
    card = await fetchJson("model");
  } catch (error) {
    byId("model-problem").replaceChildren(problemBlock(error));
    return;
  }
  byId("model-problem").replaceChildren();
  const names = card.operating_points.map((point) => new Option(pointInWords(point.name), point.name));
  const chosen = card.operating_points.find((point) => point.name === byId("point").value)?.name;
  byId("point").replaceChildren(...names);
  byId("point").value = chosen ?? card.default_operating_point;
  describePoint();
  byId("intended").textContent = card.intended_use;
  byId("limits").replaceChildren(...card.limits.map((limit) => make("li", {}, limit)));
  byId("cannot").hidden = false;
  render();
}

function describePoint() {
  const point = card?.operating_points.find((one) => one.name === byId("point").value);
  byId("point-says").textContent = point ? [measuredInWords(point, percent), sameInWords(point, card.operating_points)].filter(Boolean).join(". ") : "";
}

function takeDropped(event) {
  event.preventDefault();
  byId("drop").classList.remove("over");
  takeFiles(event.dataTransfer?.files ?? []);
}

function listen() {
  byId("choose").addEventListener("click", () => byId("files").click());
  byId("files").addEventListener("change", () => {
    takeFiles(byId("files").files);
    byId("files").value = ""; // so that the same file may be chosen again
  });
  byId("sample").addEventListener("click", () => void takeSample());
  byId("clear").addEventListener("click", clear);
  byId("save-json").addEventListener("click", () => saveJson(ended()));
  byId("save-csv").addEventListener("click", () => saveCsv(ended()));
  byId("print").addEventListener("click", () => print());
  byId("intake").addEventListener("submit", (event) => event.preventDefault());
  byId("point").addEventListener("change", () => {
    describePoint();
    round += 1;
    readAgain(items);
  });
  const panel = byId("panel-read");
  panel.addEventListener("dragover", (event) => {
    event.preventDefault();
    byId("drop").classList.add("over");
  });
  panel.addEventListener("dragleave", () => byId("drop").classList.remove("over"));
  panel.addEventListener("drop", takeDropped);
  addEventListener("paste", (event) => !panel.hidden && takeFiles(event.clipboardData?.files ?? []));
  addEventListener("key-given", () => {
    void loadCard();
    readAgain(items.filter((item) => item.problem?.status === 401));
  });
  printInstead(() => (panel.hidden ? [] : ended().map((item) => makeReading(item, card, { still: true }))));
}

listen();
onTab("read", () => card || void loadCard());
