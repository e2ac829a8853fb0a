// The result beside the photo: variants in a row, comparison and downloads.

const fileOf = (entry, name) => `/api/results/${entry.id}/${name}`;

export function pictureOf(entry, number = 1) {
  return fileOf(entry, `picture_${number}.png`);
}

function numVariants(entry) {
  return entry.files.filter((name) => name.startsWith("picture_")).length;
}

export class ResultPanel {
  /** @param elements {image, box, empty, note, variants, actions, compare, downloads} */
  constructor(elements) {
    Object.assign(this, elements);
    this.entry = null;
    this.number = 1;
    this.original = null;
    this.compare.addEventListener("click", () => this.toggleCompare());
  }

  /** Gives the box the shape of the photo. */
  shape(width, height) {
    this.box.style.aspectRatio = `${width} / ${height}`;
    this.box.style.maxWidth = `calc(76vh * ${width / height})`;
    this.image.classList.toggle("coarse", Math.max(width, height) < 300);
  }

  clear() {
    this.entry = null;
    this.image.hidden = true;
    this.empty.hidden = false;
    this.actions.hidden = true;
    this.variants.replaceChildren();
    this.note.textContent = "";
  }

  /** Shows a result; `original` is the address of the photo, or null. */
  show(entry, original) {
    this.entry = entry;
    this.original = original;
    this.empty.hidden = true;
    this.actions.hidden = false;
    this.compare.hidden = !original;
    this.shape(entry.about.width, entry.about.height);
    const count = numVariants(entry);
    this.variants.replaceChildren(
      ...(count > 1 ? Array.from({ length: count }, (_, i) => this.#button(i + 1)) : []),
    );
    for (const [name, link] of Object.entries(this.downloads)) {
      link.hidden = name !== "all.zip" && name !== "picture" && !entry.files.includes(name);
      if (name === "picture") continue;
      link.href = fileOf(entry, name);
      link.download = name === "all.zip" ? "edit.zip" : name;
    }
    const { seconds } = entry.about;
    this.note.textContent = seconds === undefined ? "" : `${seconds.toFixed(1)} s`;
    this.choose(Math.min(this.number, count));
  }

  #button(number) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("role", "radio");
    const image = document.createElement("img");
    image.src = pictureOf(this.entry, number);
    image.alt = "";
    image.className = this.image.className;
    const { seed } = this.entry.about.settings;
    button.append(image, `Seed ${seed + number - 1}`);
    button.addEventListener("click", () => this.choose(number));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const count = this.variants.children.length;
      this.choose(((number - 1 + step + count) % count) + 1);
      this.variants.children[this.number - 1].focus();
      event.preventDefault();
    });
    return button;
  }

  choose(number) {
    this.number = number;
    [...this.variants.children].forEach((button, i) => {
      const chosen = i + 1 === number;
      button.setAttribute("aria-checked", chosen);
      button.tabIndex = chosen ? 0 : -1;
    });
    this.downloads.picture.href = pictureOf(this.entry, number);
    this.downloads.picture.download = `picture_${number}.png`;
    this.#compareWith(false);
    this.image.hidden = false;
  }

  toggleCompare() {
    if (this.entry && this.original) this.#compareWith(this.compare.getAttribute("aria-pressed") !== "true");
  }

  #compareWith(original) {
    this.compare.setAttribute("aria-pressed", original);
    this.image.src = original ? this.original : pictureOf(this.entry, this.number);
    this.image.alt = original ? "The photo before the edit" : `The edited picture, variant ${this.number}`;
  }
}
