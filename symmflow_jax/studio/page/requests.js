// Requests to the server, and jobs that are followed until they end.

export class RequestError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Raised where a job was cancelled: nobody needs to be told. */
export class Cancelled extends Error {}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new RequestError("The server does not answer. Is its command still running?", 0);
  }
  if (response.ok) return response;
  let text = "";
  try {
    text = (await response.json()).error;
  } catch {
    text = `The server answered ${response.status}.`;
  }
  throw new RequestError(text, response.status);
}

export async function getJson(path) {
  return (await request(path)).json();
}

export async function getBytes(path) {
  return new Uint8Array(await (await request(path)).arrayBuffer());
}

export async function remove(path) {
  await request(path, { method: "DELETE" });
}

export const MOST_BYTES = 32 * 2 ** 20;

export async function sendPhoto(blob, name) {
  if (blob.size > MOST_BYTES) {
    throw new RequestError("The file is larger than 32 MiB; choose a smaller photo.", 413);
  }
  const path = `/api/photos?name=${encodeURIComponent(name)}`;
  return (await request(path, { method: "POST", body: blob })).json();
}

async function submit(values) {
  const options = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(values),
  };
  return (await request("/api/jobs", options)).json();
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const LONGEST_SILENCE = 60_000;

/** A job of the server: `start` follows it, `cancel` ends it. */
export class Job {
  constructor(values, onProgress) {
    this.values = values;
    this.onProgress = onProgress;
    this.id = null;
    this.isCancelled = false;
  }

  async cancel() {
    this.isCancelled = true;
    if (this.id) await remove(`/api/jobs/${this.id}`).catch(() => {});
  }

  /** The result. A job that the server has lost, because it was started anew, is sent again. */
  async run() {
    let told = await submit(this.values);
    let wait = 100;
    let silentSince = null;
    for (;;) {
      this.id = told.id;
      if (this.isCancelled && told.state === "waiting") await this.cancel();
      this.onProgress(told);
      if (told.state === "done") return told.result;
      if (told.state === "cancelled") throw new Cancelled(told.message);
      if (told.state === "failed") throw new RequestError(told.message, 500);
      await pause(wait);
      wait = Math.min(700, wait * 1.3);
      try {
        told = await getJson(`/api/jobs/${this.id}`);
        silentSince = null;
      } catch (error) {
        if (error.status === 404 && !this.isCancelled) told = await submit(this.values);
        else if (error.status !== 0) throw error;
        else {
          silentSince ??= Date.now();
          if (Date.now() - silentSince > LONGEST_SILENCE) throw error;
          this.onProgress({ ...told, text: "The server does not answer; trying again", state: "silent" });
        }
      }
    }
  }
}
