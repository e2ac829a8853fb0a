// The page for models that read masks: a photo, its mask, what is painted, and what becomes of it.

import { History } from "./history.js";
import { Layer, UNKNOWN, UndoStack } from "./layers.js";
import { Legend } from "./legend.js";
import { PaintArea } from "./painting.js";
import { base64, decodeGrey, encodeGrey } from "./png.js";
import { getBytes, sendPhoto } from "./requests.js";
import { pictureOf, ResultPanel } from "./results.js";
import { SettingsForm } from "./settings.js";

const $ = (id) => document.getElementById(id);
const GONE = 410;
const MILLISECONDS_TO_FOLLOW = 300;

const TOOLS = [
  ["brush", "Brush", "B"],
  ["fill", "Fill", "F"],
  ["eraser", "Eraser", "E"],
  ["pick", "Pick", "I"],
  ["region", "Region +", "R"],
  ["unregion", "Region −", "T"],
];

export class MaskPage {
  /** @param shared {jobs, tell, guarded} of the whole page. */
  constructor(model, shared) {
    this.model = model;
    Object.assign(this, shared);
    this.undoStack = new UndoStack();
    this.photo = null; // {id, name, blob, url}; null for an empty mask.
    this.serial = 0;
    this.#build();
  }

  #build() {
    const { classes, can_edit, can_guide, knows_unknown, why_not } = this.model;
    this.area = new PaintArea(
      { box: $("paint"), photo: $("photo"), overlay: $("overlay"), cursor: $("cursor") },
      {
        stroke: (patch) => this.#stroked(patch),
        hover: (x, y) => this.#hover(x, y),
        pick: (number) => this.legend.choose(number),
      },
    );
    this.area.classes = classes;
    this.legend = new Legend({ list: $("class-list"), filter: $("filter") }, classes, (number) => {
      this.area.number = number;
      if (["eraser", "pick", "region", "unregion"].includes(this.area.tool)) this.useTool("brush");
    });
    this.results = new ResultPanel({
      image: $("result"),
      box: $("result-box"),
      empty: $("no-result"),
      note: $("result-note"),
      variants: $("variants"),
      actions: $("result-actions"),
      compare: $("compare"),
      downloads: {
        picture: $("download-image"),
        "mask.png": $("download-mask"),
        "recipe.json": $("download-recipe"),
        "all.zip": $("download-all"),
      },
    });
    this.history = new History(
      { list: $("history"), empty: $("no-history") },
      (entry) => describe(entry),
      (entry) => this.guarded(() => this.restore(entry)),
    );
    const options = { canGuide: can_guide, canEdit: can_edit };
    this.settings = new SettingsForm($("settings"), this.model.settings, options, () => this.#follow());
    this.#buildTools(knows_unknown, can_edit);
    $("why-not").textContent = why_not ? `Photos are not edited, but made from their masks: ${why_not}` : "";
    $("region-row").hidden = !can_edit;
    this.legend.choose(0);
  }

  #buildTools(knowsUnknown, canEdit) {
    const available = TOOLS.filter(
      ([name]) => (name !== "eraser" || knowsUnknown) && (!name.endsWith("region") || canEdit),
    );
    this.toolButtons = new Map();
    for (const [name, text, key] of available) {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("role", "radio");
      button.setAttribute("aria-keyshortcuts", key);
      const kbd = document.createElement("kbd");
      kbd.textContent = key;
      button.append(text, " ", kbd);
      if (name === "eraser") button.title = "Leaves pixels without a class";
      button.addEventListener("click", () => this.useTool(name));
      button.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!step) return;
        const names = [...this.toolButtons.keys()];
        const next = names[(names.indexOf(name) + step + names.length) % names.length];
        this.useTool(next);
        this.toolButtons.get(next).focus();
        event.preventDefault();
      });
      this.toolButtons.set(name, button);
    }
    $("tool-buttons").replaceChildren(...this.toolButtons.values());
    this.useTool("brush");

    const size = $("size");
    size.addEventListener("input", () => this.setSize(Number(size.value)));
    $("undo").addEventListener("click", () => this.undo());
    $("redo").addEventListener("click", () => this.redo());
    $("reset").addEventListener("click", () => {
      if (!this.source) return;
      const patch = this.mask.replace(this.source);
      if (patch) this.#stroked(patch);
      this.area.draw();
    });
    const opacity = $("opacity");
    const showOpacity = () => {
      $("opacity-value").textContent = `${opacity.value} %`;
      this.area.setOptions({ opacity: opacity.value / 100 });
    };
    opacity.addEventListener("input", showOpacity);
    showOpacity();
    $("patterns").addEventListener("change", (event) => {
      this.area.setOptions({ patterns: event.target.checked });
      this.legend.drawSwatches(event.target.checked);
    });
    $("confidence").addEventListener("change", (event) => {
      this.area.setOptions({ confidence: event.target.checked });
    });
    $("make").addEventListener("click", () => this.guarded(() => this.make()));
    $("regenerate").addEventListener("click", () => this.guarded(() => this.make({ region: true })));
    $("clear-region").addEventListener("click", () => {
      const patch = this.region.replace(new Uint16Array(this.region.values.length));
      if (patch) this.#stroked(patch);
      this.area.draw();
    });
    $("continue").addEventListener("click", () => this.guarded(() => this.goOn()));
  }

  /** The rows of the table of shortcuts. */
  get shortcuts() {
    const toggle = (id) => () => $(id).click();
    const tools = [...this.toolButtons.keys()].map((name) => TOOLS.find(([other]) => other === name));
    return [
      ...tools.map(([name, text, key]) => ({
        keys: [key.toLowerCase()], shown: [key], text, action: () => this.useTool(name),
      })),
      { keys: "123456789".split(""), shown: ["1", "…", "9"], text: "Class", action: (_, key) => this.#chooseKey(key) },
      { keys: ["["], shown: ["["], text: "Smaller brush", action: () => this.setSize(this.area.diameter - 1) },
      { keys: ["]"], shown: ["]"], text: "Larger brush", action: () => this.setSize(this.area.diameter + 1) },
      {
        keys: ["z"], shown: ["Ctrl", "Z"], text: "Undo; with Shift, redo", isControl: true,
        action: (event) => (event.shiftKey ? this.redo() : this.undo()),
      },
      { keys: ["y"], shown: ["Ctrl", "Y"], text: "Redo", isControl: true, action: () => this.redo() },
      { keys: ["z"], shown: ["Z"], text: "Undo", action: () => this.undo() },
      { keys: ["y"], shown: ["Y"], text: "Redo", action: () => this.redo() },
      { keys: ["p"], shown: ["P"], text: "Patterns on or off", action: toggle("patterns") },
      { keys: ["u"], shown: ["U"], text: "Show where the model is unsure", action: toggle("confidence") },
      { keys: ["c"], shown: ["C"], text: "Compare with the photo", action: () => this.results.toggleCompare() },
      {
        keys: ["Enter"], shown: ["Ctrl", "Enter"], text: "Edit the photo", isControl: true,
        action: () => this.guarded(() => this.make()),
      },
      { shown: ["Arrows", "Space"], text: "In the painting area: move (with Shift, further) and paint" },
      { shown: ["Alt", "click"], text: "Pick the class under the pointer" },
    ];
  }

  #chooseKey(key) {
    const number = Number(key) - 1;
    if (number < this.model.classes.length) this.legend.choose(number);
  }

  useTool(name) {
    this.area.tool = name;
    for (const [other, button] of this.toolButtons) {
      button.setAttribute("aria-checked", other === name);
      button.tabIndex = other === name ? 0 : -1;
    }
    this.area.drawCursor();
  }

  setSize(diameter) {
    const size = $("size");
    this.area.diameter = Math.min(Number(size.max), Math.max(1, diameter));
    size.value = this.area.diameter;
    $("size-value").textContent = `${this.area.diameter} pixels`;
    this.area.drawCursor();
  }

  // Photos.

  /** Sends a photo, and reads its mask. */
  async openPhoto(blob, name) {
    const told = await sendPhoto(blob, name);
    const photo = { id: told.id, name: told.name, blob, url: null };
    const entry = await this.jobs.run({ kind: "read", photo: told.id });
    if (entry) await this.#openReading(entry, photo);
    if (told.note) this.tell(told.note, { isError: false });
  }

  async #openReading(entry, photo) {
    const [mask, sure, content] = await Promise.all([
      this.#numbers(entry, "page_mask.png"),
      this.#numbers(entry, "confidence.png"),
      getBytes(`/api/results/${entry.id}/photo.png`),
    ]);
    // What the server has made of the photo is what is sent again if it forgets.
    photo.blob = new Blob([content], { type: "image/png" });
    this.#open({ photo, size: mask, source: mask.values, values: mask.values, confidence: sure.values });
  }

  /** Begins with a mask of one class and no photo. */
  openBlank() {
    const { width, height } = this.model;
    const values = new Uint16Array(width * height);
    this.#open({ photo: null, size: { width, height }, source: values, values, confidence: null });
  }

  #open({ photo, size, source, values, confidence }) {
    const { width, height } = size;
    if (this.photo?.url) URL.revokeObjectURL(this.photo.url);
    this.photo = photo;
    if (photo) photo.url = URL.createObjectURL(photo.blob);
    this.source = source.slice();
    this.mask = new Layer(width, height, values.slice());
    this.region = new Layer(width, height);
    this.confidence = confidence;
    this.undoStack = new UndoStack();
    this.serial++;
    $("welcome").hidden = true;
    $("workspace").hidden = false;
    $("photo-name").textContent = photo ? `${photo.name}, ${width}×${height}` : `no photo, ${width}×${height}`;
    $("result-stage").firstElementChild.firstChild.textContent = photo ? "Edited " : "Made of the mask ";
    $("make").firstChild.textContent = photo && this.model.can_edit ? "Edit the photo " : "Make a picture ";
    $("size").max = Math.max(4, Math.round(Math.max(width, height) / 4));
    this.setSize(Math.max(2, Math.round(Math.max(width, height) / 12)));
    this.area.open({
      url: photo?.url, width, height, mask: this.mask, region: this.region, confidence,
    });
    this.area.setOptions({ confidence: $("confidence").checked });
    this.results.clear();
    this.results.shape(width, height);
    this.#update();
  }

  /** Shows an earlier result, with its photo, mask and settings. */
  async restore(entry) {
    if (entry.kind === "read") {
      return this.#openReading(entry, { id: entry.about.photo, name: entry.about.name });
    }
    const mask = await this.#numbers(entry, "page_mask.png");
    let photo = null;
    let source = mask;
    if (entry.files.includes("photo.png")) {
      const content = await getBytes(`/api/results/${entry.id}/photo.png`);
      source = await this.#numbers(entry, "page_source.png");
      photo = { id: entry.about.photo, name: entry.about.name, blob: new Blob([content], { type: "image/png" }) };
    }
    this.#open({ photo, size: mask, source: source.values, values: mask.values, confidence: null });
    this.settings.values = entry.about.settings;
    this.#show(entry);
  }

  async #numbers(entry, name) {
    return decodeGrey(await getBytes(`/api/results/${entry.id}/${name}`));
  }

  /** Takes the edited picture as the photo. */
  async goOn() {
    const { entry, number } = this.results;
    const content = await getBytes(pictureOf(entry, number));
    const name = `edited ${entry.about.name ?? "picture"}`.replace(/^(edited )+/, "edited ");
    await this.openPhoto(new Blob([content], { type: "image/png" }), name);
  }

  // Painting.

  #stroked(patch) {
    this.undoStack.push(patch);
    this.#update();
    if (patch.layer === this.mask) this.#follow();
  }

  undo() {
    this.#redraw(this.undoStack.undo());
  }

  redo() {
    this.#redraw(this.undoStack.redo());
  }

  #redraw(patch) {
    if (!patch) return;
    this.area.draw(patch.box);
    this.#update();
    if (patch.layer === this.mask) this.#follow();
  }

  #update() {
    $("undo").disabled = !this.undoStack.canUndo;
    $("redo").disabled = !this.undoStack.canRedo;
    const hasRegion = this.region.values.some((value) => value > 0);
    $("regenerate").disabled = $("clear-region").disabled = !hasRegion || !this.photo;
    this.legend.count(this.mask.values);
  }

  #hover(x, y) {
    const number = this.mask.at(x, y);
    const name = number === UNKNOWN ? "unknown" : this.model.classes[number].name;
    const read = this.source[y * this.mask.width + x];
    let more = "";
    if (read !== number) {
      more = read === UNKNOWN ? ", painted" : `, painted over ${this.model.classes[read].name}`;
    } else if (this.confidence && this.photo) {
      more = `, ${Math.round((100 * this.confidence[y * this.mask.width + x]) / 255)} % sure`;
    }
    $("under").textContent = `${name}${more} (${x}, ${y})`;
  }

  get isChanged() {
    return this.mask.values.some((value, i) => value !== this.source[i]);
  }

  /** Makes the picture anew a moment after the last stroke, if that is wanted. */
  #follow() {
    clearTimeout(this.timer);
    if (!$("live").checked || !this.mask) return;
    this.timer = setTimeout(() => {
      if (this.photo && !this.isChanged) {
        this.serial++;
        this.results.clear();
        return;
      }
      this.guarded(() => this.make({ live: true }));
    }, MILLISECONDS_TO_FOLLOW);
  }

  // Making.

  async make({ live = false, region = false } = {}) {
    if (!this.mask) return;
    clearTimeout(this.timer);
    const serial = ++this.serial;
    const settings = this.settings.values;
    if (live) settings.num_variants = 1;
    const values = { kind: "generate", live, settings, mask: await this.#encoded(this.mask.values) };
    if (this.photo && this.model.can_edit) {
      values.kind = "edit";
      values.source = await this.#encoded(this.source);
      if (region) {
        const bytes = Uint8Array.from(this.region.values, (value) => (value ? 255 : 0));
        values.region = base64(await encodeGrey(bytes, this.mask.width, this.mask.height));
      }
    }
    const entry = await this.#withPhoto((id) => this.jobs.run({ ...values, photo: id }));
    if (!entry) return;
    this.history.add(entry);
    if (serial === this.serial) this.#show(entry);
  }

  /** Sends the photo again if the server has forgotten it. */
  async #withPhoto(run) {
    try {
      return await run(this.photo?.id ?? null);
    } catch (error) {
      if (error.status !== GONE || !this.photo) throw error;
      this.photo.id = (await sendPhoto(this.photo.blob, this.photo.name)).id;
      return run(this.photo.id);
    }
  }

  #encoded(values) {
    return encodeGrey(values, this.mask.width, this.mask.height).then(base64);
  }

  #show(entry) {
    this.results.show(entry, this.photo?.url ?? null);
  }
}

function describe(entry) {
  const { settings, has_region, name } = entry.about;
  const what = has_region ? "region" : entry.kind === "edit" ? "edit" : "from mask";
  const live = entry.live ? " (last stroke)" : "";
  return `${what}${live}, seed ${settings.seed}${name ? `, ${name}` : ""}`;
}
