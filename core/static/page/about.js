// The tab on the model: how it is doing, what it is, what was measured, and what its package carries for people.
import { byId, dateTime, factList, hundredths, make, percent } from "./dom.js";
import { ask, fetchJson, problemBlock } from "./credentials.js";
import { onTab } from "./shell.js";
import { scrollTable } from "./tables.js";
import { pointInWords } from "./words.js";
import { markdownImages, renderMarkdown } from "./markdown.js";

const ABOUT_FIGURES = {
  "roc.svg": "ROC curve",
  "confusion.svg": "Confusion matrix",
  "thresholds.svg": "Thresholds",
  "reliability.svg": "Reliability",
  "probabilities.svg": "Probabilities by class",
  "precision-recall.svg": "Precision and recall",
  "corruptions.svg": "Under corruption",
  "training.svg": "Training curves",
};
const ABOUT_DATA = "data.md";
/** What belongs to one model, by its digest: forgotten when another serves. */
let aboutModel = "";
/** @type {Map<string, Promise<string>>} addresses of fetched drawings by their name */
let aboutDrawings = new Map();
/** @type {Set<string>} */
let aboutNames = new Set();

onTab("about", () => void aboutShow());
addEventListener("key-given", () => {
  aboutModel = "";
  if (!byId("panel-about").hidden) void aboutShow();
});
byId("about-large-close").addEventListener("click", () => byId("about-large").close());

async function aboutShow() {
  byId("about-problem").replaceChildren();
  const [status, model] = await Promise.allSettled([fetchJson("status"), fetchJson("model")]);
  aboutPut("about-now", status, aboutStatus);
  aboutPut("about-what", model, aboutFacts);
  byId("about-rest").hidden = model.status === "rejected";
  if (model.status === "rejected") {
    byId("about-limits").hidden = true;
    aboutModel = "";
    return;
  }
  void aboutDrift(model.value.model.version);
  if (aboutModel === model.value.model.sha256) return;
  aboutModel = model.value.model.sha256;
  byId("about-limits").hidden = model.value.limits.length === 0;
  byId("about-limits").querySelector("ul").replaceChildren(...model.value.limits.map((limit) => make("li", {}, limit)));
  byId("about-points").replaceChildren(...aboutPoints(model.value));
  await aboutPapers();
}

function aboutPut(id, settled, render) {
  const place = byId(id);
  place.removeAttribute("aria-busy");
  place.replaceChildren(...(settled.status === "fulfilled" ? render(settled.value) : [problemBlock(settled.reason)]));
}

/** @param {any} status what /status says */
function aboutStatus(status) {
  const { model, promotion, last_reload_error: failed } = status;
  const served = status.predictions_served;
  const facts = factList([
    ["Serving", model ? `${model.name} ${model.version}${status.model_since ? `, since ${dateTime(status.model_since)}` : ""}` : "no model"],
    ["How it got there", model ? aboutOrigin(promotion) : null],
    ["This instance", `up for ${aboutDuration(status.uptime_s)}; it has read ${served === 1 ? "one picture" : `${served.toLocaleString()} pictures`}`],
    ["Last retraining", aboutRetrained(status.last_retrained)],
    ["Running job", status.running_job ? `job ${Number(status.running_job)} waits or runs` : "none"],
  ]);
  facts.id = "about-facts";
  const reload = failed && make("div", { className: "problem" },
    make("p", {}, `The last look for a newly promoted model failed, ${dateTime(failed.at)}. What served before serves on.`),
    make("p", {}, failed.detail), make("p", { className: "soft" }, `Code: ${failed.code}`));
  const missing = status.model_error && make("div", { className: "problem" }, make("p", {}, "No model serves."), make("p", {}, status.model_error));
  return [missing, facts, reload].filter(Boolean);
}

function aboutOrigin(promotion) {
  if (!promotion) return "the service was started with it; nothing was promoted";
  const by = promotion.source === "by hand" ? "promoted by hand" : `promoted by retraining ${promotion.source.replace(/^job 0*/, "")}`;
  const after = promotion.previous ? `, in place of ${promotion.previous}` : "";
  return `${by} on ${dateTime(promotion.at)}${after}${promotion.reason ? ` (“${promotion.reason}”)` : ""}`;
}

function aboutRetrained(said) {
  if (!said) return "none that is known here";
  const [at, result, version] = said.split(" ");
  const words = { promoted: `${version ?? "its model"} was promoted`, kept: "the model before was kept" };
  return `${dateTime(at)}: ${words[result] ?? said}`;
}

/** @param {number} seconds */
export function aboutDuration(seconds) {
  const parts = [[Math.floor(seconds / 86400), "day"], [Math.floor(seconds / 3600) % 24, "hour"], [Math.floor(seconds / 60) % 60, "minute"]];
  const shown = parts.filter(([count]) => count).slice(0, 2).map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`);
  return shown.join(" ") || "less than a minute";
}

/** The drift that this instance has seen, where it has seen enough. */
async function aboutDrift(version) {
  const text = await ask("metrics").then((answer) => answer.text()).catch(() => "");
  const line = text.split("\n").find((one) => one.startsWith("pneumonia_probability_psi{") && one.includes(`version="${version}"`));
  const index = line ? Number(line.split(" ").at(-1)) : NaN;
  byId("about-facts")?.querySelectorAll("[data-drift]").forEach((one) => one.remove());
  if (!Number.isFinite(index)) return;
  const verdict = index < 0.1 ? "stable" : index <= 0.25 ? "moderate: look into it" : "shifted";
  byId("about-facts").append(make("dt", { "data-drift": "" }, "Drift"), make("dd", { "data-drift": "" }, `index ${index.toFixed(3)}, ${verdict}`));
}

/** @param {any} card what /model says */
function aboutFacts(card) {
  const { metrics } = card;
  const point = card.operating_points.find((one) => one.name === card.default_operating_point);
  const sums = [
    [metrics.auroc?.value?.toFixed(3), `AUROC${aboutRange(metrics.auroc, 3)}`],
    [point?.sensitivity && percent(point.sensitivity.value), `sensitivity at ${point?.name}`],
    [point?.specificity && percent(point.specificity.value), `specificity at ${point?.name}`],
  ].filter(([value]) => value);
  const unnamed = metrics.pictures_without_patient ? ` (of ${metrics.pictures_without_patient.toLocaleString()} no name tells the patient)` : "";
  const on = metrics.pictures ? `${metrics.pictures.toLocaleString()} pictures of ${metrics.patients?.toLocaleString() ?? "unknown"} patients${unnamed}: ` : "";
  return [
    sums.length ? make("dl", { className: "about-sum" }, ...sums.map(([value, name]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))) : null,
    metrics.measured_on ? make("p", { className: "soft" }, `Measured on ${on}${metrics.measured_on}.`) : null,
    factList([
      ["Model", `${card.model.name} ${card.model.version}`],
      ["Made", `${dateTime(card.created)}${card.parent_version ? `, from version ${card.parent_version}` : ""}`],
      ["Meant for", card.intended_use],
      ["Tells apart", card.labels.map((label) => label.name).join(", ")],
      ["Learned from", card.dataset],
    ]),
  ].filter(Boolean);
}

function aboutRange(interval, digits) {
  return interval?.low === undefined ? "" : ` (${interval.low.toFixed(digits)} to ${interval.high.toFixed(digits)})`;
}

function aboutPoints(card) {
  const heads = ["Point", "Positive from", "Negative below", "Threshold", "Sensitivity (95 % interval)", "Specificity (95 % interval)"];
  const rows = card.operating_points.map((point) => [
    [pointInWords(point.name), point.name === card.default_operating_point ? make("span", { className: "soft" }, " (default)") : null],
    percent(Math.max(point.threshold, point.indeterminate_to)), percent(Math.min(point.threshold, point.indeterminate_from)), percent(point.threshold),
    aboutInterval(point.sensitivity), aboutInterval(point.specificity),
  ]);
  return [
    make("p", {}, "A picture between “negative below” and “positive from” is indeterminate: a person should look. Sensitivity and specificity count it by its side of the threshold."),
    scrollTable("Operating points", heads, rows, { classes: ["", "number", "number", "number", "number", "number"] }),
    card.metrics.thresholds_chosen ? make("p", { className: "soft" }, ...aboutCoded(card.metrics.thresholds_chosen)) : null,
  ].filter(Boolean);
}

function aboutInterval(share) {
  return share ? `${percent(share.value)} (${hundredths(share.low, 1)} to ${hundredths(share.high, 1)})` : "not measured";
}

function aboutCoded(text) {
  return text.split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part));
}

/** Card, figures and data page of the package. */
async function aboutPapers() {
  for (const url of aboutDrawings.values()) url.then(URL.revokeObjectURL, () => {});
  aboutDrawings = new Map();
  try {
    const report = await fetchJson("model/report");
    aboutNames = new Set(report.files.map((file) => file.name));
    const text = report.card ? await ask("model/card").then((answer) => answer.text()) : "";
    aboutGallery(markdownImages(text));
    byId("about-data").replaceChildren(...aboutText("Look at the data", aboutNames.has(ABOUT_DATA) ? () => ask(`model/report/${ABOUT_DATA}`).then((answer) => answer.text()) : null,
      "This package has no page on its data. To one that `pneumonia train` made, `pneumonia export PACKAGE --data DATASET` adds it."));
    byId("about-card").replaceChildren(...aboutText("Read the card", text ? async () => text : null, "This package has no card."));
  } catch (error) {
    aboutModel = "";
    byId("about-problem").replaceChildren(problemBlock(error));
  }
}

/** @param {Map<string, string>} alts what the card says that its images show, by path */
function aboutGallery(alts) {
  const drawings = [...aboutNames].filter((name) => name.endsWith(".svg") && !name.startsWith("data-"));
  const known = Object.keys(ABOUT_FIGURES);
  drawings.sort((one, other) => (known.indexOf(one) + 1 || 99) - (known.indexOf(other) + 1 || 99));
  const figures = drawings.map((name) => aboutFigure(name, alts.get(`report/${name}`) ?? "", ABOUT_FIGURES[name]));
  const place = byId("about-figures");
  place.className = figures.length ? "about-figures" : "";
  place.replaceChildren(...(figures.length ? figures : [make("p", {}, ...aboutCoded("This package has no figures. `pneumonia export PACKAGE --evaluation FILE` draws them."))]));
}

/** A drawing of the report that opens large. Drawings are fetched with the keys and shown as images, which run no script. */
function aboutFigure(name, alt, title = "") {
  const image = /** @type {HTMLImageElement} */ (make("img", { alt: alt || title || name }));
  const button = make("button", { type: "button", title: "Enlarge" }, image);
  const told = alt.startsWith(`${title}: `) ? alt.slice(title.length + 2) : alt;
  const more = told.charAt(0).toUpperCase() + told.slice(1);
  const figure = make("figure", { className: "about-figure" }, button, make("figcaption", {}, title || alt || name, title && more !== title ? make("span", {}, more) : null));
  button.addEventListener("click", () => aboutEnlarge(title || alt || name, image));
  aboutDrawing(name).then((url) => (image.src = url), (error) => button.replaceWith(problemBlock(error)));
  return figure;
}

function aboutDrawing(name) {
  const known = aboutDrawings.get(name);
  if (known) return known;
  const url = ask(`model/report/${encodeURIComponent(name)}`).then((answer) => answer.blob()).then((blob) => URL.createObjectURL(blob));
  aboutDrawings.set(name, url);
  return url;
}

function aboutEnlarge(title, image) {
  byId("about-large-title").textContent = title;
  byId("about-large-image").src = image.src;
  byId("about-large-image").alt = image.alt;
  byId("about-large").showModal();
}

/** A text of the package that is fetched and laid out when somebody opens it. */
function aboutText(summary, load, none) {
  if (!load) return [make("p", {}, ...aboutCoded(none))];
  const body = make("div", { className: "about-text" });
  const details = /** @type {HTMLDetailsElement} */ (make("details", {}, make("summary", {}, summary), body));
  details.addEventListener("toggle", async () => {
    if (!details.open || body.childNodes.length) return;
    body.append(make("p", { className: "soft" }, "Asking…"));
    try {
      const text = (await load()).replace(/^# [^\n]*\n/, ""); // the section has a heading of its own
      body.replaceChildren(renderMarkdown(text, { image: aboutImage, shift: 1 }));
    } catch (error) {
      body.replaceChildren(problemBlock(error));
    }
  });
  return [details];
}

function aboutImage(path, alt) {
  const name = path.split("/").at(-1) ?? "";
  if (aboutNames.has(name) && name.endsWith(".svg")) return aboutFigure(name, alt);
  return make("p", { className: "note" }, `Not shown here: ${alt || path}. A service hands out drawings only; pictures of patients stay in the package.`);
}
