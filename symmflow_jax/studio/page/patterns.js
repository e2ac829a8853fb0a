// A pattern for each class, so that classes differ by more than their colours.

const TESTS = [
  () => false,
  (x, y, p) => (x + y) % p < 3,
  (x, y, p) => (((x - y) % p) + p) % p < 3,
  (x, y, p) => (x % p) ** 2 + (y % p) ** 2 < 20,
  (x, y, p) => y % p < 3,
  (x, y, p) => x % p < 3,
  (x, y, p) => x % p < 2 || y % p < 2,
  (x, y, p) => (x + y) % p < 2 || (((x - y) % p) + p) % p < 2,
];

/** True where the pattern of a class has a mark; x and y are pixels of the screen. */
export function hasMark(number, x, y) {
  const period = 16 + 8 * (Math.floor(number / TESTS.length) % 4);
  return TESTS[number % TESTS.length](x, y, period);
}

/** The colour of the marks: black or white, whichever is seen on the class's colour. */
export function markOn([r, g, b]) {
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 110 ? 0 : 255;
}

/** Draws a sample of a class. */
export function drawSwatch(canvas, number, colour, withPattern) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(canvas.width, canvas.height);
  const mark = markOn(colour);
  for (let y = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++) {
      const at = 4 * (y * canvas.width + x);
      const marked = withPattern && hasMark(number, x, y);
      for (let c = 0; c < 3; c++) picture.data[at + c] = marked ? mark : colour[c];
      picture.data[at + 3] = 255;
    }
  }
  context.putImageData(picture, 0, 0);
}
