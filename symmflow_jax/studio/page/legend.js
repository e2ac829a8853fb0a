// The list of classes: colour, pattern, key, name, and the share of the mask.

import { UNKNOWN } from "./layers.js";
import { drawSwatch } from "./patterns.js";

const NUM_WITHOUT_FILTER = 14;

export class Legend {
  constructor({ list, filter }, classes, onChoose) {
    this.list = list;
    this.classes = classes;
    this.onChoose = onChoose;
    this.rows = classes.map((one, number) => this.#row(one, number));
    list.replaceChildren(...this.rows.map((row) => row.label));
    filter.hidden = classes.length <= NUM_WITHOUT_FILTER;
    filter.addEventListener("input", () => this.#filter(filter.value));
    this.drawSwatches(true);
  }

  #row({ name, is_ignored }, number) {
    const label = document.createElement("label");
    label.className = "class";
    const input = document.createElement("input");
    input.type = "radio";
    input.name = "class";
    input.className = "visually-hidden";
    input.addEventListener("change", () => this.onChoose(number));
    const swatch = document.createElement("canvas");
    [swatch.width, swatch.height] = [54, 38];
    swatch.setAttribute("aria-hidden", "true");
    const text = document.createElement("span");
    text.className = "name";
    text.textContent = is_ignored ? `${name} (not scored)` : name;
    text.append(input);
    const share = document.createElement("span");
    share.className = "share";
    const key = document.createElement("span");
    key.className = "key";
    if (number < 9) {
      const kbd = document.createElement("kbd");
      kbd.textContent = number + 1;
      key.append(kbd);
    }
    label.append(swatch, text, share, key);
    return { label, input, swatch, share };
  }

  drawSwatches(withPattern) {
    this.rows.forEach((row, number) => {
      drawSwatch(row.swatch, number, this.classes[number].colour, withPattern);
    });
  }

  choose(number) {
    const row = this.rows[number];
    row.input.checked = true;
    row.label.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.onChoose(number);
  }

  /** Shows the share of the mask that each class has. */
  count(values) {
    const counts = new Uint32Array(this.classes.length);
    for (const value of values) if (value !== UNKNOWN) counts[value]++;
    this.rows.forEach((row, number) => {
      const share = (100 * counts[number]) / values.length;
      row.share.textContent = counts[number] ? (share < 1 ? "<1 %" : `${Math.round(share)} %`) : "";
    });
  }

  #filter(text) {
    const wanted = text.trim().toLowerCase();
    this.rows.forEach((row, number) => {
      row.label.hidden = !this.classes[number].name.toLowerCase().includes(wanted);
    });
  }
}
