// The probability on a bar, with the threshold, the zone without a decision, and the other operating points.
import { draw, make, percent } from "./dom.js";
import { pointInWords } from "./words.js";

const NARROWEST_PX = 270; // of the bar on a phone: what fits there fits everywhere
const LETTER_PX = 6.6; // of the labels, generously
let scalesMade = 0;

/** Does an operating point leave probabilities without a decision? @param {any} point */
export function hasZone(point) {
  return point.indeterminate_to > point.indeterminate_from;
}

/**
 * Draw the bar.
 * @param {any} pneumonia the answer's block
 * @param {any[]} points the model's operating points; empty where `/model` did not say
 * @returns {HTMLElement}
 */
export function makeScale(pneumonia, points) {
  const used = pneumonia.operating_point;
  const all = points.length ? points : [used];
  const labels = placeLabels(all, used.name);
  const bar = draw("svg", { class: "scale", role: "img", height: 62 + 17 * Math.max(...labels.map((label) => label.row)), "aria-label": describe(pneumonia, all) });
  const from = 100 * used.indeterminate_from;
  const zone = 100 * used.indeterminate_to - from;
  scalesMade += 1;
  const hatch = `hatch-${scalesMade}`; // one for each: a pattern in a part that is not shown draws nothing
  bar.append(
    hatching(hatch),
    draw("rect", { class: "scale-track", x: "0%", y: 22, width: "100%", height: 10, rx: 5 }),
    draw("rect", { fill: `url(#${hatch})`, x: `${from}%`, y: 22, width: `${zone}%`, height: 10 }),
    draw("rect", { class: "scale-fill", x: "0%", y: 25, width: `${100 * pneumonia.probability}%`, height: 4, rx: 2 }),
  );
  const chosen = ({ name }) => name === used.name;
  const place = ({ threshold }) => `${100 * threshold}%`;
  for (const { point, row } of labels) {
    const x = place(point);
    bar.append(draw("line", { class: chosen(point) ? "scale-chosen" : "scale-other", x1: x, x2: x, y1: chosen(point) ? 17 : 20, y2: 42 + 17 * row }));
  }
  for (const { point, row, anchor } of labels) { // after all lines, whose course they interrupt
    bar.append(draw("text", { class: chosen(point) ? "scale-label chosen" : "scale-label", x: place(point), y: 55 + 17 * row, "text-anchor": anchor }, labelOf(point)));
  }
  const at = 100 * pneumonia.probability;
  bar.append(
    draw("circle", { class: "scale-dot", cx: `${at}%`, cy: 27, r: 7 }),
    draw("text", { class: "scale-value", x: `${at}%`, y: 12, "text-anchor": at < 10 ? "start" : at > 90 ? "end" : "middle" }, percent(pneumonia.probability)),
  );
  const legend = hasZone(used) ? make("p", { className: "small soft" }, "Hatched: no decision is made here.") : null;
  return make("div", { className: "scale-box" }, bar, legend);
}

/** @param {string} id */
function hatching(id) {
  const lines = draw("line", { class: "hatch-line", x1: 0, y1: 0, x2: 0, y2: 6 });
  return draw("defs", {}, draw("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, lines));
}

function labelOf(point) {
  return `${pointInWords(point.name)} ${percent(point.threshold, 0)}`;
}

/** Give each label a row in which it touches no other. */
function placeLabels(points, chosen) {
  const ends = [];
  const sorted = [...points].sort((one, other) => one.threshold - other.threshold);
  return sorted.map((point) => {
    const half = (labelOf(point).length * LETTER_PX * (point.name === chosen ? 1.08 : 1)) / 2;
    const centre = point.threshold * NARROWEST_PX;
    const anchor = centre < half ? "start" : centre > NARROWEST_PX - half ? "end" : "middle";
    const left = anchor === "start" ? centre : anchor === "end" ? centre - 2 * half : centre - half;
    let row = ends.findIndex((end) => end < left);
    if (row < 0) row = ends.length;
    ends[row] = left + 2 * half;
    return { point, row, anchor };
  });
}

function describe(pneumonia, points) {
  const used = pneumonia.operating_point;
  const others = points.filter((point) => point.name !== used.name).map((point) => `${pointInWords(point.name)} at ${percent(point.threshold)}`);
  const zone = hasZone(used) ? `, no decision from ${percent(used.indeterminate_from)} to ${percent(used.indeterminate_to)}` : "";
  const rest = others.length ? ` Other operating points: ${others.join(", ")}.` : "";
  return `Probability ${percent(pneumonia.probability)}. Threshold of ${pointInWords(used.name)} ${percent(used.threshold)}${zone}.${rest}`;
}
