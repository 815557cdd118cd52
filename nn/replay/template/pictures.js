// The outputs over the plane, with the data in it.

const PLANE = 480; // pixels of its canvas along a side

/** What gives the bytes of the colour for the outputs of a point, the one of this number. */
function bytesOfOutputs(outputs) {
  if (!isDecision) {
    const bytes = bytesOnScale(targetScale());
    return (point) => bytes(outputs[point * outputCount]);
  }
  const palettes = Array.from({ length: classCount }, (_, label) => classPalette(label));
  const decideAt = data.task.kind === "binary" ? binaryAt : classAt;
  return (point) => {
    const [label, sureness] = decideAt(outputs, point);
    return palettes[label][Math.round(clip(sureness, 0, 1) * STEPS)];
  };
}

/** The class of a point among several, and how sure that is, from 0 to 1. */
function classAt(outputs, point) {
  let [label, total] = [0, 0];
  const from = point * outputCount;
  for (let unit = 1; unit < outputCount; unit++) if (outputs[from + unit] > outputs[from + label]) label = unit;
  if (data.task.probability === "none") return [label, 1];
  for (let unit = 0; unit < outputCount; unit++) total += chanceFrom(outputs[from + unit], outputs[from + label]);
  const chance = chanceFrom(outputs[from + label], outputs[from + label]) / (data.task.probability === "softmax" ? total : 1);
  return [label, (chance - 1 / outputCount) / (1 - 1 / outputCount)];
}

/** What an output says of its class; of a softmax beside the largest output, whose share is 1. */
function chanceFrom(output, top) {
  if (data.task.probability === "softmax") return Math.exp(output - top);
  return data.task.probability === "exp" ? Math.exp(output) : output;
}

/** The same where one output decides between two. */
function binaryAt(outputs, point) {
  const label = outputs[point] > data.task.threshold ? 1 : 0;
  if (data.task.probability === "none") return [label, Math.abs(outputs[point])];
  const chance = data.task.probability === "sigmoid" ? sigmoid(outputs[point]) : outputs[point];
  return [label, Math.abs(2 * chance - 1)];
}

/** Paint the plane of a frame into a canvas; less finely where it is soon painted over. */
function drawPlane(canvas, frame, isBrief) {
  const { size, inputs } = isBrief ? (drawn.coarse ??= gridOf(finest(36))) : (drawn.fine ??= gridOf(finest(56)));
  const outputs = outputsOf(forward(film.weights[frame], inputs, size * size));
  const small = drawPlane.small ??= make("canvas");
  paint(small, size, size, bytesOfOutputs(outputs));
  if (canvas.width !== PLANE || canvas.height !== PLANE) [canvas.width, canvas.height] = [PLANE, PLANE];
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = true;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  drawSamples(context, frame);
}

const targetScale = () => largest(data.targets.map((target) => target[0])) || 1;

/** The place of a sample in the plane, as shares of its sides. */
function placeOf(sample) {
  const share = (axis) => {
    const [low, high] = extent(axis);
    return (probe.places[2 * sample + axis] - low) / (high - low);
  };
  return [share(0), 1 - share(1)];
}

/** Draw the samples over the plane; they are drawn anew where others are wrong or chosen. */
function drawSamples(context, frame) {
  const wrong = wrongAt(frame);
  const key = [isDark(), state.selected?.sample, ...wrong].join(" ");
  drawn.samples ??= { canvas: make("canvas", { width: PLANE, height: PLANE }), key: null };
  if (drawn.samples.key !== key) {
    drawn.samples.key = key;
    paintSamples(drawn.samples.canvas.getContext("2d"), new Set(wrong));
  }
  context.drawImage(drawn.samples.canvas, 0, 0);
}

function paintSamples(context, wrong) {
  context.clearRect(0, 0, PLANE, PLANE);
  for (let sample = 0; sample < probe.count; sample++) {
    const [x, y] = placeOf(sample);
    dot(context, x * PLANE, y * PLANE, sampleColour(sample), wrong.has(sample), isChosenSample(sample));
  }
}

const isChosenSample = (sample) => state.selected?.kind === "sample" && state.selected.sample === sample;

function sampleColour(sample) {
  if (!hasTarget(sample)) return "#888";
  return isDecision ? hueText(data.targets[sample]) : colour(data.targets[sample][0] / targetScale());
}

/** A sample: a disc, or a cross where it is decided wrongly. */
function dot(context, x, y, fill, isWrong, isChosen) {
  context.beginPath();
  context.arc(x, y, 5, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = "#fff";
  context.lineWidth = 1.5;
  context.stroke();
  if (isWrong) {
    context.beginPath();
    for (const sign of [-1, 1]) {
      context.moveTo(x - 6, y - 6 * sign);
      context.lineTo(x + 6, y + 6 * sign);
    }
    context.strokeStyle = isDark() ? "#fff" : "#000";
    context.lineWidth = 3;
    context.stroke();
  }
  if (!isChosen) return;
  context.beginPath();
  context.arc(x, y, 11, 0, 2 * Math.PI);
  context.strokeStyle = isDark() ? "#fff" : "#000";
  context.lineWidth = 3;
  context.stroke();
}

// The outputs along the line, with the data: a curve for each, or for the probability of each class.

/** What the curves show of a row of outputs. */
const curvesOf = (row) => (isDecision ? probabilities(row) ?? row : row);

/** Where the data stand: targets beside their outputs, classes at the bottom and the top. */
function heightsOf(sample) {
  if (!isDecision) return data.targets[sample];
  return [data.task.kind === "binary" ? data.targets[sample] : 0];
}

/** The lowest and the highest number that the picture has room for. */
function heightRange(rows) {
  if (isDecision && data.task.probability !== "none") return [-0.1, 1.1];
  const numbers = isDecision ? rows.flat() : data.targets.flat();
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const margin = 0.15 * (high - low) || 1;
  return [low - margin, high + margin];
}

const curveColour = (index) => (isDecision ? hueText(data.task.kind === "binary" ? 1 : index) : hueText(index + 1));

function drawLine(canvas, frame) {
  [canvas.width, canvas.height] = [PLANE, PLANE * 0.7];
  const context = canvas.getContext("2d");
  const { places, inputs, count } = drawn.fine ??= gridOf(finest(120));
  const outputs = outputsOf(forward(film.weights[frame], inputs, count));
  const rows = Array.from(places, (_, index) => curvesOf(rowOf(outputs, index, outputCount)));
  const [low, high] = heightRange(rows);
  const [first, last] = extent(0);
  const across = (x) => ((x - first) / (last - first)) * canvas.width;
  const up = (number) => (1 - (number - low) / (high - low)) * canvas.height;
  const wrong = new Set(wrongAt(frame));
  for (let sample = 0; sample < probe.count; sample++) {
    heightsOf(sample).forEach((number, index) => dot(context, across(probe.places[sample]), up(number), isDecision ? sampleColour(sample) : curveColour(index), wrong.has(sample), isChosenSample(sample)));
  }
  context.lineWidth = 3.5;
  rows[0].forEach((_, curve) => {
    context.strokeStyle = curveColour(curve);
    context.beginPath();
    places.forEach((x, index) => context.lineTo(across(x), up(rows[index][curve])));
    context.stroke();
  });
  drawn.placeOnLine = (sample) => [across(probe.places[sample]) / canvas.width, up(heightsOf(sample)[0]) / canvas.height];
}

/** Draw the outputs of a frame, and say them. */
function drawOutputs(canvas, frame, isBrief = false) {
  if (view === "plane") drawPlane(canvas, frame, isBrief);
  else if (view === "line") drawLine(canvas, frame);
  canvas.setAttribute("aria-label", spokenOutputs(frame));
}

/** What stands over the picture of the outputs. */
function outputsTitle() {
  if (view === "line" && isDecision) return data.task.probability === "none" ? "Outputs" : data.task.kind === "binary" ? `Probability of ${className(1)}` : `Probabilities of ${[...Array(outputCount).keys()].map(className).join(", ")}`;
  if (isDecision) return "Outputs";
  return outputCount === 1 || view === "line" ? "Outputs" : `Output ${outputName(0)}; click an output's unit for another`;
}

function spokenOutputs(frame) {
  const where = view === "plane" ? "The outputs over the plane" : "The outputs";
  if (!isDecision) return `${where} after epoch ${epochOf(frame)}, with ${probe.count} samples`;
  return `${where} after epoch ${epochOf(frame)}: ${probe.count - wrongAt(frame).length} of ${probe.count} samples right`;
}

/** The sample nearest to a place on a canvas, in shares of its sides; null if none is near. */
function sampleNear(x, y) {
  let [found, nearest] = [null, 0.05];
  for (let sample = 0; sample < probe.count; sample++) {
    const [left, top] = view === "plane" ? placeOf(sample) : drawn.placeOnLine(sample);
    const distance = Math.hypot(left - x, top - y);
    if (distance < nearest) [found, nearest] = [sample, distance];
  }
  return found;
}
