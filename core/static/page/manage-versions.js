// Versions of the model: which there are, which counts, and how another takes its place, with a reason and a second look.
import { byId, dateTime, make } from "./dom.js";
import { fetchJson, problemBlock } from "./credentials.js";
import { announce } from "./shell.js";
import { scrollTable } from "./tables.js";
import { manageLockedBy } from "./manage.js";

let manageChosen = "";

byId("manage-dialog-cancel").addEventListener("click", () => byId("manage-dialog").close());
byId("manage-dialog-form").addEventListener("submit", (event) => {
  event.preventDefault();
  void manageActivate();
});

/** Show the versions and the promotions. */
export async function manageVersionsShow() {
  const place = byId("manage-versions");
  try {
    place.replaceChildren(...manageVersions(await fetchJson("models")));
  } catch (error) {
    place.replaceChildren(problemBlock(error));
  }
}

/** @param {any} found what /models says */
function manageVersions(found) {
  const counts = found.active?.version ?? found.serving?.version;
  const before = found.active?.previous;
  const back = before && before !== counts && found.versions.includes(before)
    ? make("p", {}, make("button", { type: "button", onclick: () => manageChoose(before, counts, true) }, `Go back to ${before}`)) : null;
  const behind = found.active && found.serving && found.active.version !== found.serving.version
    ? make("p", { className: "note" }, `${found.active.version} is promoted; this instance still serves ${found.serving.version} and looks for it on its own.`) : null;
  return [
    make("p", {}, found.active ? `${counts} is active, since promotion ${found.active.number} on ${dateTime(found.active.at)}.` : "Nothing was promoted yet: the model that the service was started with serves."),
    behind, back, manageVersionTable(found, counts), manageHistory(found.promotions),
  ].filter((one) => one !== null);
}

function manageVersionTable(found, counts) {
  const rows = found.versions.map((version) => {
    const last = found.promotions.find((promotion) => promotion.version === version);
    const state = [version === counts ? "active" : "", version === found.serving?.version ? "serves here" : ""].filter(Boolean).join(", ");
    const button = version === counts ? null
      : make("button", { type: "button", "aria-label": `Promote ${version}`, onclick: () => manageChoose(version, counts, false) }, "Promote…");
    return [version, state || "\u2013", last ? `${dateTime(last.at)}, ${manageBy(last)}` : "never", button];
  });
  const heads = ["Version", "State", "Last promoted", make("span", { className: "unseen" }, "Action")];
  return scrollTable("Versions", heads, rows, { classes: ["", "", "manage-last", "manage-do"] });
}

function manageHistory(promotions) {
  if (!promotions.length) return null;
  const items = promotions.map((one) => make("li", {}, `${dateTime(one.at)}: ${one.version}${one.previous ? ` in place of ${one.previous}` : ""}, ${manageBy(one)}${one.reason ? ` (“${one.reason}”)` : ""}`));
  return make("details", {}, make("summary", {}, `The last ${items.length === 1 ? "promotion" : `${items.length} promotions`}`), make("ul", {}, ...items));
}

function manageBy(promotion) {
  return promotion.source === "by hand" ? "by hand" : `by ${promotion.source.replace(/^job 0*/, "job ")}`;
}

function manageChoose(version, counts, back) {
  manageChosen = version;
  byId("manage-dialog-title").textContent = back ? `Go back to ${version}?` : `Promote ${version}?`;
  byId("manage-dialog-text").textContent = `It takes the place of ${counts ?? "what serves"} in every instance, for everybody. First it is loaded and must pass its self-test; if it does not, nothing changes.`;
  byId("manage-dialog-do").textContent = back ? `Go back to ${version}` : `Promote ${version}`;
  byId("manage-dialog-problem").replaceChildren();
  byId("manage-reason").value = "";
  byId("manage-dialog").showModal();
  byId("manage-reason").focus();
}

async function manageActivate() {
  const version = manageChosen;
  const button = byId("manage-dialog-do");
  button.disabled = true;
  byId("manage-dialog-problem").replaceChildren(make("p", { className: "soft" }, "Loading it and trying its self-test…"));
  try {
    const query = new URLSearchParams({ reason: byId("manage-reason").value.trim() });
    await fetchJson(`models/${encodeURIComponent(version)}/activate?${query}`, { method: "POST", admin: true });
    byId("manage-dialog").close();
    announce(`${version} is active.`);
    await manageVersionsShow();
    byId("manage-title").focus();
  } catch (error) {
    if (!manageLockedBy(error)) byId("manage-dialog-problem").replaceChildren(problemBlock(error));
  } finally {
    button.disabled = false;
  }
}
