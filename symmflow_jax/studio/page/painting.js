// The painting area: the mask over the photo, the pointer and the keys that paint.

import { UNKNOWN, union } from "./layers.js";
import { hasMark, markOn } from "./patterns.js";

const LONGEST = 1024; // Pixels of the overlay, about.

export class PaintArea {
  /**
   * @param elements {box, photo, overlay, cursor}
   * @param on {stroke(patch), hover(x, y), pick(number)}
   */
  constructor(elements, on) {
    Object.assign(this, elements);
    this.on = on;
    this.classes = [];
    this.options = { opacity: 0.55, patterns: true, confidence: false };
    this.tool = "brush";
    this.diameter = 4;
    this.number = 0;
    this.place = null; // Of the pointer or the keys, in pixels of the mask.
    this.last = null;
    this.#listen();
  }

  /** Shows a photo and its layers. */
  open({ url, width, height, mask, region, confidence }) {
    this.photo.src = url ?? "";
    this.photo.hidden = !url;
    this.photo.classList.toggle("coarse", Math.max(width, height) < 300);
    Object.assign(this, { width, height, mask, region, confidence });
    this.scale = Math.max(1, Math.floor(LONGEST / Math.max(width, height)));
    for (const canvas of [this.overlay, this.cursor]) {
      canvas.width = width * this.scale;
      canvas.height = height * this.scale;
    }
    this.box.style.aspectRatio = `${width} / ${height}`;
    this.box.style.maxWidth = `calc(76vh * ${width / height})`;
    this.place = null;
    this.draw();
  }

  setOptions(options) {
    Object.assign(this.options, options);
    if (this.mask) this.draw();
  }

  /** Draws the layers again, in a rectangle of the mask. */
  draw(box = this.mask.whole) {
    // Borders between classes reach into the neighbours.
    const left = Math.max(0, box.left - 1);
    const top = Math.max(0, box.top - 1);
    const right = Math.min(this.width, box.right + 1);
    const bottom = Math.min(this.height, box.bottom + 1);
    if (right <= left || bottom <= top) return;
    const k = this.scale;
    const context = this.overlay.getContext("2d");
    const picture = context.createImageData((right - left) * k, (bottom - top) * k);
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) this.#drawCell(picture, x, y, left, top);
    }
    context.putImageData(picture, left * k, top * k);
  }

  #drawCell(picture, x, y, left, top) {
    const k = this.scale;
    const { opacity, patterns, confidence } = this.options;
    const number = this.mask.at(x, y);
    const inRegion = this.region.at(x, y) > 0;
    const colour = number === UNKNOWN ? [128, 128, 128] : this.classes[number].colour;
    const mark = markOn(colour);
    const alpha = 255 * opacity;
    const edgeRight = x + 1 < this.width && this.mask.at(x + 1, y) !== number;
    const edgeBelow = y + 1 < this.height && this.mask.at(x, y + 1) !== number;
    const regionRight = x + 1 < this.width && this.region.at(x + 1, y) > 0 !== inRegion;
    const regionBelow = y + 1 < this.height && this.region.at(x, y + 1) > 0 !== inRegion;
    const doubt = confidence && this.confidence ? 1 - this.confidence[y * this.width + x] / 255 : 0;
    const edge = Math.max(1, Math.round(k / 12));
    for (let dy = 0; dy < k; dy++) {
      for (let dx = 0; dx < k; dx++) {
        const px = x * k + dx;
        const py = y * k + dy;
        const at = 4 * ((py - top * k) * picture.width + px - left * k);
        let [r, g, b] = colour;
        let a = alpha;
        if (number === UNKNOWN) {
          const dark = ((px >> 3) + (py >> 3)) & 1;
          r = g = b = dark ? 90 : 190;
          a = Math.max(alpha, 150);
        } else if (patterns && opacity > 0 && hasMark(number, px, py)) {
          r = g = b = mark;
          a = Math.min(255, alpha * 0.75);
        }
        if (opacity > 0 && ((edgeRight && dx >= k - edge) || (edgeBelow && dy >= k - edge))) {
          r = g = b = 0;
          a = Math.max(alpha, 130);
        }
        if (doubt > 0.04 && (px + 2 * py) % 12 < 8 * doubt) {
          r = g = b = (py >> 2) & 1 ? 255 : 0;
          a = 210;
        }
        if (inRegion && (px + py) % 10 < 3) {
          r = g = b = (px + py) % 20 < 10 ? 255 : 0;
          a = 200;
        }
        const wide = Math.max(2, edge * 2);
        if ((regionRight && dx >= k - wide) || (regionBelow && dy >= k - wide)) {
          r = g = b = (px + py) % 16 < 8 ? 255 : 0;
          a = 255;
        }
        picture.data[at] = r;
        picture.data[at + 1] = g;
        picture.data[at + 2] = b;
        picture.data[at + 3] = a;
      }
    }
  }

  /** Draws the outline of the brush where the pointer is. */
  drawCursor() {
    const context = this.cursor.getContext("2d");
    context.clearRect(0, 0, this.cursor.width, this.cursor.height);
    if (!this.place || !this.mask) return;
    const k = this.scale;
    const [x, y] = [this.place.x * k, this.place.y * k];
    const isPoint = this.tool === "fill" || this.tool === "pick";
    const radius = isPoint ? 0.35 * k + 3 : (this.diameter * k) / 2;
    const pixel = this.cursor.width / (this.cursor.getBoundingClientRect().width || 1);
    for (const [colour, width] of [["#000", 4], ["#fff", 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = width * pixel;
      context.beginPath();
      context.arc(x, y, Math.max(2 * pixel, radius), 0, 2 * Math.PI);
      context.moveTo(x - 4 * pixel, y);
      context.lineTo(x + 4 * pixel, y);
      context.moveTo(x, y - 4 * pixel);
      context.lineTo(x, y + 4 * pixel);
      context.stroke();
    }
  }

  /** What the tool paints: the layer, and its number. */
  #target() {
    if (this.tool === "region") return [this.region, 1];
    if (this.tool === "unregion") return [this.region, 0];
    return [this.mask, this.tool === "eraser" ? UNKNOWN : this.number];
  }

  #inside({ x, y }) {
    return x >= 0 && y >= 0 && x < this.width && y < this.height;
  }

  /** Begins to paint at a place; fills or picks at once. */
  #press(place, picks) {
    if (!this.mask || !this.#inside(place)) return;
    const [x, y] = [Math.floor(place.x), Math.floor(place.y)];
    if (picks || this.tool === "pick") {
      const number = this.mask.at(x, y);
      if (number !== UNKNOWN) this.on.pick(number);
      return;
    }
    const [layer, number] = this.#target();
    layer.begin();
    this.painted = layer;
    if (this.tool === "fill") {
      this.draw(layer.fill(x, y, number) ?? undefined);
      this.#release();
      return;
    }
    this.last = place;
    this.draw(layer.line(place.x, place.y, place.x, place.y, this.diameter, number));
  }

  #drag(places) {
    const [layer, number] = this.#target();
    let touched = null;
    for (const place of places) {
      touched = union(touched, layer.line(this.last.x, this.last.y, place.x, place.y, this.diameter, number));
      this.last = place;
    }
    if (touched) this.draw(touched);
  }

  #release() {
    this.last = null;
    const patch = this.painted?.end();
    this.painted = null;
    if (patch) this.on.stroke(patch);
  }

  /** Takes a stroke back that has not ended. */
  #abort() {
    if (!this.painted) return;
    this.last = null;
    const patch = this.painted.end();
    this.painted = null;
    if (patch) patch.layer.paste(patch.old, patch.box);
    this.draw();
  }

  #at(event) {
    const box = this.cursor.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * this.width,
      y: ((event.clientY - box.top) / box.height) * this.height,
    };
  }

  #move(place) {
    this.place = place;
    this.drawCursor();
    if (place && this.#inside(place)) this.on.hover(Math.floor(place.x), Math.floor(place.y));
  }

  #listen() {
    const { cursor } = this;
    cursor.addEventListener("pointerdown", (event) => {
      if (event.button > 0 && event.button !== 2) return;
      if (this.last) return this.#abort(); // A second finger: the page is to be moved.
      cursor.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;
      this.#move(this.#at(event));
      this.#press(this.#at(event), event.button === 2 || event.altKey);
    });
    cursor.addEventListener("pointermove", (event) => {
      if (this.last && event.pointerId === this.pointer) {
        const events = event.getCoalescedEvents?.() ?? [];
        this.#drag((events.length ? events : [event]).map((one) => this.#at(one)));
      }
      this.#move(this.#at(event));
    });
    cursor.addEventListener("pointerup", () => this.#release());
    cursor.addEventListener("pointercancel", () => this.#abort());
    cursor.addEventListener("pointerleave", () => {
      if (!this.last) this.#move(null);
    });
    cursor.addEventListener("contextmenu", (event) => event.preventDefault());
    cursor.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    if (!this.mask || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? Math.max(1, Math.round(this.width / 16)) : 1;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    const from = this.place ?? { x: this.width / 2 - 0.5, y: this.height / 2 - 0.5 };
    if (move) {
      const x = Math.floor(from.x) + 0.5 + move[0] * step;
      const y = Math.floor(from.y) + 0.5 + move[1] * step;
      this.#move({
        x: Math.min(this.width - 0.5, Math.max(0.5, x)),
        y: Math.min(this.height - 0.5, Math.max(0.5, y)),
      });
    } else if (event.key === " " || event.key === "Enter") {
      this.#move(from);
      this.#press(from, false);
      this.#release();
    } else return;
    event.preventDefault();
  }
}
