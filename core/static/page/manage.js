// The tab for who looks after the model: the token, and what is off here and why. Uploads, jobs and versions have files of their own.
import { byId, make } from "./dom.js";
import { fetchJson, problemBlock, setAdminToken } from "./credentials.js";
import { announce, onTab } from "./shell.js";
import { manageUploadOffer, manageUploadStop } from "./manage-upload.js";
import { manageJobsPause, manageJobsShow } from "./manage-jobs.js";
import { manageVersionsShow } from "./manage-versions.js";

let manageUnlocked = false;
/** Whether it is known that no token is set; asked once. */
let manageAsked = false;

onTab("manage", () => void manageShow(), manageJobsPause);
addEventListener("pagehide", () => manageLock("")); // a page that the browser keeps for "back" must not keep the token
addEventListener("key-given", () => {
  manageAsked = false;
  if (!byId("panel-manage").hidden) void manageShow();
});
byId("manage-unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  void manageUnlock();
});
byId("manage-forget").addEventListener("click", () => {
  manageLock("");
  announce("The token is forgotten.");
  byId("manage-token").focus();
});

async function manageShow() {
  if (manageUnlocked) {
    manageRefresh();
    return;
  }
  if (manageAsked) return;
  manageAsked = true;
  try {
    await fetchJson("manage");
  } catch (error) {
    if (error.code === "admin_unauthorized") return; // as it should be without a token
    manageAsked = error.code === "admin_routes_off";
    byId("manage-unlock").hidden = error.code === "admin_routes_off";
    byId("manage-off").replaceChildren(error.code === "admin_routes_off" ? manageOff() : problemBlock(error));
  }
}

function manageOff() {
  return make("div", { className: "note" },
    make("p", {}, "Managing is off here: no admin token is set, so nobody can change anything."),
    make("p", {}, "Whoever runs this service turns it on with the setting ", make("code", {}, "PNEUMONIA_ADMIN_TOKEN"), ", a long random secret. Reading pictures works without."));
}

async function manageUnlock() {
  const field = byId("manage-token");
  byId("manage-wrong").replaceChildren();
  byId("manage-off").replaceChildren();
  const token = field.value.trim();
  if (!/^[\x21-\x7e]+$/.test(token)) {
    byId("manage-wrong").replaceChildren(make("p", { className: "bad" }, token ? "A token has only ASCII letters, digits and signs." : "Enter the token first."));
    field.focus();
    return;
  }
  setAdminToken(token);
  try {
    const found = await fetchJson("manage", { admin: true });
    field.value = "";
    manageUnlocked = true;
    manageOpen(found);
  } catch (error) {
    setAdminToken("");
    const wrong = error.code === "admin_unauthorized";
    byId("manage-wrong").replaceChildren(wrong ? make("p", { className: "bad" }, "That token was not accepted.") : problemBlock(error));
    field.select();
    field.focus();
  }
}

/** @param {any} found what /manage says */
function manageOpen(found) {
  byId("manage-locked").hidden = true;
  byId("manage-open").hidden = false;
  const notes = [];
  if (!found.store) {
    notes.push(["There is no store: PNEUMONIA_STORE is not set, so there is nowhere to keep pictures, jobs and models.",
      "Uploads, retraining and promotion are off until whoever runs this service sets one."]);
  } else if (!found.labels.length) {
    notes.push(["No model serves, so its labels are not known: uploads are off until one does. The tab “Model” says why."]);
  }
  byId("manage-notes").replaceChildren(...notes.map((lines) => make("div", { className: "note" }, ...lines.map((line) => make("p", {}, line)))));
  for (const id of ["manage-retrain", "manage-models"]) byId(id).hidden = !found.store;
  byId("manage-upload").hidden = !found.store || !found.labels.length;
  byId("manage-launcher").textContent = manageLauncherWords(found);
  manageUploadOffer([...found.labels, ...found.extra_labels], found.max_body_bytes);
  manageRefresh(found.store);
  byId("manage-title").focus();
  announce("Unlocked.");
}

function manageLauncherWords(found) {
  const words = {
    none: "Nobody starts jobs by themselves here (PNEUMONIA_LAUNCHER is none): a job waits until somebody runs pneumonia retrain --job with its number.",
    process: "A process on the machine of this service runs the job.",
    "cloud-run": "A Cloud Run job runs it.",
    "container-apps": "A Container Apps job runs it.",
  };
  // A job in a cloud has settings of its own: ours do not tell what it learns from.
  if (found.launcher === "cloud-run" || found.launcher === "container-apps") return words[found.launcher];
  const base = found.base_dataset ? "It learns from the base data set again, too." : "No base data set is set (PNEUMONIA_BASE_DATASET): it learns from the uploads alone.";
  return `${words[found.launcher]} ${base}`;
}

function manageRefresh(store = !byId("manage-models").hidden) {
  if (!store) return;
  void manageJobsShow();
  void manageVersionsShow();
}

/**
 * Forget the token and what it showed.
 * @param {string} why said where the token is asked for; empty for no reason
 */
export function manageLock(why) {
  setAdminToken("");
  manageUnlocked = false;
  manageUploadStop();
  manageJobsPause();
  byId("manage-dialog").close();
  byId("manage-token").value = "";
  byId("manage-wrong").replaceChildren(...(why ? [make("p", { className: "bad" }, why)] : []));
  byId("manage-open").hidden = true;
  byId("manage-locked").hidden = false;
}

/** Whether an error says that the token is not good any more; then the tab is locked. @param {any} error */
export function manageLockedBy(error) {
  if (error.code !== "admin_unauthorized" && error.code !== "admin_routes_off") return false;
  manageLock("The token is not accepted any more.");
  return true;
}
