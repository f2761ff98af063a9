// Answers to keep: JSON and CSV as downloads, a page to print.
import { dateTime, make } from "./dom.js";

const COLUMNS = {
  file: (item) => item.name,
  status: (item) => item.answer?.status ?? "error",
  probability: (item) => item.answer?.pneumonia?.probability,
  decision: (item) => item.answer?.pneumonia?.decision,
  operating_point: (item) => item.answer?.pneumonia?.operating_point.name,
  threshold: (item) => item.answer?.pneumonia?.operating_point.threshold,
  most_probable: (item) => item.answer?.most_probable?.label,
  confidence: (item) => item.answer?.most_probable?.confidence,
  guard: (item) => item.answer?.guard?.verdict,
  guard_reasons: (item) => item.answer?.guard?.reasons?.join(" "),
  format: (item) => item.answer?.image?.format,
  width_px: (item) => item.answer?.image?.width_px,
  height_px: (item) => item.answer?.image?.height_px,
  image_warnings: (item) => item.answer?.image?.warnings?.join(" "),
  model: (item) => item.answer?.model?.name,
  model_version: (item) => item.answer?.model?.version,
  request_id: (item) => item.answer?.request_id ?? item.problem?.requestId,
  code: (item) => item.problem?.code,
  detail: (item) => item.problem?.message,
  notice: () => "Research use. Not a medical device.",
};

/** What there is to say of a picture, as `pneumonia predict --json` says it: the answer with its file. */
function asRecord(item) {
  if (item.answer) return { file: item.name, ...item.answer };
  return { file: item.name, status: "error", code: item.problem?.code, detail: item.problem?.message, request_id: item.problem?.requestId };
}

/** Save answers as JSON. @param {any[]} items */
export function saveJson(items) {
  const records = items.map(asRecord);
  save(JSON.stringify(records.length === 1 ? records[0] : { predictions: records }, null, 2), "application/json", "json");
}

/** Save a row a picture as CSV. @param {any[]} items */
export function saveCsv(items) {
  const rows = items.map((item) => Object.values(COLUMNS).map((read) => cell(read(item))));
  save([Object.keys(COLUMNS), ...rows].map((row) => `${row.join(",")}\r\n`).join(""), "text/csv", "csv");
}

/** A value as RFC 4180 wants it; a spreadsheet must not take a file's name for a formula. */
function cell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function save(text, type, ending) {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = make("a", { href: url, download: `pneumonia-answers.${ending}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A copy without ids, which must be unique. */
function stripped(copy) {
  copy.removeAttribute("id");
  return copy;
}

/**
 * While the page is printed, show these reports instead of it.
 * @param {() => HTMLElement[]} reports what to print; none prints the page as it is
 */
export function printInstead(reports) {
  let sheet = null;
  addEventListener("beforeprint", () => {
    const made = reports();
    if (!made.length) return;
    const title = make("header", {}, make("h1", {}, "Pneumonia Functions"), make("p", {}, `Research use. Not a medical device. Printed ${dateTime(new Date().toISOString())}.`));
    const limits = [...document.querySelectorAll("#cannot > :not([hidden])")].map((part) => stripped(part.cloneNode(true)));
    sheet = make("div", { className: "sheet" }, title, ...made, make("section", {}, ...limits));
    document.body.append(sheet);
    document.body.classList.add("printing");
  });
  addEventListener("afterprint", () => {
    sheet?.remove();
    document.body.classList.remove("printing");
  });
}
