// The page for models that read labels: a pad or a photo, what is read in it, and images of a label.

import { History } from "./history.js";
import { Pad } from "./pad.js";
import { base64, encodeGrey } from "./png.js";
import { sendPhoto } from "./requests.js";
import { pictureOf } from "./results.js";
import { SettingsForm } from "./settings.js";

const $ = (id) => document.getElementById(id);
const MOST_SHOWN = 10;

export class LabelPage {
  constructor(model, shared) {
    this.model = model;
    Object.assign(this, shared);
    this.photo = null;
    this.pad = new Pad($("pad"), () => this.guarded(() => this.read()));
    this.hasPad = model.channels === 1;
    $("label").append(...model.classes.map((one, number) => new Option(one.name, number)));
    const options = { canGuide: model.can_guide, canEdit: false };
    this.settings = new SettingsForm($("label-settings"), model.settings, options, () => {});
    this.history = new History(
      { list: $("label-history"), empty: null },
      (entry) => `${model.classes[entry.about.label].name}, seed ${entry.about.settings.seed}`,
      (entry) => this.#show(entry),
    );
    $("pad-undo").addEventListener("click", () => this.pad.undo());
    $("pad-clear").addEventListener("click", () => this.clear());
    $("pad-centre").addEventListener("change", () => this.guarded(() => this.read()));
    $("generate").addEventListener("click", () => this.guarded(() => this.make()));
    $("labels").hidden = false;
    this.#showPad(this.hasPad);
  }

  get shortcuts() {
    return [
      { keys: ["z"], shown: ["Z"], text: "Undo a stroke on the pad", action: () => this.pad.undo() },
      { keys: ["x"], shown: ["X"], text: "Clear the pad", action: () => this.clear() },
      {
        keys: ["Enter"], shown: ["Ctrl", "Enter"], text: "Generate", isControl: true,
        action: () => this.guarded(() => this.make()),
      },
      { shown: ["Arrows", "Space"], text: "On the pad: move (with Shift, draw a line) and draw" },
    ];
  }

  #showPad(shown) {
    $("pad").hidden = !shown;
    $("pad-tools").hidden = !this.hasPad;
    $("label-photo").hidden = !this.photo;
    $("pad-caption").textContent = this.hasPad ? "Draw, or open a photo" : "Open a photo";
  }

  clear() {
    this.photo = null;
    this.pad.clear();
    this.#showPad(this.hasPad);
  }

  async openPhoto(blob, name) {
    const told = await sendPhoto(blob, name);
    if (this.photo) URL.revokeObjectURL(this.photo.url);
    this.photo = { id: told.id, url: URL.createObjectURL(blob) };
    $("label-photo").src = this.photo.url;
    this.#showPad(false);
    await this.read();
  }

  async read() {
    const values = { kind: "classify", live: true };
    if (this.photo) values.photo = this.photo.id;
    else if (this.pad.isEmpty) {
      $("shares").replaceChildren();
      return;
    } else {
      const { values: drawn, side } = this.pad.picture($("pad-centre").checked);
      values.drawing = base64(await encodeGrey(drawn, side, side));
    }
    const entry = await this.jobs.run(values);
    if (entry) this.#showShares(entry.about);
  }

  #showShares({ shares, are_votes }) {
    const order = shares.map((_, number) => number).sort((a, b) => shares[b] - shares[a]);
    $("shares-note").textContent = are_votes ? "Shares of eight votes" : "Probabilities";
    const items = order.slice(0, MOST_SHOWN).map((number, i) => {
      const item = document.createElement("li");
      if (i === 0) item.className = "first";
      const name = document.createElement("span");
      name.textContent = this.model.classes[number].name;
      const meter = document.createElement("meter");
      [meter.min, meter.max, meter.value] = [0, 1, shares[number]];
      meter.setAttribute("aria-label", name.textContent);
      const value = document.createElement("span");
      value.className = "value";
      value.textContent = `${(100 * shares[number]).toFixed(1)} %`;
      item.append(name, meter, value);
      return item;
    });
    $("shares").replaceChildren(...items);
  }

  async make() {
    const values = { kind: "generate", label: Number($("label").value), settings: this.settings.values };
    const entry = await this.jobs.run(values);
    if (!entry) return;
    this.history.add(entry);
    this.#show(entry);
  }

  restore(entry) {
    if (entry.kind === "generate") this.#show(entry);
  }

  #show(entry) {
    const count = entry.files.filter((name) => name.startsWith("picture_")).length;
    const name = this.model.classes[entry.about.label].name;
    const links = Array.from({ length: count }, (_, i) => {
      const link = document.createElement("a");
      link.href = pictureOf(entry, i + 1);
      link.download = `${name}_${i + 1}.png`;
      const image = document.createElement("img");
      image.src = link.href;
      image.alt = `${name}, variant ${i + 1}: download`;
      image.className = "coarse";
      link.append(image);
      return link;
    });
    $("label-results").replaceChildren(...links);
    $("label-downloads").hidden = false;
    $("label-recipe").href = `/api/results/${entry.id}/recipe.json`;
    $("label-all").href = `/api/results/${entry.id}/all.zip`;
  }
}
