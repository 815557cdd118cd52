// What the page answers: about a unit, a weight, a sample, two epochs, or the whole.

const epochOf = (frame) => data.frames.epochs[frame];
const xsOfFrames = () => data.frames.epochs;

/** What sets a parameter by hand, given by its place in a frame, on a page that can. */
let editor = () => [];

/** A button in an answer; `key` finds it again when the answer is written anew. */
function button(text, key, action) {
  const made = make("button", { type: "button", "data-key": key }, text);
  made.addEventListener("click", action);
  return made;
}

const sampleButton = (sample, text = `sample ${sample + 1}`) => button(text, `sample-${sample}`, () => select({ kind: "sample", sample }));
const unitButton = (layer, unit) => button(unitName(layer, unit), `unit-${layer}-${unit}`, () => select({ kind: "unit", layer, unit }));

function table(caption, head, rows) {
  const top = make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)));
  const body = rows.map(([name, ...cells]) => make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((cell) => make("td", {}, cell))));
  return make("div", { class: "wide" }, make("table", {}, make("caption", {}, caption), ...(head.length ? [top] : []), ...body));
}

/** A chart of something through the recorded epochs, marked at the one that is shown. */
function throughTime(title, series) {
  const made = chart(title, xsOfFrames(), series, goToEpoch);
  made.mark(epochOf(state.frame));
  return made.figure;
}

function answer() {
  const chosen = state.selected;
  if (!chosen) return answerAll();
  return { unit: answerUnit, edge: answerEdge, sample: answerSample }[chosen.kind](chosen);
}

const heading = (text) => [make("h2", { tabindex: "-1", id: "answer-title" }, text), button("Back to the overview", "back", () => select(null))];

// The whole.

function answerAll() {
  const parts = [make("h2", { tabindex: "-1", id: "answer-title" }, "Ask")];
  parts.push(line("muted", view === "plane" || view === "line" ? "Click a unit, a link or a point; each tells its story." : "Click a unit or a link, or choose a sample below; each tells its story."));
  if (view !== "plane" && view !== "line" && isDecision && classCount <= 12) parts.push(confusion());
  const wrong = wrongAt(state.frame);
  if (isDecision) {
    parts.push(make("h3", {}, `Wrong: ${wrong.length} of ${probe.count} samples`));
    parts.push(make("p", { class: "list" }, ...wrong.slice(0, 24).flatMap((sample) => [pictured(sample), " "])));
    if (wrong.length > 24) parts.push(line("muted", `and ${wrong.length - 24} more`));
  }
  parts.push(...deaths());
  return parts;
}

/** A button for a sample; of an image a small picture. */
function pictured(sample) {
  if (view !== "pixels") return sampleButton(sample);
  const canvas = make("canvas", { "aria-hidden": "true" });
  const made = sampleButton(sample, "");
  made.setAttribute("aria-label", `sample ${sample + 1}`);
  made.classList.add("picture");
  drawImage(canvas, sample);
  made.append(canvas);
  return made;
}

function drawImage(canvas, sample) {
  const x = inputsOf(sample);
  paintNumbers(canvas, data.image[1], data.image[0], (pixel) => x[pixel], largest(x) || 1);
}

/** How often each class was taken for each other one. */
function confusion() {
  const outputs = outputsOf(atFrame(state.frame));
  const counts = Array.from({ length: classCount }, () => new Array(classCount).fill(0));
  for (let sample = 0; sample < probe.count; sample++) {
    if (hasTarget(sample)) counts[data.targets[sample]][decide(rowOf(outputs, sample, outputCount))] += 1;
  }
  const names = [...Array(classCount).keys()].map((label) => data.classes?.[label] ?? String(label));
  const made = table("True classes down, predicted ones across", ["", ...names], counts.map((row, label) => [names[label], ...row.map(String)]));
  made.classList.add("confusion");
  made.querySelectorAll("td").forEach((cell, index) => {
    const [row, column] = [Math.floor(index / classCount), index % classCount];
    if (counts[row][column]) cell.className = row === column ? "right" : "wrong";
  });
  return made;
}

/** The units that give the same number for every sample. */
function deaths() {
  const found = [];
  livesAt(state.frame).forEach((kinds, layer) => kinds.forEach((kind, unit) => kind === 2 && found.push([layer, unit])));
  if (!found.length) return [];
  return [make("h3", {}, `Dead units: ${found.length}`), make("p", { class: "list" }, ...found.slice(0, 24).flatMap(([layer, unit]) => [unitButton(layer, unit), " "]))];
}

// A unit.

/** The sum of a unit with the numbers put in: the largest products, and the rest in one. */
function sumOf(frame, layer, column, x) {
  const { weight, bias, in_features: wide, out_features: units } = layers[layer];
  const weights = film.weights[frame];
  const products = Array.from({ length: wide }, (_, input) => [weights[weight + input * units + column], x[input], input]);
  products.sort((a, b) => Math.abs(b[0] * b[1]) - Math.abs(a[0] * a[1]) || a[2] - b[2]);
  const shown = products.slice(0, wide <= 8 ? 8 : 6);
  const rest = products.slice(shown.length).reduce((sum, [w, value]) => sum + w * value, 0);
  const addends = [...(wide > shown.length ? [rest] : []), ...(bias === null ? [] : [weights[bias + column]])];
  if (wide <= 8) shown.sort((a, b) => a[2] - b[2]);
  return { text: `z = ${sumText(shown.map(([w, value]) => [w, value]), addends)}`, rest: wide - shown.length };
}

/** The lines that compute a unit for a sample. */
function formulas(frame, layer, unit, sample) {
  const replayed = forward(film.weights[frame], inputsOf(sample), 1);
  const x = layer ? replayed[layer - 1].a : inputsOf(sample);
  const lines = [];
  for (const column of sourcesOf(layer, unit)) {
    const { text, rest } = sumOf(frame, layer, column, x);
    lines.push(line("formula", text));
    if (rest > 0) lines.push(line("muted", `the ${rest} smallest products are one number in it`));
  }
  const names = layerName(layer);
  if (names !== "linear") {
    const ofRow = layers[layer].activations.some((part) => part.name in OF_ROWS);
    const { z, a } = replayed[layer];
    const ofOne = ([number]) => activated(layers[layer], film.weights[frame], z.with(unit, number), 1)[unit];
    const argument = ofRow ? "z of all units" : short(z[unit], digitsFor(ofOne, [z[unit]]));
    lines.push(line("formula", `a = ${names.split(", ").reverse().join(" of ")}(${argument}) ${equated(a[unit])}`));
  }
  return lines;
}

function symbols(layer, unit) {
  const inputs = layers[layer].in_features;
  const names = layer ? ["a1", "a2"] : [featureName(0), featureName(1)];
  const last = layer ? `a${inputs}` : featureName(inputs - 1);
  const sum = inputs === 1 ? `w · ${names[0]}` : inputs === 2 ? `w1 · ${names[0]} + w2 · ${names[1]}` : `w1 · ${names[0]} + … + w${inputs} · ${last}`;
  const bias = layers[layer].bias === null ? "" : " + b";
  return `z = ${sum}${bias}${layerName(layer) === "linear" ? "" : `,  a = ${layerName(layer)}(z)`}`;
}

function answerUnit({ layer, unit }) {
  const { frame } = state;
  const canvas = make("canvas", { class: "map", role: "img", "aria-label": `map of ${unitName(layer, unit)}` });
  const replayed = mapNumbers(frame);
  drawMap(canvas, frame, layer, unit, replayed[layer].a, scaleOf(layer, replayed[layer].a), 180);
  if (view === "pixels" && layer === 0) letPick(canvas, unit);
  const a = atFrame(frame)[layer].a;
  const z = atFrame(frame)[layer].z;
  const order = [...Array(probe.count).keys()].sort((one, other) => a[other * layers[layer].units + unit] - a[one * layers[layer].units + unit]);
  const near = [...order].sort((one, other) => Math.abs(z[one * layers[layer].out_features + unit]) - Math.abs(z[other * layers[layer].out_features + unit]));
  const example = state.sample ?? order[0];
  return [
    ...heading(`Unit ${unit + 1} of layer ${layer + 1}: ${layerName(layer)}`),
    line("", lifeText(layer, unit)),
    canvas,
    line("muted", mapText(layer, drawn.scales[layer] ?? 1)),
    make("h3", {}, "Formula"), line("formula muted", symbols(layer, unit)),
    line("muted", `for sample ${example + 1}:`), ...formulas(frame, layer, unit, example),
    make("h3", {}, "Samples"),
    table("Activations", [], [["highest", samplesIn(order.slice(0, 3), a, layer, unit)], ["lowest", samplesIn(order.slice(-3).reverse(), a, layer, unit)], ["nearest to z = 0", samplesIn(near.slice(0, 3), a, layer, unit)]]),
    ...weightsInto(layer, unit),
    ...(layers[layer].bias === null ? [] : editor("bias", layers[layer].bias + unit)),
  ];
}

/** A click on a pixel of a unit's weights asks about that weight. */
function letPick(canvas, unit) {
  const [rows, columns] = data.image;
  canvas.classList.add("picked");
  canvas.addEventListener("click", (event) => {
    const [x, y] = shareOf(event, canvas).map((share) => clip(share, 0, 0.9999));
    select({ kind: "edge", layer: 0, input: Math.floor(y * rows) * columns + Math.floor(x * columns), unit });
  });
}

function samplesIn(samples, a, layer, unit) {
  const number = (sample) => marked(a[sample * layers[layer].units + unit]);
  return make("span", {}, ...samples.flatMap((sample) => [make("span", { class: "whole" }, sampleButton(sample, `${sample + 1}`), ` ${number(sample)}`), "  "]));
}

function mapText(layer, scale) {
  if (view === "pixels" && layer === 0) return "Its weights as an image: blue below zero, orange above; all units of the layer share one scale.";
  if (view === "line") return `Its activation along the input, from ${marked(-scale)} to ${marked(scale)}.`;
  const where = view === "plane" ? "over the plane of the inputs" : "for the samples of the probe, sorted by their targets";
  return `Its activation ${where}: full blue is ${marked(-scale)}, full orange ${marked(scale)}.`;
}

/** Whether a unit is alive, and since when not. */
function lifeText(layer, unit) {
  const kinds = film.weights.map((_, frame) => livesAt(frame)[layer][unit]);
  const word = ["alive", "saturated", "dead"][kinds[state.frame]];
  let since = state.frame;
  while (since > 0 && kinds[since - 1] === kinds[state.frame]) since -= 1;
  const meaning = { alive: "", saturated: ": at its bounds for 95 of 100 samples, where it learns little", dead: ": the same number for every sample, so that nothing flows back" }[word];
  const ever = kinds.findIndex((kind) => kind === 2);
  const later = word === "alive" && ever >= 0 ? ` It is dead at epoch ${epochOf(ever)}.` : "";
  if (word === "alive") return `Alive after epoch ${epochOf(state.frame)}.${later || (kinds.includes(2) ? "" : ` It is not dead at any epoch up to ${epochOf(lastFrame())}.`)}`;
  return `${word[0].toUpperCase()}${word.slice(1)} since ${sinceText(since)}${meaning}.`;
}

/** When something began that was not so in the frame before; epochs between may not be kept. */
function sinceText(frame) {
  const first = frame ? epochOf(frame - 1) + 1 : epochOf(0);
  return first < epochOf(frame) ? `an epoch from ${first} to ${epochOf(frame)}` : `epoch ${epochOf(frame)}`;
}

/** The weights that lead into a unit, the largest first, each a button. */
function weightsInto(layer, unit) {
  const { weight, bias, in_features: wide, out_features: units } = layers[layer];
  const rows = sourcesOf(layer, unit).flatMap((column) => Array.from({ length: wide }, (_, input) => ({ input, column, place: weight + input * units + column })));
  rows.sort((one, other) => Math.abs(film.weights[state.frame][other.place]) - Math.abs(film.weights[state.frame][one.place]));
  const cells = rows.slice(0, 12).map(({ input, column, place }) => [
    button(layer ? `from unit ${input + 1}` : featureName(input), `edge-${layer}-${input}-${column}`, () => select({ kind: "edge", layer, input, unit: column })),
    marked(film.weights[state.frame][place]), marked(film.gradients[state.frame][place]),
  ]);
  if (bias !== null) cells.push(["bias b", marked(film.weights[state.frame][bias + unit]), marked(film.gradients[state.frame][bias + unit])]);
  const parts = [make("h3", {}, "Weights"), table("", ["", "weight", "gradient"], cells)];
  if (rows.length > 12) parts.push(line("muted", `and ${rows.length - 12} smaller ones`));
  return parts;
}

// A weight.

function answerEdge({ layer, input, unit }) {
  const place = layers[layer].weight + input * layers[layer].out_features + unit;
  const from = layer ? unitName(layer - 1, input) : featureName(input);
  const [w, g] = [film.weights[state.frame][place], film.gradients[state.frame][place]];
  const target = unit % layers[layer].units;
  return [
    ...heading(`Weight from ${from} to ${unitName(layer, target)}`),
    table("", [], [["weight w", make("span", { class: "weight" }, marked(w, 6))], ["gradient g", make("span", { class: "gradient" }, marked(g, 6))]]),
    ...editor("weight", place),
    line("muted", "The gradient is that of the loss on the probe, without penalties."),
    ...(layers[layer].is_frozen ? [line("", "It is frozen: it was not trained, and has no gradient.")] : updateLines(place, w, g)),
    throughTime("weight", [{ name: "w", values: film.weights.map((row) => row[place]) }]),
    throughTime("gradient", [{ name: "g", values: film.gradients.map((row) => row[place]) }]),
    make("p", { class: "list" }, unitButton(layer, target)),
  ];
}

/** The rule of the optimizer, with the numbers of this moment put in. */
function updateLines(place, w, g) {
  const { rule } = data;
  const rate = data.frames.rates[state.frame];
  const parts = [make("h3", {}, "Update"), line("muted", rule.name)];
  if (rule.text) parts.push(line("formula muted", rule.text));
  if (film.steps) {
    const step = film.steps[state.frame][place];
    parts.push(line("muted", `With this gradient, and what it remembers by now, it would add ${marked(step)}:`));
    parts.push(line("formula update", `w ← ${sumText([], [w, step])}`));
  } else {
    const compute = ([weight, factor, gradient]) => weight - factor * gradient;
    const digits = digitsFor(compute, [w, rate, g]);
    parts.push(line("formula update", `w ← ${operand(w, digits)} - ${operand(rate, digits)} · ${operand(g, digits)} ${equated(compute([w, rate, g]))}`));
  }
  const next = state.frame + 1;
  if (next < film.weights.length) {
    const change = film.weights[next][place] - w;
    parts.push(line("muted", `The batches up to epoch ${epochOf(next)} changed it by ${marked(change)}, to ${marked(film.weights[next][place])}.`));
  }
  return parts;
}

// A sample.

function targetText(sample) {
  if (isDecision) return className(data.targets[sample]);
  return data.targets[sample].map((x) => marked(x, 6)).join(", ");
}

function answerSample({ sample }) {
  const row = predictionAt(state.frame, sample);
  const decided = decide(row);
  const isWrong = isDecision && hasTarget(sample) && decided !== data.targets[sample];
  const parts = heading(`Sample ${sample + 1}`);
  if (view === "pixels") {
    const canvas = make("canvas", { class: "map", role: "img", "aria-label": `sample ${sample + 1} as an image` });
    drawImage(canvas, sample);
    parts.push(canvas);
  }
  parts.push(table("", [], aboutSample(sample, row, decided)));
  if (isDecision) parts.push(line(isWrong ? "wrong" : "right", isWrong ? `Wrong: ${className(decided)} instead of ${targetText(sample)}.` : hasTarget(sample) ? "Right." : "It does not count."));
  parts.push(predictionsThroughTime(sample));
  parts.push(make("h3", {}, isWrong ? "Why wrong?" : "Why?"), ...reasons(sample, row, decided), ...layerByLayer(sample));
  return parts;
}

function aboutSample(sample, row, decided) {
  const rows = [];
  if (view !== "pixels") rows.push(["inputs", Array.from(inputsOf(sample).slice(0, 8), (x, index) => `${featureName(index)} ${equated(x)}`).join(", ") + (inputCount > 8 ? ", …" : "")]);
  rows.push(["target", targetText(sample)]);
  rows.push([outputCount > 1 ? "outputs" : "output", make("span", { class: "outputs" }, row.slice(0, 10).map((x) => marked(x, 6)).join(", "))]);
  const chances = probabilities(row);
  if (isDecision) rows.push(["prediction", `${className(decided)}${chances ? `, probability ${marked(chanceOf(chances, decided))}` : ""}`]);
  if (chances && hasTarget(sample)) rows.push(["its loss", lossText(chanceOf(chances, data.targets[sample]))]);
  if (!isDecision) rows.push(["error", row.slice(0, 4).map((x, unit) => marked(x - data.targets[sample][unit])).join(", ")]);
  return rows;
}

function lossText(chance) {
  const compute = ([p]) => -Math.log(p);
  return `-log ${short(chance, digitsFor(compute, [chance]))} ${equated(compute([chance]))}`;
}

/** The probability of a class, also where one output is that of the second. */
const chanceOf = (chances, label) => (data.task.kind === "binary" ? (label ? chances[0] : 1 - chances[0]) : chances[label]);

function predictionsThroughTime(sample) {
  const rows = film.weights.map((_, frame) => predictionAt(frame, sample));
  if (!isDecision) {
    return throughTime("prediction", [{ name: outputCount > 1 ? outputName(0) : "output", values: rows.map((row) => row[0]) }, { name: "target", values: rows.map(() => data.targets[sample][0]) }]);
  }
  const chances = rows.map(probabilities);
  const decided = decide(rows[state.frame]);
  const target = hasTarget(sample) ? data.targets[sample] : decided;
  const numbers = (label) => rows.map((row, frame) => (chances[frame] ? chanceOf(chances[frame], label) : row[Math.min(label, outputCount - 1)]));
  const series = [{ name: className(target), values: numbers(target) }];
  if (decided !== target && outputCount > 1) series.push({ name: className(decided), values: numbers(decided) });
  return throughTime(chances[0] ? "probability" : "output", series);
}

/** What speaks for the class that was predicted, against the one that comes next or is right. */
function reasons(sample, row, decided) {
  const last = layers.length - 1;
  if (layers[last].activations.some((part) => part.name === "glu")) return [];
  const replayed = forward(film.weights[state.frame], inputsOf(sample), 1);
  const x = last ? replayed[last - 1].a : inputsOf(sample);
  const other = data.task.kind === "classes" ? rivalOf(sample, row, decided) : -1;
  const column = data.task.kind === "classes" ? decided : 0;
  const { weight, bias, in_features: wide, out_features: units } = layers[last];
  const weights = film.weights[state.frame];
  const lean = (base) => (column >= 0 ? weights[base + column] : 0) - (other >= 0 ? weights[base + other] : 0);
  const shares = Array.from({ length: wide }, (_, input) => [lean(weight + input * units), x[input], input]);
  shares.sort((a, b) => Math.abs(b[0] * b[1]) - Math.abs(a[0] * a[1]));
  const total = shares.reduce((sum, [w, value]) => sum + w * value, 0) + (bias === null ? 0 : lean(bias));
  const what = other >= 0 ? `${className(decided)} is ${marked(total)} ahead of ${className(other)}` : `The sum of ${isDecision || outputCount === 1 ? "the output" : outputName(0)} is ${marked(total)}`;
  const rows = shares.slice(0, 6).map(([w, value, input]) => [last ? unitButton(last - 1, input) : featureName(input), ...productCells(value, w)]);
  if (bias !== null) rows.push(["bias", "", equated(lean(bias))]);
  return [line("", `${what}. The largest shares of that${other >= 0 ? ", activation times the difference of the weights" : ", activation times weight"}:`), table("", ["", "", "share"], rows)];
}

/** A product and its result, with digits that it follows from. */
function productCells(a, b) {
  const compute = ([one, other]) => one * other;
  const digits = digitsFor(compute, [a, b]);
  return [`${short(a, digits)} · ${operand(b, digits)}`, equated(a * b)];
}

/** The class to compare the predicted one with: the right one, or the second. */
function rivalOf(sample, row, decided) {
  if (hasTarget(sample) && data.targets[sample] !== decided) return data.targets[sample];
  const others = row.map((x, label) => [x, label]).filter(([, label]) => label !== decided);
  return others.reduce((best, one) => (one[0] > best[0] ? one : best))[1];
}

/** The numbers of a sample, spelt out layer by layer; the first units of large layers. */
function layerByLayer(sample) {
  return layers.map((layer, index) => {
    const shown = Math.min(layer.units, 12);
    const body = Array.from({ length: shown }, (_, unit) => [make("h4", {}, index === layers.length - 1 && data.task.kind === "classes" ? `${unitName(index, unit)}: ${className(unit)}` : unitName(index, unit)), ...formulas(state.frame, index, unit, sample)]).flat();
    const more = layer.units > shown ? [line("muted", `and ${layer.units - shown} more; click one in the network`)] : [];
    const details = make("details", { "data-part": `layer-${index}` }, make("summary", {}, `Layer ${index + 1}: ${layerName(index)}, number by number`), ...body, ...more);
    details.open = state.open.has(`layer-${index}`);
    return details;
  });
}

// Two epochs side by side.

function comparison() {
  const frames = [state.pinned, state.frame];
  const rows = numbersOf(frames[0]).map(([name, text], index) => [name, text, numbersOf(frames[1])[index][1]]);
  layers.forEach((_, layer) => rows.push([`norm of layer ${layer + 1}`, ...frames.map((frame) => marked(layerNumbers(frame, layer).weights))]));
  const made = table("Two epochs", ["", ...frames.map((frame, index) => `${index ? "shown" : "pinned"}: ${epochOf(frame)}`)], rows);
  return made;
}

/** Losses, metrics and the rate of a frame, with their names. */
function numbersOf(frame) {
  const at = data.history.epochs.indexOf(epochOf(frame));
  const rows = Object.entries(data.history.columns).map(([name, values]) => [name, marked(at < 0 ? null : values[at])]);
  rows.push(["loss on the probe", marked(data.frames.losses[frame])]);
  if (isDecision) rows.push(["right in the probe", `${probe.count - wrongAt(frame).length} of ${probe.count}`]);
  return rows;
}

/** Sizes of a layer at a frame: of its gradients, weights, and of what the epoch changed. */
function layerNumbers(frame, layer) {
  const { weight, bias, in_features: wide, out_features: units } = layers[layer];
  const both = (rows) => [...rows[frame].subarray(weight, weight + wide * units), ...(bias === null ? [] : rows[frame].subarray(bias, bias + units))];
  const weights = Math.hypot(...both(film.weights));
  return { gradient: rootMeanSquare(both(film.gradients)), weights, update: data.frames.updates[frame][layer] };
}
