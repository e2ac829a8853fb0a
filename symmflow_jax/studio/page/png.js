// Grey PNGs of whole numbers, written and read without a canvas: browsers that guard against
// fingerprints change what a canvas gives back.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC_TABLE[(c ^ byte) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

async function through(stream, bytes) {
  const piped = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

function chunk(name, data) {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set([...name].map((letter) => letter.charCodeAt(0)), 4);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc(bytes.subarray(4, data.length + 8)));
  return bytes;
}

/** A PNG of 8 bits of a Uint8Array, of 16 bits of a Uint16Array. */
export async function encodeGrey(values, width, height) {
  const wide = values instanceof Uint16Array;
  const row = width * (wide ? 2 : 1);
  const raw = new Uint8Array((row + 1) * height); // Each row begins with filter 0.
  for (let y = 0; y < height; y++) {
    const at = y * (row + 1) + 1;
    for (let x = 0; x < width; x++) {
      const value = values[y * width + x];
      if (wide) {
        raw[at + 2 * x] = value >> 8;
        raw[at + 2 * x + 1] = value & 255;
      } else raw[at + x] = value;
    }
  }
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head[8] = wide ? 16 : 8;
  const data = await through(new CompressionStream("deflate"), raw);
  const parts = [Uint8Array.from(SIGNATURE), chunk("IHDR", head), chunk("IDAT", data), chunk("IEND", [])];
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function paeth(a, b, c) {
  const p = a + b - c;
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

function unfilter(raw, row, height, bytesPerPixel) {
  const out = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const left = x >= bytesPerPixel ? out[y * row + x - bytesPerPixel] : 0;
      const up = y ? out[(y - 1) * row + x] : 0;
      const corner = y && x >= bytesPerPixel ? out[(y - 1) * row + x - bytesPerPixel] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      out[y * row + x] = raw[y * (row + 1) + 1 + x] + guess;
    }
  }
  return out;
}

/** The numbers of a grey PNG of 8 or 16 bits: {width, height, values}. */
export async function decodeGrey(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = [];
  let width, height, depth;
  for (let at = 8; at < bytes.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (name === "IHDR") {
      [width, height, depth] = [view.getUint32(at + 8), view.getUint32(at + 12), data[8]];
      if (data[9] !== 0 || data[12] !== 0 || (depth !== 8 && depth !== 16)) {
        throw new Error("The PNG is not grey with 8 or 16 bits.");
      }
    } else if (name === "IDAT") parts.push(data);
    at += length + 12;
  }
  const raw = await through(new DecompressionStream("deflate"), await new Blob(parts).arrayBuffer());
  const size = depth / 8;
  const plain = unfilter(raw, width * size, height, size);
  if (depth === 8) return { width, height, values: Uint16Array.from(plain) };
  const values = Uint16Array.from({ length: width * height }, (_, i) => (plain[2 * i] << 8) | plain[2 * i + 1]);
  return { width, height, values };
}

/** Bytes as Base64. */
export function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}
