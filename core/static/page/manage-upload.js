// Uploads: one request a picture, so that each has its outcome, none spoils another, and a break can be gone on from.
import { byId, make } from "./dom.js";
import { fetchJson, problemBlock } from "./credentials.js";
import { announce } from "./shell.js";
import { codeInWords } from "./words.js";
import { manageLockedBy } from "./manage.js";

const MANAGE_OUTCOMES = { stored: "stored", duplicate: "there already", conflict: "not stored", refused: "refused" };
let manageLargest = Infinity;
/** @type {AbortController | null} */
let manageSending = null;
/** @type {File[]} what a break left over */
let manageLeft = [];

byId("manage-upload-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const label = byId("manage-label").value;
  const files = manageLeft.length ? manageLeft : [...byId("manage-files").files];
  if (!label || !files.length) {
    manageUploadSay(make("p", { className: "bad" }, label ? "Choose pictures first." : "Choose what the pictures show first."));
    byId(label ? "manage-files" : "manage-label").focus();
    return;
  }
  void manageUploadAll(label, files);
});
byId("manage-files").addEventListener("change", () => manageUploadReset());
byId("manage-label").addEventListener("change", () => manageUploadReset());
byId("manage-stop").addEventListener("click", manageUploadStop);
for (const name of ["dragover", "dragleave", "drop"]) {
  byId("manage-upload").addEventListener(name, (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    byId("manage-upload").classList.toggle("manage-drop", name === "dragover");
    if (name !== "drop" || !event.dataTransfer?.files.length || manageSending) return;
    byId("manage-files").files = event.dataTransfer.files;
    manageUploadReset();
  });
}

/** Offer labels to choose from. @param {string[]} labels @param {number} largest bytes of a picture */
export function manageUploadOffer(labels, largest) {
  manageLargest = largest;
  byId("manage-label").replaceChildren(new Option("Choose…", ""), ...labels.map((label) => new Option(label, label)));
  manageUploadReset();
}

/** Stop; the picture that is under way counts as left over. */
export function manageUploadStop() {
  manageSending?.abort();
}

function manageUploadReset() {
  manageLeft = [];
  const count = byId("manage-files").files.length;
  byId("manage-send").textContent = count ? `Upload ${manageCount(count)}` : "Upload";
  byId("manage-upload-problem").replaceChildren();
  if (!manageSending) byId("manage-upload-state").hidden = true;
}

async function manageUploadAll(label, files) {
  const sums = { stored: 0, duplicate: 0, conflict: 0, refused: 0 };
  const stop = new AbortController();
  manageSending = stop;
  manageUploadRunning(true);
  byId("manage-upload-rows").replaceChildren();
  manageUploadSay();
  let at = 0;
  let broken = null;
  for (; at < files.length && !stop.signal.aborted; at += 1) {
    manageUploadSum(sums, at, files.length);
    try {
      const outcome = await manageUploadOne(label, files[at], stop.signal);
      sums[outcome.outcome] += 1;
      manageUploadRow(files[at].name, outcome);
    } catch (error) {
      broken = error;
      break;
    }
  }
  manageSending = null;
  manageUploadRunning(false);
  manageUploadSum(sums, at, files.length);
  manageUploadEnd(files.slice(at), stop.signal.aborted ? null : broken);
}

/** @returns {Promise<any>} what became of a picture; throws where the next one would fare no better */
async function manageUploadOne(label, file, signal) {
  if (file.size > manageLargest) {
    return { outcome: "refused", code: "body_too_large", detail: `Expected at most ${Math.floor(manageLargest / 2 ** 20)} MB. Received: ${Math.ceil(file.size / 2 ** 20)} MB.` };
  }
  const headers = { "Content-Type": "application/octet-stream" };
  const query = new URLSearchParams({ label });
  if (byId("manage-advise").checked) query.set("guard", "advise");
  try {
    const answer = await fetchJson(`upload-data?${query}`, { method: "POST", body: file, headers, admin: true, signal });
    return answer.uploads[0];
  } catch (error) {
    if (error.code === "label_conflict") return { outcome: "conflict", code: error.code, detail: error.message };
    const ofThePicture = [400, 411, 413, 415, 422].includes(error.status) && error.code !== "unknown_label";
    if (ofThePicture) return { outcome: "refused", code: error.code, detail: error.message };
    throw error;
  }
}

function manageUploadRow(name, { outcome, code, detail, format, width_px, height_px, guard }) {
  const doubts = guard && ["warn", "refuse"].includes(guard.verdict) ? ["The guard:", ...guard.reasons.map(codeInWords)] : [];
  const why = code ? [detail, " ", make("span", { className: "soft" }, code)] : [[`${format}, ${width_px} × ${height_px}.`, ...doubts].join(" ")];
  const bad = outcome === "refused" || outcome === "conflict";
  byId("manage-upload-rows").append(make("tr", {},
    make("td", {}, name), make("td", { className: bad ? "bad" : "" }, MANAGE_OUTCOMES[outcome]), make("td", {}, ...why)));
}

function manageUploadSum(sums, done, all) {
  byId("manage-upload-bar").value = all ? done / all : 0;
  const parts = [[sums.stored, "stored"], [sums.duplicate, "there already"], [sums.conflict, "stored under another label"], [sums.refused, "refused"]];
  const told = parts.filter(([count]) => count).map(([count, word]) => `${count} ${word}`);
  byId("manage-upload-sum").textContent = `${done} of ${manageCount(all)}${told.length ? `: ${told.join(", ")}` : ""}.`;
}

function manageUploadEnd(left, error) {
  announce(`${left.length ? "The upload has stopped" : "The upload is done"}: ${byId("manage-upload-sum").textContent}`);
  manageLeft = left;
  if (error && manageLockedBy(error)) return;
  const rest = left.length ? make("p", {}, `${manageCount(left.length)} ${left.length === 1 ? "is" : "are"} left. What has its outcome above is safe; press the button to go on.`) : null;
  if (left.length) byId("manage-send").textContent = `Go on with ${manageCount(left.length)}`;
  else byId("manage-files").value = "";
  if (!left.length) byId("manage-send").textContent = "Upload";
  byId("manage-upload-problem").replaceChildren(...[error ? problemBlock(error) : null, rest].filter((one) => one !== null));
}

function manageUploadRunning(on) {
  byId("manage-upload-state").hidden = false;
  byId("manage-upload-each").hidden = false;
  byId("manage-upload-bar").hidden = false;
  byId("manage-stop").hidden = !on;
  for (const id of ["manage-send", "manage-label", "manage-files", "manage-advise"]) byId(id).disabled = on;
  (on ? byId("manage-stop") : byId("manage-send")).focus();
}

function manageUploadSay(said = null) {
  byId("manage-upload-problem").replaceChildren(...(said ? [said] : []));
  byId("manage-upload-state").hidden = false;
  byId("manage-upload-each").hidden = byId("manage-upload-bar").hidden = said !== null;
  if (said) byId("manage-upload-sum").textContent = "";
  if (said) announce(said.textContent);
}

function manageCount(count) {
  return count === 1 ? "1 picture" : `${count.toLocaleString()} pictures`;
}
