// Layers of numbers that are painted, and the stack of what was done to them.

/** The number of a pixel without a class. */
export const UNKNOWN = 65535;

/** A picture of whole numbers; each stroke gives a patch that can be undone. */
export class Layer {
  constructor(width, height, values = new Uint16Array(width * height)) {
    this.width = width;
    this.height = height;
    this.values = values;
    this.before = null;
    this.dirty = null;
  }

  at(x, y) {
    return this.values[y * this.width + x];
  }

  begin() {
    this.before = this.values.slice();
    this.dirty = null;
  }

  /** Paints discs along a line; returns the rectangle that was touched. */
  line(x0, y0, x1, y1, diameter, value) {
    const steps = Math.max(1, Math.ceil(Math.hypot(x1 - x0, y1 - y0) / Math.max(0.5, diameter / 4)));
    let touched = null;
    for (let i = 0; i <= steps; i++) {
      const t = i / steps;
      touched = union(touched, this.#disc(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t, diameter, value));
    }
    this.dirty = union(this.dirty, touched);
    return touched;
  }

  #disc(cx, cy, diameter, value) {
    const radius = diameter / 2;
    const box = {
      left: Math.max(0, Math.floor(cx - radius)),
      top: Math.max(0, Math.floor(cy - radius)),
      right: Math.min(this.width, Math.ceil(cx + radius) + 1),
      bottom: Math.min(this.height, Math.ceil(cy + radius) + 1),
    };
    const squared = Math.max(radius, 0.71) ** 2; // The pixel below the tip always counts.
    for (let y = box.top; y < box.bottom; y++) {
      for (let x = box.left; x < box.right; x++) {
        if ((x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2 <= squared) this.values[y * this.width + x] = value;
      }
    }
    return box;
  }

  /** Gives the connected pixels of one number another one. */
  fill(x, y, value) {
    const old = this.at(x, y);
    if (old === value) return null;
    const stack = [[x, y]];
    const box = { left: x, top: y, right: x + 1, bottom: y + 1 };
    while (stack.length) {
      const [px, py] = stack.pop();
      if (px < 0 || py < 0 || px >= this.width || py >= this.height || this.at(px, py) !== old) continue;
      this.values[py * this.width + px] = value;
      box.left = Math.min(box.left, px);
      box.right = Math.max(box.right, px + 1);
      box.top = Math.min(box.top, py);
      box.bottom = Math.max(box.bottom, py + 1);
      stack.push([px + 1, py], [px - 1, py], [px, py + 1], [px, py - 1]);
    }
    this.dirty = union(this.dirty, box);
    return box;
  }

  /** Takes other numbers, as one stroke. */
  replace(values) {
    this.begin();
    this.values.set(values);
    this.dirty = this.whole;
    return this.end();
  }

  /** The patch of the stroke, or null if nothing has changed. */
  end() {
    const { before, dirty } = this;
    this.before = null;
    if (!before || !dirty || dirty.right <= dirty.left || dirty.bottom <= dirty.top) return null;
    const patch = { layer: this, box: dirty, old: this.#cut(before, dirty), made: this.#cut(this.values, dirty) };
    return patch.old.every((value, i) => value === patch.made[i]) ? null : patch;
  }

  get whole() {
    return { left: 0, top: 0, right: this.width, bottom: this.height };
  }

  #cut(values, { left, top, right, bottom }) {
    const part = new Uint16Array((right - left) * (bottom - top));
    for (let y = top; y < bottom; y++) {
      part.set(values.subarray(y * this.width + left, y * this.width + right), (y - top) * (right - left));
    }
    return part;
  }

  paste(part, { left, top, right, bottom }) {
    const width = right - left;
    for (let y = top; y < bottom; y++) {
      this.values.set(part.subarray((y - top) * width, (y - top + 1) * width), y * this.width + left);
    }
  }
}

export function union(a, b) {
  if (!a || !b) return a || b;
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

const MOST_STEPS = 100;

/** Patches that were done and undone. */
export class UndoStack {
  constructor() {
    this.done = [];
    this.undone = [];
  }

  get canUndo() {
    return this.done.length > 0;
  }

  get canRedo() {
    return this.undone.length > 0;
  }

  push(patch) {
    this.done.push(patch);
    if (this.done.length > MOST_STEPS) this.done.shift();
    this.undone = [];
  }

  undo() {
    const patch = this.done.pop();
    if (!patch) return null;
    patch.layer.paste(patch.old, patch.box);
    this.undone.push(patch);
    return patch;
  }

  redo() {
    const patch = this.undone.pop();
    if (!patch) return null;
    patch.layer.paste(patch.made, patch.box);
    this.done.push(patch);
    return patch;
  }
}
