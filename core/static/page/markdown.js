// Markdown of a model package to elements. What it says came from elsewhere: all of it goes in as text, and nothing here makes markup of a string.
import { make } from "./dom.js";
import { scrollTable } from "./tables.js";

/**
 * Headings, paragraphs, lists, tables, code, emphasis, links and figures; anything else stays the text that it is.
 * @param {string} text
 * @param {{image: (path: string, alt: string) => Node, shift?: number}} options `image` makes a figure of a path in the package; `shift` is
 *   added to the level of headings
 * @returns {DocumentFragment}
 */
export function renderMarkdown(text, { image, shift = 0 }) {
  const out = document.createDocumentFragment();
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  for (let at = 0; at < lines.length; ) {
    const end = markdownBlockEnd(lines, at);
    const block = lines.slice(at, end);
    if (block.length) out.append(...markdownBlock(block, image, shift));
    at = Math.max(end, at + 1);
  }
  return out;
}

/**
 * What the images of a text show, by their path.
 * @param {string} text
 * @returns {Map<string, string>}
 */
export function markdownImages(text) {
  return new Map([...text.matchAll(/!\[([^\]]*)\]\(([^)\s]+)\)/g)].map((found) => [found[2], found[1]]));
}

const MARKDOWN_STARTS = /^(#{1,6} |[-*] |\||```|!\[)/;

function markdownBlockEnd(lines, start) {
  const kind = markdownKind(lines[start]);
  let end = start + 1;
  if (kind === "empty") return start;
  if (kind === "fence") {
    while (end < lines.length && !lines[end].startsWith("```")) end += 1;
    return Math.min(end + 1, lines.length);
  }
  if (kind === "heading" || kind === "image") return end;
  while (end < lines.length && lines[end].trim() && (kind === "text" ? !MARKDOWN_STARTS.test(lines[end]) : markdownGoesOn(kind, lines[end]))) end += 1;
  return end;
}

function markdownGoesOn(kind, line) {
  return markdownKind(line) === kind || (kind === "list" && /^\s+\S/.test(line));
}

function markdownKind(line) {
  if (!line.trim()) return "empty";
  if (line.startsWith("```")) return "fence";
  if (/^#{1,6} /.test(line)) return "heading";
  if (/^[-*] /.test(line)) return "list";
  if (line.startsWith("|")) return "table";
  return /^!\[[^\]]*\]\([^)\s]+\)\s*$/.test(line) ? "image" : "text";
}

function markdownBlock(block, image, shift) {
  const first = block[0];
  switch (markdownKind(first)) {
    case "heading": {
      const level = first.indexOf(" ");
      return [make(`h${Math.min(6, level + shift)}`, {}, ...markdownInline(first.slice(level + 1), image))];
    }
    case "fence":
      return [make("pre", { tabIndex: 0 }, block.slice(1, block.at(-1).startsWith("```") ? -1 : undefined).join("\n"))];
    case "list":
      return [markdownList(block, image)];
    case "table":
      return [markdownTable(block, image)];
    case "image":
      return markdownInline(first.trim(), image);
    default:
      return [make("p", {}, ...markdownInline(block.join(" "), image))];
  }
}

function markdownList(block, image) {
  const items = [];
  for (const line of block) {
    if (/^[-*] /.test(line)) items.push(line.slice(2));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return make("ul", {}, ...items.map((item) => make("li", {}, ...markdownInline(item, image))));
}

function markdownTable(block, image) {
  const rows = block.map((line) => line.replace(/^\||\|\s*$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|")));
  const ruled = rows.length > 1 && rows[1].every((cell) => /^:?-+:?$/.test(cell));
  const body = ruled ? rows.slice(2) : rows;
  const numeric = (_, column) => (body.length && body.every((row) => /^[-+]?[\d.,]+\s*(%|\(.*\))?$/.test(row[column] ?? "")) ? "number" : "");
  const laid = (row) => row.map((cell) => markdownInline(cell, image));
  return scrollTable("Table", ruled ? laid(rows[0]) : [], body.map(laid), { classes: rows[0].map(numeric), plain: true });
}

// One alternative for each thing that a line may hold. Strong text may hold the others.
const MARKDOWN_INLINE = /`([^`]+)`|\*\*(.+?)\*\*|(!?)\[([^\]]*)\]\(([^)\s]+)\)/g;

function markdownInline(text, image) {
  const out = [];
  let done = 0;
  for (const found of text.matchAll(MARKDOWN_INLINE)) {
    if (found.index > done) out.push(text.slice(done, found.index));
    done = found.index + found[0].length;
    const [, code, strong, shown, label, target] = found;
    if (code !== undefined) out.push(make("code", {}, code));
    else if (strong !== undefined) out.push(make("strong", {}, ...markdownInline(strong, image)));
    else if (shown) out.push(image(target, label));
    else out.push(markdownLink(label, target));
  }
  if (done < text.length) out.push(text.slice(done));
  return out;
}

function markdownLink(label, target) {
  if (!/^https:\/\/[^\s]+$/.test(target)) return label === target ? label : `${label} (${target})`;
  return make("a", { href: target, rel: "noopener noreferrer", target: "_blank" }, label);
}
