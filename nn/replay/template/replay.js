// The network, replayed: from the weights of a frame to activations, for any inputs.

// A run is a recording, unpacked, with what was drawn of it; these names are those of the run that
// is shown.

let run = null;
let data = null; // as it was recorded
let layers = [];
let [inputCount, outputCount, classCount] = [0, 0, 2];
let isDecision = false;
let film = {}; // the rows of each frame: weights, gradients, steps, outputs
let probe = {}; // inputs, how many, and places: the inputs, or what these are made from
let drawn = {}; // where things lie, and what does not change from frame to frame
let view = "plane";

/** A run of a recording. */
async function runOf(recording) {
  const rows = {};
  for (const name of ["weights", "gradients", "steps", "outputs"]) {
    rows[name] = recording.frames[name] && (await unpack(recording.frames[name]));
  }
  const inputs = await unpack(recording.probe);
  const places = recording.places ? await unpack(recording.places) : inputs;
  const flat = (table) => Float64Array.from(table.flatMap((row) => Array.from(row)));
  const outputs = recording.layers[recording.layers.length - 1].units;
  const axes = places[0].length;
  return {
    data: recording,
    layers: recording.layers,
    inputCount: recording.layers[0].in_features,
    outputCount: outputs,
    classCount: recording.task.kind === "classes" ? outputs : 2,
    isDecision: recording.task.kind !== "numbers",
    film: rows,
    probe: { inputs: flat(inputs), places: flat(places), count: inputs.length },
    drawn: { columns: [], links: [], scales: [] },
    view: axes === 2 ? "plane" : axes === 1 ? "line" : recording.image ? "pixels" : "table",
  };
}

/** Let the names above be those of this run. */
function use(chosen) {
  run = chosen;
  ({ data, layers, inputCount, outputCount, classCount, isDecision, film, probe, drawn, view } = chosen);
}

/** What is computed from a frame once, and kept for as long as the frame itself. */
function once(frame, name, compute) {
  const weights = film.weights[frame];
  if (!computed.has(weights)) computed.set(weights, {});
  return (computed.get(weights)[name] ??= compute());
}

const computed = new WeakMap();
const latest = { weights: null, replayed: null }; // activations are kept of the last frame alone

/** The distribution function of a standard normal number. */
function normalProbability(x) {
  const size = Math.min(Math.abs(x), 40);
  if (size < 3) {
    let [term, sum] = [size, size];
    for (let n = 1; Math.abs(term) > 1e-17 * sum && n < 200; n++) sum += term *= (size * size) / (2 * n + 1);
    const half = (sum * Math.exp(-0.5 * size * size)) / Math.sqrt(2 * Math.PI);
    return x < 0 ? 0.5 - half : 0.5 + half;
  }
  let fraction = size;
  for (let n = 60; n > 0; n--) fraction = size + n / fraction;
  const tail = Math.exp(-0.5 * size * size) / (fraction * Math.sqrt(2 * Math.PI));
  return x < 0 ? tail : 1 - tail;
}

const sigmoid = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const clip = (x, low, high) => Math.min(Math.max(x, low), high);
const elu = (x, alpha = 1) => (x > 0 ? x : alpha * Math.expm1(x));

function gelu(x, approximate) {
  if (!approximate) return x * normalProbability(x);
  const bounded = clip(x, -100, 100);
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (bounded + 0.044715 * bounded ** 3)));
}

/** Functions of one number, and how they are written; `options` are those of the layer. */
const ELEMENTWISE = {
  identity: () => (x) => x,
  heaviside: () => (x) => (x >= 0 ? 1 : 0),
  sign: () => (x) => (x >= 0 ? 1 : -1),
  sigmoid: () => sigmoid,
  tanh: () => Math.tanh,
  relu: () => (x) => Math.max(x, 0),
  softplus: () => softplus,
  hard_sigmoid: () => (x) => clip(x / 6 + 0.5, 0, 1),
  hard_tanh: () => (x) => clip(x, -1, 1),
  relu6: () => (x) => clip(x, 0, 6),
  leaky_relu: ({ slope = 0.01 }) => (x) => (x > 0 ? x : slope * x),
  elu: ({ alpha = 1 }) => (x) => elu(x, alpha),
  selu: () => (x) => 1.0507009873554805 * elu(x, 1.6732632423543772),
  gelu: ({ approximate = false }) => (x) => gelu(x, approximate),
  silu: () => (x) => x * sigmoid(x),
  mish: () => (x) => x * Math.tanh(softplus(x)),
  softsign: () => (x) => x / (1 + Math.abs(x)),
};

/** Functions of all units of a sample: from a row to the numbers that take its place. */
const OF_ROWS = {
  softmax(row) {
    const top = Math.max(...row);
    const powers = row.map((x) => Math.exp(x - top));
    const total = powers.reduce((sum, x) => sum + x, 0);
    return powers.map((x) => x / total);
  },
  log_softmax(row) {
    const top = Math.max(...row);
    const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0));
    return row.map((x) => x - top - total);
  },
  glu: (row) => row.slice(0, row.length / 2).map((x, unit) => x * sigmoid(row[unit + row.length / 2])),
};

/** Between which numbers the results lie, where both ends are ones that a unit can get stuck at. */
const BOUNDS = { sigmoid: [0, 1], tanh: [-1, 1], hard_sigmoid: [0, 1], hard_tanh: [-1, 1], relu6: [0, 6], softsign: [-1, 1] };

/** One activation of rows of numbers. */
function activate(part, weights, z, units) {
  if (part.name in OF_ROWS) {
    const rows = [];
    for (let start = 0; start < z.length; start += units) rows.push(...OF_ROWS[part.name](Array.from(z.subarray(start, start + units))));
    return Float64Array.from(rows);
  }
  if (part.name === "prelu") {
    const slope = (index) => weights[part.slopes + (part.count > 1 ? index % units : 0)];
    return z.map((x, index) => (x > 0 ? x : slope(index) * x));
  }
  return z.map(ELEMENTWISE[part.name](part));
}

/** The sums of a Linear layer for rows of inputs. */
function affine(layer, weights, x, count) {
  const { in_features: wide, out_features: units } = layer;
  const z = new Float64Array(count * units);
  for (let sample = 0; sample < count; sample++) {
    const to = sample * units;
    if (layer.bias !== null) for (let unit = 0; unit < units; unit++) z[to + unit] = weights[layer.bias + unit];
    for (let input = 0; input < wide; input++) {
      const value = x[sample * wide + input];
      if (value === 0) continue;
      const from = layer.weight + input * units;
      for (let unit = 0; unit < units; unit++) z[to + unit] += value * weights[from + unit];
    }
  }
  return z;
}

/** The sums and the activations of every layer. */
function forward(weights, inputs, count) {
  let x = inputs;
  return layers.map((layer) => {
    const z = affine(layer, weights, x, count);
    x = activated(layer, weights, z, count);
    return { z, a: x };
  });
}

/** The activations of a layer, one after the other. */
function activated(layer, weights, z, count) {
  let [a, units] = [z, layer.out_features];
  for (const part of layer.activations) {
    a = activate(part, weights, a, units);
    units = a.length / count;
  }
  return a;
}

const outputsOf = (replayed) => replayed[replayed.length - 1].a;

// Whether a replay is one: the model's own outputs for some samples stand beside each frame.

/** How far the outputs of a replay may be from the model's by rounding to float32 alone. */
function roundingOf(weights, x) {
  let [inputs, errors] = [x, new Float64Array(x.length)];
  for (const layer of layers) {
    const z = affine(layer, weights, inputs, 1);
    const e = new Float64Array(layer.out_features);
    for (let unit = 0; unit < layer.out_features; unit++) {
      let [size, carried] = [Math.abs(layer.bias === null ? 0 : weights[layer.bias + unit]), 0];
      for (let input = 0; input < layer.in_features; input++) {
        const w = Math.abs(weights[layer.weight + input * layer.out_features + unit]);
        size += w * Math.abs(inputs[input]);
        carried += w * errors[input];
      }
      e[unit] = carried + (layer.in_features + 3) * data.rounding * size;
    }
    [inputs, errors] = [z, e];
    for (const part of layer.activations) [inputs, errors] = roundingThrough(part, weights, inputs, errors);
  }
  return errors;
}

/** How much a change of the arguments may grow in a function of all units. */
const GROWTH = { softmax: 1, log_softmax: 2, glu: 1 };

/** An activation, and how far off it can be where its arguments are. */
function roundingThrough(part, weights, z, errors) {
  const at = (numbers) => activate(part, weights, numbers, z.length);
  const a = at(z);
  if (part.name in OF_ROWS) {
    const worst = largest(errors) * GROWTH[part.name] * (part.name === "glu" ? 1 + largest(z) : 1);
    return [a, a.map((x) => worst + 16 * data.rounding * (Math.abs(x) + 1))];
  }
  const [above, below] = [at(z.map((x, i) => x + errors[i])), at(z.map((x, i) => x - errors[i]))];
  const own = (i) => Math.abs(a[i]) + (part.name === "gelu" ? Math.abs(z[i]) : 0); // a difference from 1 is in it
  return [a, errors.map((e, i) => Math.max(Math.abs(above[i] - a[i]), Math.abs(a[i] - below[i])) + 2 * e * e + 16 * data.rounding * own(i))];
}

/** What the comparison of a frame says: whether it is a replay, and to how many digits. */
function verdictOf(frame) {
  const weights = film.weights[frame];
  let [same, apart, size] = [true, 0, 0];
  const isFinite = film.outputs[frame].every(Number.isFinite); // infinities agree with whatever is large
  data.watched.forEach((sample, place) => {
    const x = inputsOf(sample);
    const replayed = outputsOf(forward(weights, x, 1));
    const errors = roundingOf(weights, x);
    replayed.forEach((number, unit) => {
      const stored = film.outputs[frame][place * outputCount + unit];
      const difference = Math.abs(number - stored);
      if (!(difference <= errors[unit] + data.rounding * Math.abs(stored) + 1e-37)) same = false;
      apart = Math.max(apart, difference);
      size = Math.max(size, Math.abs(stored));
    });
  });
  const digits = apart > 0 && size > 0 ? Math.floor(-Math.log10(apart / size)) : 7;
  return { same: same && isFinite, isFinite, apart, digits: clip(digits, 0, 7) };
}

// The probe: samples, targets, and what outputs say of them.

const inputsOf = (sample) => probe.inputs.subarray(sample * inputCount, (sample + 1) * inputCount);

const OF_OUTPUTS = {
  softmax: OF_ROWS.softmax,
  exp: (row) => row.map(Math.exp),
  sigmoid: (row) => row.map(sigmoid),
  identity: (row) => row,
};

/** The probabilities that a row of outputs means; null where it means none. */
const probabilities = (row) => OF_OUTPUTS[data.task.probability]?.(Array.from(row)) ?? null;

/** What a row of outputs decides for: a class, or the number itself. */
function decide(row) {
  if (data.task.kind === "classes") return row.indexOf(Math.max(...row));
  if (data.task.kind === "binary") return row[0] > data.task.threshold ? 1 : 0;
  return row[0];
}

const className = (label) => data.classes?.[label] ?? (label >= 0 && label < classCount ? `class ${label}` : "none");
const hasTarget = (sample) => !isDecision || (data.targets[sample] >= 0 && data.targets[sample] < classCount);
const featureName = (index) => data.features[index] ?? (data.image ? `pixel ${Math.floor(index / data.image[1])}, ${index % data.image[1]}` : `x${index + 1}`);

/** The probe's activations at a frame. */
function atFrame(frame) {
  const weights = film.weights[frame];
  if (latest.weights !== weights) {
    latest.replayed = forward(weights, probe.inputs, probe.count);
    latest.weights = weights;
  }
  return latest.replayed;
}

const rowOf = (array, sample, units) => Array.from(array.subarray(sample * units, (sample + 1) * units));

/** The outputs for a sample at a frame, by itself. */
const predictionAt = (frame, sample) => Array.from(outputsOf(forward(film.weights[frame], inputsOf(sample), 1)));

/** The samples that a frame decides wrongly. */
function wrongAt(frame) {
  if (!isDecision) return [];
  return once(frame, "wrong", () => {
    const outputs = outputsOf(atFrame(frame));
    const isWrong = (sample) => hasTarget(sample) && decide(rowOf(outputs, sample, outputCount)) !== data.targets[sample];
    return [...Array(probe.count).keys()].filter(isWrong);
  });
}

// Units that have stopped to learn.

/** Whether a unit gives the same number for all samples, and for how many it is at its bounds. */
function lifeIn(layer, a, unit) {
  const bounds = BOUNDS[layer.activations[layer.activations.length - 1]?.name];
  const margin = bounds ? 0.01 * (bounds[1] - bounds[0]) : 0;
  let [low, high, stuck] = [Infinity, -Infinity, 0];
  for (let index = unit; index < a.length; index += layer.units) {
    low = Math.min(low, a[index]);
    high = Math.max(high, a[index]);
    if (bounds && (a[index] <= bounds[0] + margin || a[index] >= bounds[1] - margin)) stuck += 1;
  }
  const isDead = high === low && probe.count > 1;
  return { isDead, isSaturated: Boolean(bounds) && !isDead && stuck >= 0.95 * (a.length / layer.units), low, high };
}

/** For each layer and unit of a frame: 0 for alive, 1 for saturated, 2 for dead. */
function livesAt(frame) {
  return once(frame, "lives", () => atFrame(frame).map(({ a }, index) =>
    Uint8Array.from({ length: layers[index].units }, (_, unit) => {
      const life = lifeIn(layers[index], a, unit);
      return life.isDead ? 2 : life.isSaturated ? 1 : 0;
    })));
}
