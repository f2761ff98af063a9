// One picture's answer as a part of the page: for the view, for a comparison, for paper.
import { factList, make, percent } from "./dom.js";
import { problemBlock } from "./credentials.js";
import { codeInWords, decisionInWords, pointInWords, reasonInWords, verdictInWords } from "./words.js";
import { hasZone, makeScale } from "./scale.js";
import { makeViewer, paint, underMap } from "./viewer.js";

/**
 * @typedef {object} ReadItem a picture that was given, and what came of it
 * @property {string} name
 * @property {Blob} blob
 * @property {"waiting" | "reading" | "done" | "rejected" | "failed"} state
 * @property {any} answer
 * @property {any} problem
 * @property {{window: number, level: number, opacity: number}} look
 * @property {import("./viewer.js").DecodedPicture | null} picture
 * @property {boolean} advise the guard may only advise: an answer is wanted whatever it says
 * @property {boolean} unseen it was read, and cannot be shown
 * @property {boolean} ticked to be compared or saved
 * @property {any} row in the list
 */

/** How a picture stands, in a few words. @param {ReadItem} item */
export function stateInWords(item) {
  if (item.state === "waiting") return "Waiting";
  if (item.state === "reading") return "Reading…";
  if (item.state === "failed") return "Could not be read";
  const { pneumonia, guard } = item.answer;
  if (!pneumonia) return decisionInWords(item.answer);
  const but = { warn: ", unusual", refuse: " (refused by the guard)" };
  return `${decisionInWords(item.answer).split(":")[0]}, ${percent(pneumonia.probability)}${but[guard.verdict] ?? ""}`;
}

/** How many were read, and how many not. @param {ReadItem[]} items all of which have ended */
export function countsInWords(items) {
  const words = { done: "read", rejected: "refused", failed: "could not be read" };
  const counts = Object.entries(words).map(([state, said]) => [items.filter((item) => item.state === state).length, said]);
  return counts.filter(([count]) => count).map(([count, said]) => `${count} ${said}`).join(", ");
}

/**
 * Make the part for one picture.
 * @param {ReadItem} item
 * @param {any} card the answer of `/model`, or null
 * @param {{compact?: boolean, still?: boolean, again?: () => void, advise?: () => void, remove?: () => void}} [options] `compact` for
 *   comparing, `still` for paper; without `again`, `advise` and `remove` there are no such buttons
 * @returns {HTMLElement}
 */
export function makeReading(item, card, { compact = false, still = false, again, advise, remove } = {}) {
  const bare = item.state === "failed" && !item.picture;
  const pictured = bare ? null : item.picture ? (still ? stillPicture(item) : makeViewer(item, item.picture, item.answer?.explanation?.heatmap_png_b64 ?? null)) : placeholder(item);
  const verdict = item.answer ? decisionInWords(item.answer) : stateInWords(item);
  const head = make("div", { className: "reading-head" }, make("h2", { className: "file" }, item.name), make("p", { className: "verdict" }, verdict), shareSentence(item.answer?.pneumonia), doubtSentence(item.answer));
  const text = make("div", { className: "reading-text" });
  if (item.answer) text.append(...(item.answer.status === "rejected" ? rejectionParts(item.answer, card, advise) : answerParts(item.answer, card, compact)));
  else if (item.problem) text.append(problemBlock(item.problem));
  if (item.answer) text.append(make("p", { className: "notice" }, item.answer.notice ?? "Research use. Not a medical device."));
  if (item.answer && !compact && !still) text.append(rawAnswer(item.answer));
  const buttons = [
    again && item.state === "failed" ? make("button", { type: "button", onclick: again }, "Read again") : null,
    remove ? make("button", { type: "button", className: "quiet", onclick: remove }, "Remove this picture") : null,
  ];
  if (buttons.some(Boolean)) text.append(make("p", { className: "row" }, ...buttons));
  const className = ["reading", compact && "compact", bare && "bare"].filter(Boolean).join(" ");
  return make("article", { className, "aria-label": item.name }, head, pictured ? make("div", { className: "reading-picture" }, pictured) : null, text);
}

function answerParts(answer, card, compact) {
  const { pneumonia } = answer;
  const refused = answer.guard.verdict === "refuse"; // then it comes before the figures
  const parts = [
    refused ? guardPart(answer) : null,
    make("p", {}, reasonInWords(pneumonia, percent)),
    makeScale(pneumonia, card?.operating_points ?? []),
    kindSentence(answer),
    refused ? null : guardPart(answer),
    ...codeNotes(answer),
  ].filter((part) => part !== null);
  if (compact) return parts;
  return [...parts, findingsTable(answer), make("h3", {}, "What stands behind it"), make("p", {}, measuredSentence(pneumonia.operating_point, card)), answerFacts(answer)];
}

function shareSentence(pneumonia) {
  if (!pneumonia) return null;
  return make("p", { className: "share" }, "Calibrated probability of pneumonia: ", make("strong", { className: "number" }, percent(pneumonia.probability)));
}

/** Beside the decision, since on a phone the picture stands between it and the reasons. */
function doubtSentence(answer) {
  return answer?.pneumonia && answer.guard.verdict === "refuse" ? make("p", { className: "bad" }, "The guard refused this picture.") : null;
}

function kindSentence(answer) {
  const kind = answer.most_probable;
  if (!kind && answer.findings.length === 2) return null; // normal and pneumonia: it tells no kinds
  if (!kind) return make("p", {}, "Most probable kind: none is named, because the decision is negative.");
  return make("p", {}, "Most probable kind: ", make("strong", {}, kind.label), ` (${percent(kind.confidence)} of the pneumonia probability).`);
}

function guardPart(answer) {
  const { guard } = answer;
  const noteworthy = guard.verdict !== "accept";
  const reasons = guard.reasons.filter((code) => code !== "package_has_no_guard").map((code) => make("p", {}, codeInWords(code)));
  return make("div", { className: noteworthy ? "note guard" : "guard", role: "note", "aria-label": "Guard" }, make("p", {}, verdictInWords(answer)), ...reasons, distanceLine(guard));
}

function distanceLine(guard) {
  const { distance, warn_distance: warned, threshold } = guard;
  if (![distance, warned, threshold].every((value) => typeof value === "number")) return null;
  const limits = `a warning comes above ${warned.toFixed(2)}, a refusal above ${threshold.toFixed(2)}`;
  return make("p", { className: "small soft" }, `Distance to the chest X-rays that it knows ${distance.toFixed(2)}: ${limits}.`);
}

function rejectionParts(answer, card, advise) {
  const wayRound = [
    make("p", {}, `If you see that it is a frontal chest X-ray${card?.for_children ? " of a child" : ""}, you can have the answer that the guard holds back.`),
    make("p", { className: "row" }, make("button", { type: "button", onclick: advise }, "Answer all the same")),
  ];
  return [
    make("p", {}, "There is no probability and no heat map."),
    guardPart(answer),
    ...codeNotes(answer),
    ...(advise ? wayRound : []),
    answerFacts(answer),
  ];
}

function codeNotes(answer) {
  const codes = [...(answer.warnings ?? []), ...answer.image.warnings];
  return codes.length ? [make("div", { className: "note guard" }, ...codes.map((code) => make("p", {}, codeInWords(code))))] : [];
}

function findingsTable(answer) {
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Finding"), make("th", { scope: "col", className: "number" }, "Probability")));
  const rows = answer.findings.map((finding) => make("tr", {}, make("th", { scope: "row" }, finding.label), make("td", { className: "number" }, percent(finding.probability))));
  return make("table", { className: "findings" }, make("caption", { className: "unseen" }, "Calibrated probabilities of all labels"), head, make("tbody", {}, ...rows));
}

function measuredSentence(used, card) {
  const point = card?.operating_points?.find((one) => one.name === used.name);
  if (used.sensitivity === null || used.specificity === null) return "Nobody has measured what this operating point gives.";
  const range = (interval) => (interval ? ` (${percent(interval.low)} to ${percent(interval.high)})` : "");
  const sensitivity = percent(used.sensitivity) + range(point?.sensitivity);
  const specificity = percent(used.specificity) + range(point?.specificity);
  const measured = card?.metrics?.measured_on ? ` Measured on ${card.metrics.measured_on}.` : "";
  const counted = hasZone(used) ? ` A picture without a decision was counted by its side of ${percent(used.threshold)}.` : "";
  return `At “${pointInWords(used.name)}”: sensitivity ${sensitivity}, specificity ${specificity}.${counted}${measured}`;
}

function answerFacts(answer) {
  const { image, model, timing_ms: timing } = answer;
  return factList([
    ["Picture", image ? `${image.format.toUpperCase()}, ${image.width_px} × ${image.height_px} pixels` : null],
    ["Model", model ? `${model.name} ${model.version}` : null],
    ["Time", timing ? `${timing.total.toFixed(0)} ms (decoding ${timing.decode.toFixed(0)}, network ${timing.network.toFixed(0)})` : null],
    ["Request", answer.request_id],
  ]);
}

function rawAnswer(answer) {
  const short = structuredClone(answer);
  if (short.explanation) short.explanation.heatmap_png_b64 = `${short.explanation.heatmap_png_b64.slice(0, 24)}…`;
  return make("details", {}, make("summary", {}, "The answer as JSON"), make("pre", { tabIndex: 0, role: "region", "aria-label": "The answer as JSON" }, JSON.stringify(short, null, 2)));
}

function placeholder(item) {
  const words = { waiting: "Waiting", reading: "Reading…" };
  return make("div", { className: "plate empty" }, make("p", {}, words[item.state] ?? "No view of this picture"));
}

function stillPicture(item) {
  const canvas = /** @type {HTMLCanvasElement} */ (make("canvas"));
  const heatmap = item.answer?.explanation?.heatmap_png_b64;
  paint(canvas, underMap(item.picture, heatmap, item.look), item.look.window, item.look.level);
  const map = heatmap ? make("img", { alt: "", src: `data:image/png;base64,${heatmap}` }) : null;
  if (map) map.style.opacity = String(item.look.opacity / 100);
  return make("div", { className: "plate" }, canvas, map);
}
