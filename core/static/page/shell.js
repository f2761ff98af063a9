// The shell: tabs by the ARIA pattern, and what a screen reader is told.
import { byId } from "./dom.js";
import { takeKeyFromAddress } from "./credentials.js";

/** @typedef {"read" | "about" | "manage"} TabName */
/** @type {TabName[]} */
const TABS = ["read", "about", "manage"];
/** @type {Map<TabName, {shown: () => void, hidden: () => void}>} */
const watchers = new Map();
/** @type {TabName} */
let current = "read";

/**
 * Say what to do whenever a tab is shown or left.
 * @param {TabName} name
 * @param {() => void} shown
 * @param {() => void} [hidden]
 */
export function onTab(name, shown, hidden = () => {}) {
  watchers.set(name, { shown, hidden });
}

/** Tell a screen reader, politely. @param {string} text */
export function announce(text) {
  byId("live").textContent = text;
}

/** Show a tab. @param {TabName} name @param {boolean} [focus] whether its tab takes the focus */
export function showTab(name, focus = false) {
  const previous = current;
  current = name;
  for (const tab of TABS) {
    const button = byId(`tab-${tab}`);
    button.setAttribute("aria-selected", String(tab === name));
    button.tabIndex = tab === name ? 0 : -1;
    byId(`panel-${tab}`).hidden = tab !== name;
  }
  if (focus) byId(`tab-${name}`).focus();
  history.replaceState(null, "", name === "read" ? location.pathname : `#${name}`);
  if (previous !== name) watchers.get(previous)?.hidden();
  watchers.get(name)?.shown();
}

function moveByKeys(event) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -TABS.indexOf(current), End: TABS.length - 1 - TABS.indexOf(current) };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  showTab(TABS[(TABS.indexOf(current) + step + TABS.length) % TABS.length], true);
}

/** Start the page; the last line of its script. */
export function start() {
  takeKeyFromAddress();
  for (const tab of TABS) byId(`tab-${tab}`).addEventListener("click", () => showTab(tab));
  document.querySelector("[role=tablist]")?.addEventListener("keydown", moveByKeys);
  addEventListener("hashchange", showFromAddress);
  showFromAddress();
  delete document.documentElement.dataset.asked;
}

function showFromAddress() {
  const asked = /** @type {TabName} */ (location.hash.slice(1));
  if (TABS.includes(asked)) showTab(asked);
  else if (location.hash !== "#main") showTab("read");
}
