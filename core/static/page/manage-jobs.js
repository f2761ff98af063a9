// Retrainings: ask for one, watch it while somebody looks, tell what came of it and of those before.
import { byId, dateTime, factList, make, percent } from "./dom.js";
import { fetchJson, problemBlock } from "./credentials.js";
import { announce } from "./shell.js";
import { scrollTable } from "./tables.js";
import { manageLockedBy } from "./manage.js";
import { manageVersionsShow } from "./manage-versions.js";

const MANAGE_FIRST_MS = 1000;
const MANAGE_LONGEST_MS = 20000;
const MANAGE_STATES = {
  queued: "waits for a worker",
  running: "is running",
  interrupted: "was interrupted: nothing was heard of it for a while. A new retraining takes its place",
  done: "is done",
  failed: "failed",
  abandoned: "was given up for another",
};
/** The job that is watched: its number, what was last seen, and how long until the next look. */
let manageWatched = { id: "", seen: "", said: "", wait: MANAGE_FIRST_MS, timer: 0, ended: true };

byId("manage-start").addEventListener("click", () => void manageJobsStart());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) manageJobsPause();
  else if (!byId("panel-manage").hidden && !byId("manage-open").hidden) manageJobsResume();
});

/** Show the jobs, and watch the latest if it has not ended. */
export async function manageJobsShow() {
  try {
    const { jobs } = await fetchJson("retrain");
    manageJobsList(jobs);
    const open = jobs.find((job) => job.state === "queued" || job.state === "running");
    if (open) manageJobsWatch(open);
    else if (!manageWatched.id && jobs.length) manageJobDraw(jobs[0]);
  } catch (error) {
    byId("manage-jobs").replaceChildren(problemBlock(error));
  }
}

/** Stop asking; the tab is left, locked, or nobody looks. */
export function manageJobsPause() {
  clearTimeout(manageWatched.timer);
  manageWatched.timer = 0;
}

function manageJobsResume() {
  if (manageWatched.ended || manageWatched.timer) return;
  manageWatched.wait = MANAGE_FIRST_MS;
  void manageJobsLook();
}

async function manageJobsStart() {
  const button = byId("manage-start");
  button.disabled = true;
  byId("manage-retrain-problem").replaceChildren();
  try {
    const job = await fetchJson("retrain", { method: "POST", admin: true });
    manageJobsWatch(job);
    void manageJobsShow();
  } catch (error) {
    if (!manageLockedBy(error)) await manageJobsRefused(error);
  } finally {
    button.disabled = false;
  }
}

async function manageJobsRefused(error) {
  const place = byId("manage-retrain-problem");
  if (error.code === "job_running") {
    place.replaceChildren(make("div", { className: "note" }, make("p", {}, "One retraining at a time: one waits or runs already. Here is how it stands.")));
  } else {
    place.replaceChildren(problemBlock(error));
  }
  await manageJobsShow();
}

function manageJobsWatch(job) {
  if (manageWatched.id !== job.id || manageWatched.ended) {
    manageJobsPause();
    manageWatched = { id: job.id, seen: "", said: "", wait: MANAGE_FIRST_MS, timer: 0, ended: false };
    byId("manage-job").replaceChildren();
  }
  manageJobSeen(job);
}

async function manageJobsLook() {
  const { id } = manageWatched;
  manageWatched.timer = 0;
  try {
    const job = await fetchJson(`retrain/${id}`);
    if (manageWatched.id === id) manageJobSeen(job);
  } catch (error) {
    if (manageWatched.id !== id) return;
    manageWatched.wait = Math.min(MANAGE_LONGEST_MS, manageWatched.wait * 2);
    manageJobsWait();
    byId("manage-job-live")?.replaceChildren(problemBlock(error), make("p", { className: "soft" }, "It is asked again."));
  }
}

function manageJobsWait() {
  const looked = !document.hidden && !byId("panel-manage").hidden && !byId("manage-open").hidden;
  clearTimeout(manageWatched.timer);
  manageWatched.timer = looked ? setTimeout(() => void manageJobsLook(), manageWatched.wait) : 0;
}

/** Take in what is known of the watched job; look again soon where it moves, later where it does not. */
function manageJobSeen(job) {
  const seen = `${job.state} ${job.progress} ${job.heard}`;
  const moved = seen !== manageWatched.seen;
  manageWatched.wait = moved ? MANAGE_FIRST_MS : Math.min(MANAGE_LONGEST_MS, manageWatched.wait * 1.5);
  manageWatched.seen = seen;
  manageWatched.ended = !["queued", "running"].includes(job.state);
  if (moved) manageJobDraw(job);
  if (!manageWatched.ended) manageJobsWait();
  else if (moved) {
    void manageVersionsShow();
    void manageJobsShow();
  }
}

function manageJobDraw(job) {
  const place = byId("manage-job");
  if (place.dataset.job !== job.id) {
    place.dataset.job = job.id;
    place.replaceChildren(
      make("h3", {}, `Job ${Number(job.id)}`),
      make("progress", { id: "manage-job-bar", max: 1, value: 0, "aria-label": `Progress of job ${Number(job.id)}` }),
      make("div", { id: "manage-job-live" }),
      make("ol", { className: "manage-seen", id: "manage-job-seen", "aria-label": "What this page has seen of it" }),
    );
  }
  byId("manage-job-bar").value = job.progress;
  byId("manage-job-live").replaceChildren(manageJobFacts(job), ...manageOutcome(job.outcome));
  const said = `${manageJobWords(job)}, ${percent(job.progress, 0)}`;
  if (said !== manageWatched.said) {
    manageWatched.said = said;
    const time = new Date().toLocaleTimeString();
    byId("manage-job-seen").append(make("li", {}, `${time}: ${said}`));
    if (manageWatched.id === job.id) announce(`Job ${Number(job.id)} ${said}`);
  }
}

function manageJobWords(job) {
  const results = { promoted: "is done: the new model is promoted", kept: "is done: the model before is kept" };
  return results[job.outcome?.result] ?? MANAGE_STATES[job.state] ?? job.state;
}

function manageJobFacts(job) {
  return factList([
    ["State", `It ${manageJobWords(job)}.`],
    ["Progress", percent(job.progress, 0)],
    ["Asked for", dateTime(job.requested)],
    ["Taken by a worker", job.started ? dateTime(job.started) : null],
    ["Last heard of", job.heard && !job.ended ? dateTime(job.heard) : null],
    ["Ended", job.ended ? dateTime(job.ended) : null],
    ["New version", job.outcome?.version ?? null],
    ["Run in MLflow", job.outcome?.run_uri ?? job.outcome?.run_id ?? null],
  ]);
}

/** What came of a job: the reasons, and both models beside each other. */
function manageOutcome(outcome) {
  if (!outcome) return [];
  const reasons = outcome.reasons.length ? make("div", { className: outcome.result === "failed" ? "problem" : "note" }, ...outcome.reasons.map((reason) => make("p", {}, reason))) : null;
  const { champion, challenger } = outcome.figures;
  return [reasons, champion && challenger ? manageComparison(outcome, champion, challenger) : null].filter((one) => one !== null);
}

function manageComparison(outcome, champion, challenger) {
  const names = [...new Set([...Object.keys(champion), ...Object.keys(challenger)])];
  const shown = (value) => (typeof value === "number" ? value.toFixed(4) : "not measured");
  const rows = names.map((name) => [name === "auroc" ? "AUROC" : name, shown(champion[name]), shown(challenger[name])]);
  const heads = ["", `before: ${outcome.champion ?? ""}`, `new: ${outcome.version ?? ""}`];
  return scrollTable("Both models", heads, rows, { classes: ["", "number", "number"], caption: "On the same held-out pictures" });
}

function manageJobsList(jobs) {
  if (!jobs.length) {
    byId("manage-jobs").replaceChildren(make("p", { className: "soft" }, "Nobody has asked for a retraining yet."));
    return;
  }
  const rows = jobs.map((job) => [
    String(Number(job.id)), dateTime(job.requested),
    [`It ${manageJobWords(job)}.`, job.outcome?.reasons.length ? make("span", { className: "soft" }, ` ${job.outcome.reasons.join(" ")}`) : null],
    job.outcome?.version ?? "",
  ]);
  byId("manage-jobs").replaceChildren(make("details", {}, make("summary", {}, `The last ${jobs.length === 1 ? "job" : `${jobs.length} jobs`}`),
    scrollTable("Jobs", ["Job", "Asked for", "State", "Version"], rows)));
}
