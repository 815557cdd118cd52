"use strict";

// Numbers: out of packs, and into short text.

/** The rows of a pack: four planes of bytes, deflated, each row changed by the one before. */
async function unpack(pack) {
  const bytes = Uint8Array.from(atob(pack.bytes), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const [rows, columns] = pack.shape;
  const count = rows * columns;
  const words = new Uint32Array(count);
  for (let plane = 0; plane < 4; plane++) {
    for (let index = 0; index < count; index++) words[index] |= planes[plane * count + index] << (8 * plane);
  }
  for (let index = columns; index < count; index++) words[index] ^= words[index - columns];
  const numbers = new Float32Array(words.buffer);
  return Array.from({ length: rows }, (_, row) => numbers.subarray(row * columns, (row + 1) * columns));
}

/** A number with so many significant digits, or in full where six say all of it. */
function short(x, digits = 4) {
  if (x === null || x === undefined || Number.isNaN(x)) return "–";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "-∞";
  const full = Number(x.toPrecision(Math.max(digits, 6)));
  return written(full === x ? full : Number(x.toPrecision(digits)));
}

/** A number as text; a large one without zeros that nobody knows to be right. */
const written = (x) => (Math.abs(x) >= 1e7 ? x.toExponential().replace("e+", "e") : String(x));

/** A size, to three digits. */
const brief = (x) => (Number.isFinite(x) ? written(Number(x.toPrecision(3))) : short(x));

/** A number as text that says whether it was rounded. */
function marked(x, digits = 4) {
  const text = short(x, digits);
  return Number(text) === x || !Number.isFinite(x) ? text : `≈\u00a0${text}`;
}

/** The right-hand side of an equation. */
const equated = (x, digits = 4) => (Number(short(x, digits)) === x ? `= ${short(x, digits)}` : `≈ ${short(x, digits)}`);

/** A number as an operand: one below zero in parentheses. */
const operand = (x, digits) => (x < 0 ? `(${short(x, digits)})` : short(x, digits));

/** The digits of operands from which a result follows as it is shown. */
function digitsFor(compute, operands) {
  const wanted = short(compute(operands));
  for (let digits = 4; digits < 17; digits++) {
    if (short(compute(operands.map((x) => Number(short(x, digits))))) === wanted) return digits;
  }
  return 17;
}

/** A sum of products and of numbers, with its result. */
function sumText(products, addends) {
  const compute = (numbers) => {
    let total = 0;
    for (let i = 0; i < products.length; i++) total += numbers[2 * i] * numbers[2 * i + 1];
    return numbers.slice(2 * products.length).reduce((sum, x) => sum + x, total);
  };
  const operands = [...products.flat(), ...addends];
  const digits = digitsFor(compute, operands);
  const terms = products.map(([w, x]) => `${operand(w, digits)} · ${operand(x, digits)}`);
  terms.push(...addends.map((x) => operand(x, digits)));
  return `${terms.join(" + ") || "0"} ${equated(compute(operands))}`;
}

const largest = (numbers) => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
const rootMeanSquare = (numbers) => Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0) / Math.max(numbers.length, 1));

/** Round numbers between two bounds, for the marks of an axis. */
function ticks(low, high, count, whole = false) {
  const raw = (high - low) / Math.max(count, 1) || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  let step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999);
  if (whole) step = Math.max(1, Math.round(step));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, n) => Number(((first + n) * step).toPrecision(12)));
}
