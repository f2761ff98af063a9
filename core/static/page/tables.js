// Tables that scroll within themselves where a screen is narrow, and can be scrolled by keyboard.
import { make } from "./dom.js";

/**
 * @typedef {string | Node | null | Array<string | Node | null>} Cell
 * @param {string} label what a screen reader calls it
 * @param {Cell[]} heads empty for a column without a name, none at all for a table without heads
 * @param {Cell[][]} rows the first cell of each names it, unless `plain`
 * @param {{classes?: string[], caption?: string, plain?: boolean}} [options] `classes` by column
 * @returns {HTMLElement}
 */
export function scrollTable(label, heads, rows, { classes = [], caption = "", plain = false } = {}) {
  const cell = (tag, content, at, scope) => make(tag, { className: classes[at] ?? "", scope }, ...[content].flat());
  const head = (content, at) => (content === "" ? cell("td", content, at) : cell("th", content, at, "col"));
  const line = (row) => make("tr", {}, ...row.map((one, at) => (at || plain ? cell("td", one, at) : cell("th", one, at, "row"))));
  return make("div", { className: "scroll", tabIndex: 0, role: "group", "aria-label": label }, make("table", {},
    caption ? make("caption", {}, caption) : null,
    heads.length ? make("thead", {}, make("tr", {}, ...heads.map(head))) : null,
    make("tbody", {}, ...rows.map(line))));
}
