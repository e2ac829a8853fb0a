// The line of the job that runs: what it does, how far it is, and how to cancel it.

import { Cancelled, Job } from "./requests.js";

export class JobLine {
  /** @param elements {line, text, bar, cancel} */
  constructor(elements) {
    Object.assign(this, elements);
    this.jobs = [];
    this.cancel.addEventListener("click", () => this.cancelAll());
  }

  get isBusy() {
    return this.jobs.length > 0;
  }

  cancelAll() {
    for (const job of this.jobs) job.cancel();
  }

  /** Runs a job; null if it was cancelled. */
  async run(values) {
    const job = new Job(values, (told) => {
      if (this.jobs.at(-1) === job) this.#show(told, job);
    });
    if (values.live) this.#dropLive();
    this.jobs.push(job);
    this.line.hidden = false;
    try {
      return await job.run();
    } catch (error) {
      if (error instanceof Cancelled) return null;
      throw error;
    } finally {
      this.jobs = this.jobs.filter((other) => other !== job);
      this.line.hidden = !this.isBusy;
    }
  }

  /** The server gives a live job's place to the next one; so does the page. */
  #dropLive() {
    for (const job of this.jobs) if (job.values.live) job.isCancelled = true;
  }

  #show(told, job) {
    if (told.state === "waiting") {
      const people = told.before === 1 ? "one job comes" : `${told.before} jobs come`;
      this.text.textContent = told.before ? `Waiting: ${people} first` : "Waiting";
      this.bar.removeAttribute("value");
    } else if (job.isCancelled) {
      this.text.textContent = "Cancelling after this picture";
    } else {
      this.text.textContent = told.text || "Working";
      const count = told.share > 0 ? 1 / told.share : null;
      const variants = job.values.settings?.num_variants ?? 1;
      // Within a stage, by the time that it is expected to take.
      const within = told.seconds ? Math.min(0.95, told.elapsed / told.seconds) / variants : 0;
      if (told.seconds || count) this.bar.value = Math.min(1, told.share + within);
      else this.bar.removeAttribute("value");
    }
  }
}
