// The drawing pad: white on black, sent in the shape that digits of MNIST have.

const SIDE = 280;
const PEN = 24;

export class Pad {
  constructor(canvas, onStroke) {
    this.canvas = canvas;
    this.onStroke = onStroke;
    canvas.width = canvas.height = SIDE;
    this.values = new Uint8Array(SIDE * SIDE);
    this.steps = [];
    this.last = null;
    this.place = { x: SIDE / 2, y: SIDE / 2 };
    this.#listen();
    this.draw();
  }

  get isEmpty() {
    return !this.values.some((value) => value > 0);
  }

  clear() {
    this.steps.push(this.values.slice());
    this.values.fill(0);
    this.draw();
    this.onStroke();
  }

  undo() {
    const before = this.steps.pop();
    if (!before) return;
    this.values = before;
    this.draw();
    this.onStroke();
  }

  draw() {
    const context = this.canvas.getContext("2d");
    const picture = context.createImageData(SIDE, SIDE);
    for (let i = 0; i < this.values.length; i++) {
      picture.data.fill(this.values[i], 4 * i, 4 * i + 3);
      picture.data[4 * i + 3] = 255;
    }
    context.putImageData(picture, 0, 0);
    if (document.activeElement === this.canvas) {
      context.strokeStyle = "#ffb25c";
      context.beginPath();
      context.arc(this.place.x, this.place.y, PEN / 2, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  /**
   * {values, side}: the drawing, or what MNIST would make of it: the drawn part fits a box of 20
   * of 28 pixels, and its centre of mass lies in the middle (yann.lecun.com/exdb/mnist).
   */
  picture(centred) {
    const box = centred ? this.#box() : null;
    if (!box) return { values: this.values, side: SIDE };
    const scale = Math.max(box.width, box.height) / (SIDE * (20 / 28));
    let [mass, mx, my] = [0, 0, 0];
    this.values.forEach((value, i) => {
      mass += value;
      mx += value * (i % SIDE);
      my += value * Math.floor(i / SIDE);
    });
    const made = new Uint8Array(SIDE * SIDE);
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const from = [mx / mass + (x - SIDE / 2) * scale, my / mass + (y - SIDE / 2) * scale];
        const [fx, fy] = from.map(Math.round);
        if (fx >= 0 && fy >= 0 && fx < SIDE && fy < SIDE) made[y * SIDE + x] = this.values[fy * SIDE + fx];
      }
    }
    return { values: made, side: SIDE };
  }

  #box() {
    let [left, top, right, bottom] = [SIDE, SIDE, -1, -1];
    this.values.forEach((value, i) => {
      if (!value) return;
      const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    });
    return right < 0 ? null : { width: right - left + 1, height: bottom - top + 1 };
  }

  #line(from, to) {
    const steps = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 3));
    for (let i = 0; i <= steps; i++) {
      const x = from.x + ((to.x - from.x) * i) / steps;
      const y = from.y + ((to.y - from.y) * i) / steps;
      this.#dab(x, y);
    }
    this.draw();
  }

  #dab(cx, cy) {
    const reach = PEN / 2 + 2;
    for (let y = Math.max(0, Math.floor(cy - reach)); y < Math.min(SIDE, cy + reach); y++) {
      for (let x = Math.max(0, Math.floor(cx - reach)); x < Math.min(SIDE, cx + reach); x++) {
        const ink = 255 * Math.min(1, Math.max(0, (reach - Math.hypot(x - cx, y - cy)) / 4));
        const i = y * SIDE + x;
        this.values[i] = Math.max(this.values[i], ink);
      }
    }
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * SIDE,
      y: ((event.clientY - box.top) / box.height) * SIDE,
    };
  }

  #begin(place) {
    this.steps.push(this.values.slice());
    if (this.steps.length > 50) this.steps.shift();
    this.last = place;
    this.#line(place, place);
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      this.#begin(this.#at(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.last) return;
      const place = this.#at(event);
      this.#line(this.last, place);
      this.last = place;
    });
    const end = () => {
      if (!this.last) return;
      this.last = null;
      this.onStroke();
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("focus", () => this.draw());
    canvas.addEventListener("blur", () => this.draw());
    canvas.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: [-8, 0], ArrowRight: [8, 0], ArrowUp: [0, -8], ArrowDown: [0, 8] };
      const move = moves[event.key];
      if (move) {
        const before = this.place;
        const inside = (value) => Math.min(SIDE, Math.max(0, value));
        this.place = { x: inside(before.x + move[0]), y: inside(before.y + move[1]) };
        if (event.shiftKey) this.#line(before, this.place);
        else this.draw();
      } else if (event.key === " ") {
        this.#begin(this.place);
        end();
      } else return;
      event.preventDefault();
    });
    canvas.addEventListener("keyup", (event) => {
      if (event.key === "Shift" && !this.isEmpty) this.onStroke();
    });
  }
}
