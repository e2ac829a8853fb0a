// The settings: sliders of few values, the seed, and where the picture comes from.

const TEXTS = {
  photo: "From the photo: what need not change stays",
  noise: "From noise: what changes is made anew",
  inversion: "From the photo's own noise (inversion)",
};

let counter = 0;

function slider(text, values, start, show) {
  const label = document.createElement("label");
  label.className = "slider";
  const output = document.createElement("output");
  const input = document.createElement("input");
  input.type = "range";
  input.id = `slider-${counter++}`;
  label.htmlFor = input.id; // Without it, the label is that of the output.
  [input.min, input.max, input.step] = [0, values.length - 1, 1];
  input.value = values.indexOf(start);
  const update = () => {
    output.textContent = show(values[input.value]);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", update);
  update();
  label.append(text, " ", output, input);
  return {
    element: label,
    input,
    get: () => values[input.value],
    set: (value) => {
      input.value = Math.max(0, values.indexOf(value));
      update();
    },
  };
}

function seedField(most) {
  const element = document.createElement("div");
  element.className = "two wide";
  const id = `seed-${counter++}`;
  const label = document.createElement("label");
  label.className = "slider";
  label.htmlFor = id;
  label.append("Seed");
  const range = document.createElement("input");
  range.type = "range";
  [range.min, range.max, range.value] = [0, 99, 0];
  range.setAttribute("aria-label", "Seed, 0 to 99");
  label.append(range);
  const row = document.createElement("div");
  row.className = "row";
  const field = document.createElement("input");
  field.type = "number";
  field.id = id;
  [field.min, field.max, field.step, field.value] = [0, most, 1, 0];
  const dice = document.createElement("button");
  dice.type = "button";
  dice.textContent = "Another";
  row.append(field, dice);
  element.append(label, row);
  const set = (value) => {
    field.value = value;
    range.value = Math.min(99, value);
  };
  range.addEventListener("input", () => set(Number(range.value)));
  field.addEventListener("input", () => (range.value = Math.min(99, Number(field.value))));
  dice.addEventListener("click", () => {
    set(Math.floor(Math.random() * 1e6));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
  const get = () => Math.min(most, Math.max(0, Math.round(Number(field.value) || 0)));
  return { element, get, set };
}

/** Builds the settings in an element; `values` are those that a job takes. */
export class SettingsForm {
  constructor(element, choices, { canGuide, canEdit }, onChange) {
    const d = choices.defaults;
    const variants = Array.from({ length: choices.most_variants }, (_, i) => i + 1);
    this.steps = slider("Steps", choices.num_steps, d.num_steps, (n) => `${n}`);
    this.guidance = slider("Guidance", choices.guidance, d.guidance, (w) => (w === 1 ? "none" : `${w}`));
    this.variants = slider("Variants", variants, d.num_variants, (n) => `${n}`);
    this.seed = seedField(choices.most_seed);
    const parts = [this.steps.element, this.variants.element, this.seed.element];
    if (canGuide) parts.splice(1, 0, this.guidance.element);
    if (canEdit) {
      this.origin = document.createElement("select");
      this.origin.append(...choices.origins.map((name) => new Option(TEXTS[name] ?? name, name)));
      this.origin.value = d.origin;
      this.origin.className = "wide";
      const label = document.createElement("label");
      label.className = "slider wide";
      label.append("Start", this.origin);
      this.keeps = document.createElement("input");
      this.keeps.type = "checkbox";
      this.keeps.checked = d.keeps_unchanged;
      const keeps = document.createElement("label");
      keeps.className = "wide";
      keeps.append(this.keeps, " Keep exactly what is not repainted");
      parts.push(label, keeps);
    }
    element.replaceChildren(...parts);
    element.addEventListener("change", onChange);
  }

  get values() {
    const values = {
      num_steps: this.steps.get(),
      guidance: this.guidance.get(),
      seed: this.seed.get(),
      num_variants: this.variants.get(),
    };
    if (this.origin) {
      values.origin = this.origin.value;
      values.keeps_unchanged = this.keeps.checked;
    }
    return values;
  }

  set values(values) {
    this.steps.set(values.num_steps);
    this.guidance.set(values.guidance);
    this.seed.set(values.seed);
    this.variants.set(values.num_variants);
    if (this.origin) {
      this.origin.value = values.origin;
      this.keeps.checked = values.keeps_unchanged;
    }
  }
}
