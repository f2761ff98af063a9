// Small words for the document: elements, numbers, dates. Text goes in as text, never as markup.

/**
 * Make an element.
 * @param {string} tag
 * @param {Record<string, unknown>} [properties] properties of the element (`className`, `textContent`, `onclick`); `data-…`, `aria-…`
 *   and `role` are set as attributes
 * @param {...(Node | string | null | undefined)} children
 * @returns {HTMLElement}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (/^(aria-|data-)|^(role|for|scope|list)$/.test(name)) element.setAttribute(name, String(value));
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * Make an SVG element.
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * Find an element of the page by its id; throws where there is none, which is a fault of ours.
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`No element #${id}`);
  return found;
}

/**
 * A share in [0, 1] in hundredths, "97.3"; half of the decimal that is read is rounded up: 0.9605 is 96.1, 0.5005 is 50.1, though neither has an
 * exact double. As core/shares.py does.
 * @param {number} value
 * @param {number} digits
 */
export function hundredths(value, digits) {
  const counted = Number((value * 10 ** (digits + 2)).toPrecision(12));
  return (Math.round(counted) / 10 ** digits).toFixed(digits);
}

/**
 * A share in [0, 1] as "97.3 %", with a space that does not break. What is not all is never rounded to all, nor to nothing: ">99.9 %".
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
export function percent(value, digits = 1) {
  if (typeof value !== "number") return "not measured";
  const least = 10 ** -digits;
  const shown = hundredths(value, digits);
  if (value > 0 && Number(shown) === 0) return `<${least.toFixed(digits)}\u00a0%`;
  return value < 1 && Number(shown) === 100 ? `>${(100 - least).toFixed(digits)}\u00a0%` : `${shown}\u00a0%`;
}

/**
 * An ISO time in the reader's own time zone and words.
 * @param {string | null | undefined} iso
 */
export function dateTime(iso) {
  const time = iso ? new Date(iso) : null;
  if (!time || Number.isNaN(time.getTime())) return iso || "";
  return time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/**
 * The rows of a description list.
 * @param {Iterable<[string, Node | string | null | undefined]>} facts pairs of name and value; null and undefined are left out
 * @returns {HTMLElement}
 */
export function factList(facts) {
  const list = make("dl", { className: "facts" });
  for (const [name, value] of facts) if (value !== null && value !== undefined) list.append(make("dt", {}, name), make("dd", {}, value));
  return list;
}
