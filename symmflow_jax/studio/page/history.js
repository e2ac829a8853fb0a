// Earlier results, the newest first; each can be shown again or removed.

import { pictureOf } from "./results.js";
import { remove } from "./requests.js";

export class History {
  constructor({ list, empty }, describe, onShow) {
    this.list = list;
    this.empty = empty;
    this.describe = describe;
    this.onShow = onShow;
    this.entries = [];
  }

  set(entries) {
    this.entries = entries;
    this.#draw();
  }

  add(entry) {
    this.entries = this.entries.filter((other) => !(other.live && entry.live) && other.id !== entry.id);
    this.entries.push(entry);
    this.#draw();
  }

  #draw() {
    if (this.empty) this.empty.hidden = this.entries.length > 0;
    this.list.replaceChildren(...this.entries.toReversed().map((entry) => this.#item(entry)));
  }

  #item(entry) {
    const item = document.createElement("li");
    const show = document.createElement("button");
    show.type = "button";
    show.className = "show";
    const image = document.createElement("img");
    image.src = pictureOf(entry);
    image.alt = "";
    if (Math.max(entry.about.width, entry.about.height) < 300) image.className = "coarse";
    const time = new Date(1000 * entry.time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const text = document.createElement("span");
    text.textContent = `${time} ${this.describe(entry)}`;
    show.append(image, text);
    show.addEventListener("click", () => this.onShow(entry));
    const away = document.createElement("button");
    away.type = "button";
    away.className = "remove";
    away.textContent = "×";
    away.setAttribute("aria-label", `Remove ${text.textContent} from the history`);
    away.addEventListener("click", async () => {
      await remove(`/api/results/${entry.id}`).catch(() => {});
      this.set(this.entries.filter((other) => other.id !== entry.id));
    });
    item.append(show, away);
    return item;
  }
}
