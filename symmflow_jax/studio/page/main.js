// The page: asks for the model, takes photos, tells errors, and hands the rest to the page of masks
// or of labels.

import { JobLine } from "./jobs.js";
import { LabelPage } from "./labels.js";
import { MaskPage } from "./masks.js";
import { getJson } from "./requests.js";
import { Shortcuts } from "./shortcuts.js";

const $ = (id) => document.getElementById(id);
const SHOWN_AGAIN = ["edit", "generate"];

function tell(text, { isError = true } = {}) {
  $("message-text").textContent = text;
  $("message").hidden = false;
  $("message").setAttribute("role", isError ? "alert" : "status");
}

/** Runs something and tells its error. */
async function guarded(run) {
  try {
    $("message").hidden = true;
    return await run();
  } catch (error) {
    if (!("status" in error)) console.error(error);
    tell(error.message);
    return null;
  }
}

function takePhotos(page) {
  const open = (file) => file && guarded(() => page.openPhoto(file, file.name || "pasted photo"));
  $("open").addEventListener("change", (event) => {
    open(event.target.files[0]);
    event.target.value = "";
  });
  $("welcome-open").addEventListener("click", () => $("open").click());
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dragging");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    const file = event.dataTransfer.files[0];
    if (file) open(file);
    else tell("That is no file; drop a photo from a folder.");
  });
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])][0];
    if (file) open(file);
  });
}

function help(page, jobs) {
  const common = [
    { keys: ["o"], shown: ["O"], text: "Open a photo", action: () => $("open").click() },
    { keys: ["Escape"], shown: ["Esc"], text: "Cancel the job", action: () => jobs.cancelAll() },
    { keys: ["?"], shown: ["?"], text: "These shortcuts", action: () => $("help").showModal() },
  ];
  const elements = { list: $("shortcuts"), dialog: $("help"), switchOff: $("single-keys") };
  new Shortcuts([...page.shortcuts, ...common], elements);
  $("show-help").addEventListener("click", () => $("help").showModal());
}

async function start() {
  const model = await getJson("/api/model");
  const { width, height, classes, step, reads_masks } = model;
  const what = reads_masks ? "masks" : "labels";
  $("model-line").textContent = `${model.name}: ${what} of ${classes.length} classes, ${width}×${height}, step ${step}`;
  document.title = `Studio: ${model.name}`;
  const jobs = new JobLine({
    line: $("job"), text: $("job-text"), bar: $("job-bar"), cancel: $("job-cancel"),
  });
  const page = new (reads_masks ? MaskPage : LabelPage)(model, { jobs, tell, guarded });
  takePhotos(page);
  help(page, jobs);
  $("message-close").addEventListener("click", () => ($("message").hidden = true));
  if (reads_masks) {
    $("welcome").hidden = false;
    $("welcome-blank").addEventListener("click", () => page.openBlank());
  }
  const { results } = await getJson("/api/results");
  page.history.set(results.filter((entry) => SHOWN_AGAIN.includes(entry.kind)));
  const last = results.findLast((entry) => [...SHOWN_AGAIN, "read"].includes(entry.kind));
  if (last) await page.restore(last);
  document.body.dataset.ready = "true";
}

guarded(start);
