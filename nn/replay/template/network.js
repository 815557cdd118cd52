// The network as it is drawn: a map in each unit, links between them, the plane of the outputs.

const MOST_UNITS = 48; // of a layer are drawn
const MOST_LINKS = 1500; // are drawn all, of more the larger ones
const LEAST = 0.3; // of the largest weight of a layer
const GRID = 20;

/** What the samples' places are called: the inputs, unless these are made from something else. */
const axisNames = () => data.axes ?? Array.from({ length: inputCount }, (_, index) => featureName(index));

/** How inputs are made from the coordinates of a place. */
const FORMULAS = {
  column: (place, [axis]) => place[axis],
  square: (place, [axis]) => place[axis] * place[axis],
  product: (place, [one, other]) => place[one] * place[other],
  sine: (place, [axis]) => Math.sin(Math.PI * place[axis]),
};

/** The inputs of the network at some places. */
function inputsAt(places, axes) {
  if (!data.formulas) return places;
  const rows = Array.from({ length: places.length / axes }, (_, row) => {
    const place = places.subarray(row * axes, (row + 1) * axes);
    return data.formulas.map(({ name, of }) => FORMULAS[name](place, of));
  });
  return Float64Array.from(rows.flat());
}

/** The part of the space that is shown along an axis, with a margin around the data. */
function extent(axis) {
  drawn.extents ??= axisNames().map((_, index, { length: axes }) => {
    let [low, high] = [Infinity, -Infinity];
    for (let at = index; at < probe.places.length; at += axes) {
      low = Math.min(low, probe.places[at]);
      high = Math.max(high, probe.places[at]);
    }
    const margin = 0.1 * (high - low) || 1;
    return [low - margin, high + margin];
  });
  return drawn.extents[axis];
}

/** Places all over the plane, the top row first, or along the line; with the inputs there. */
function gridOf(size) {
  const places = view === "line" ? placesAlong(size) : placesAllOver(size);
  const axes = view === "line" ? 1 : 2;
  return { size, places, inputs: inputsAt(places, axes), count: places.length / axes };
}

const placeIn = ([low, high], place, size) => low + ((high - low) * (place + 0.5)) / size;
const placesAlong = (size) => Float64Array.from({ length: size }, (_, place) => placeIn(extent(0), place, size));

function placesAllOver(size) {
  const points = new Float64Array(2 * size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      points[2 * (row * size + column)] = placeIn(extent(0), column, size);
      points[2 * (row * size + column) + 1] = placeIn(extent(1), size - 1 - row, size);
    }
  }
  return points;
}

/** The fineness of a grid that is computed in no time. */
function finest(most) {
  const weights = film.weights[0].length;
  const points = Math.max(Math.floor(3e6 / weights), 144);
  return view === "line" ? Math.min(points, 120) : Math.min(Math.floor(Math.sqrt(points)), most);
}

// Where things lie.

/** Rows and columns of the units of a layer. */
function arrangement(count) {
  const shown = Math.min(count, MOST_UNITS);
  const columns = shown <= 10 ? 1 : Math.ceil(shown / 9);
  return { shown, columns, rows: Math.ceil(shown / columns) };
}

/** The places of all units, for a stage of this width. */
function placeUnits(width, height) {
  const counts = [view === "pixels" ? 1 : inputCount, ...layers.map((layer) => layer.units)];
  const plans = counts.map(arrangement);
  const image = view === "pixels" ? drawn.pixel : 0; // it takes the place of a first column
  const wide = plans.reduce((sum, plan) => sum + plan.columns, image ? -1 : 0);
  const hasLongNames = [...Array(inputCount).keys()].some((input) => featureName(input).length > 3);
  const labels = width < 500 ? [image ? 4 : hasLongNames ? 48 : 30, 46] : [64, 84];
  const free = width - labels[0] - labels[1] - image;
  const cell = Math.min((free - 24 * (plans.length - 1)) / wide, 52);
  const gap = (free - cell * wide) / Math.max(plans.length - 1, 1);
  let left = labels[0];
  return plans.map((plan, index) => {
    const side = Math.max(Math.min(cell - 6, (height - 34) / plan.rows - 6, 46), 12);
    const pitch = [Math.min(cell, side + 8), Math.min((height - 34) / plan.rows, side + 22)];
    const top = 28 + (height - 34 - pitch[1] * plan.rows) / 2;
    const places = Array.from({ length: plan.shown }, (_, unit) => ({
      x: left + (unit % plan.columns) * pitch[0] + (cell - side) / 2,
      y: top + Math.floor(unit / plan.columns) * pitch[1] + (pitch[1] - side) / 2,
    }));
    const across = image && !index ? image : plan.columns * cell;
    const column = { index, side, places, count: counts[index], left, width: across, room: across + gap, shown: plan.shown };
    left += across + gap;
    return column;
  });
}

/** Lay out the network anew, for the width that there is. */
function layOut() {
  const stage = byId("network");
  const width = stage.clientWidth;
  const height = width < 500 ? 320 : 400;
  stage.style.height = `${height}px`;
  if (view === "pixels") drawn.pixel = width < 500 ? 58 : 110;
  drawn.columns = placeUnits(width, height);
  if (view === "pixels") {
    const [column] = drawn.columns;
    column.side = drawn.pixel;
    column.places = [{ x: column.left, y: (height - drawn.pixel) / 2 }];
  }
  const canvas = byId("links");
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
  byId("units").replaceChildren(...drawn.columns.flatMap(drawColumn));
  drawn.links = drawn.columns.slice(1).flatMap(linksInto);
  byId("left-out").hidden = drawn.links.length <= MOST_LINKS;
}

const layerName = (index) => {
  const names = layers[index].activations.map((part) => part.name).filter((name) => name !== "identity");
  return names.length ? names.join(", ") : "linear";
};
const unitName = (layer, unit) => `unit ${unit + 1} of layer ${layer + 1}`;

function drawColumn(column) {
  const title = column.index ? `${column.count} × ${layerName(column.index - 1)}` : `${inputCount} ${inputCount > 1 ? "inputs" : "input"}`;
  const heading = make("div", { class: "heading" }, column.shown < column.count ? `${title}, ${column.shown} shown` : title);
  heading.style.left = `${column.left + column.width / 2}px`;
  heading.style.maxWidth = `${Math.min(column.room - 6, 110)}px`;
  return [heading, ...column.places.flatMap((place, unit) => drawUnit(column, place, unit))];
}

function drawUnit(column, place, unit) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const isInput = column.index === 0;
  const element = isInput ? make("div", { class: "unit input", title: view === "pixels" ? "" : featureName(unit) }, canvas) : make("button", { type: "button", class: "unit", "data-unit": `${column.index - 1}-${unit}` }, canvas);
  for (const [name, size] of [["left", place.x], ["top", place.y], ["width", column.side], ["height", column.side]]) element.style[name] = `${size}px`;
  if (!isInput) element.addEventListener("click", () => select({ kind: "unit", layer: column.index - 1, unit }));
  place.canvas = canvas;
  place.element = element;
  place.middle = [place.x + column.side / 2, place.y + column.side / 2];
  return [element, ...labelsOf(column, place, unit)];
}

/** Names beside the inputs and the outputs. */
function labelsOf(column, place, unit) {
  const isInput = column.index === 0;
  if ((isInput && view === "pixels") || arrangement(column.count).columns > 1) return [];
  if (!isInput && column.index < layers.length) return [];
  const text = isInput ? featureName(unit) : outputName(unit);
  const label = make("div", { class: isInput ? "label input" : "label", title: text }, text);
  label.style.top = `${place.y + column.side / 2}px`;
  if (isInput) label.style.width = `${Math.max(place.x - 6, 10)}px`;
  else label.style.left = `${place.x + column.side + 5}px`;
  return [label];
}

function outputName(unit) {
  if (data.task.kind === "numbers") return outputCount > 1 ? `y${unit + 1}` : "y";
  return className(data.task.kind === "binary" ? 1 : unit);
}

/** The columns of a weight that lead into a unit: two for a gated one. */
function sourcesOf(layer, unit) {
  const isGated = layers[layer].units < layers[layer].out_features;
  return isGated ? [unit, unit + layers[layer].units] : [unit];
}

function linksInto(column) {
  const layer = column.index - 1;
  const before = drawn.columns[layer];
  if (layer === 0 && view === "pixels") return [];
  const links = [];
  for (let unit = 0; unit < column.shown; unit++) {
    for (let input = 0; input < before.shown; input++) {
      links.push({ layer, input, unit, place: layers[layer].weight + input * layers[layer].out_features + unit, from: before.places[input].middle, to: column.places[unit].middle, start: before.side / 2, end: column.side / 2 });
    }
  }
  return links;
}

// What changes from frame to frame.

const strongest = (frame, layer) => {
  const { weight, in_features: wide, out_features: units } = layers[layer];
  return largest(film.weights[frame].subarray(weight, weight + wide * units)) || 1;
};

function drawLinks(frame) {
  const context = byId("links").getContext("2d");
  context.clearRect(0, 0, byId("links").width, byId("links").height);
  const weights = film.weights[frame];
  const tops = layers.map((_, layer) => strongest(frame, layer));
  const colours = [colour(-1), colour(1)];
  const least = drawn.links.length > MOST_LINKS ? LEAST : 0;
  for (const link of drawn.links) {
    const part = Math.abs(weights[link.place]) / tops[link.layer];
    if (part < least) continue;
    context.globalAlpha = 0.12 + 0.75 * part;
    context.lineWidth = 0.4 + 3.6 * part;
    context.strokeStyle = colours[weights[link.place] < 0 ? 0 : 1];
    traceLink(context, link);
  }
  context.globalAlpha = 1;
  const chosen = drawn.links.find(isChosenLink);
  if (chosen) highlight(context, chosen);
  if (view === "pixels") drawBundle(context);
}

function traceLink(context, { from, to, start, end }) {
  context.beginPath();
  context.moveTo(from[0] + start, from[1]);
  context.lineTo(to[0] - end, to[1]);
  context.stroke();
}

function highlight(context, link) {
  context.lineWidth = 7;
  context.globalAlpha = 0.5;
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--mark");
  traceLink(context, link);
  context.globalAlpha = 1;
}

/** One thin line to each unit from an image, whose weights are the picture in the unit. */
function drawBundle(context) {
  const [image, first] = drawn.columns;
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--rule");
  context.lineWidth = 1;
  for (const { middle } of first.places) traceLink(context, { from: image.places[0].middle, to: middle, start: image.side / 2, end: first.side / 2 });
}

const isChosenLink = (link) => state.selected?.kind === "edge" && link.layer === state.selected.layer && link.input === state.selected.input && link.unit === state.selected.unit;

/** The link at a place on the stage; none if the nearest is too far. */
function linkAt(x, y) {
  let [found, nearest] = [null, 6];
  for (const link of drawn.links) {
    const [ax, ay, bx, by] = [link.from[0] + link.start, link.from[1], link.to[0] - link.end, link.to[1]];
    const along = clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2), 0, 1);
    const distance = Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
    if (distance < nearest) [found, nearest] = [link, distance];
  }
  return found;
}

/** The probe's samples in an order in which like ones stand together. */
function sampleOrder() {
  const order = [...Array(probe.count).keys()];
  const key = (sample) => (Array.isArray(data.targets[sample]) ? data.targets[sample][0] : data.targets[sample]);
  return order.sort((a, b) => key(a) - key(b) || a - b);
}

/** What the maps of a frame show: activations all over the plane, or for the probe. */
function mapNumbers(frame) {
  if (view !== "plane" && view !== "line") return atFrame(frame);
  drawn.grid ??= gridOf(view === "line" ? finest(120) : finest(GRID));
  return forward(film.weights[frame], drawn.grid.inputs, drawn.grid.count);
}

/** The number that gets the full colour in a layer. */
function scaleOf(layer, a) {
  const bounds = BOUNDS[layers[layer].activations[layers[layer].activations.length - 1]?.name];
  return bounds ? Math.max(...bounds.map(Math.abs)) : largest(a) || 1;
}

function drawUnits(frame) {
  const replayed = mapNumbers(frame);
  drawn.scales = replayed.map(({ a }, layer) => scaleOf(layer, a));
  const life = livesAt(frame);
  drawn.columns.slice(1).forEach((column, layer) => column.places.forEach((place, unit) => {
    drawMap(place.canvas, frame, layer, unit, replayed[layer].a, drawn.scales[layer], column.side);
    const kind = ["", "saturated", "dead"][life[layer][unit]];
    if (place.element.dataset.life !== kind) place.element.dataset.life = kind;
    place.element.classList.toggle("chosen", isChosenUnit(layer, unit));
    if (!state.timer) place.element.setAttribute("aria-label", spokenUnit(frame, layer, unit, kind));
  }));
  drawInputs();
}

const isChosenUnit = (layer, unit) => state.selected?.kind === "unit" && state.selected.layer === layer && state.selected.unit === unit;

function spokenUnit(frame, layer, unit, kind) {
  const { low, high } = lifeIn(layers[layer], atFrame(frame)[layer].a, unit);
  return [`${unitName(layer, unit)}, ${layerName(layer)}`, `from ${marked(low)} to ${marked(high)}`, kind].filter(Boolean).join(", ");
}

/** The map of a unit: over the plane, along the line, its weights as an image, or for samples. */
function drawMap(canvas, frame, layer, unit, a, scale, side) {
  const { units } = layers[layer];
  if (view === "line") return drawCurve(canvas, a, units, unit, scale, side);
  if (view === "pixels" && layer === 0) return drawWeights(canvas, frame, unit);
  const count = a.length / units;
  if (view === "plane") {
    const size = Math.round(Math.sqrt(count));
    return paintNumbers(canvas, size, size, (index) => a[index * units + unit], scale);
  }
  drawn.order ??= sampleOrder();
  const wide = Math.ceil(Math.sqrt(count));
  return paintNumbers(canvas, wide, Math.ceil(count / wide), (index) => (index < count ? a[drawn.order[index] * units + unit] : 0), scale);
}

function drawWeights(canvas, frame, unit) {
  const [rows, columns] = data.image;
  const { weight, out_features: units } = layers[0];
  const top = strongest(frame, 0);
  paintNumbers(canvas, columns, rows, (pixel) => film.weights[frame][weight + pixel * units + unit], top);
}

/** A curve in a small box, with a line at zero. */
function drawCurve(canvas, a, units, unit, scale, side) {
  const size = Math.round(side * 2);
  [canvas.width, canvas.height] = [size, size];
  const context = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const count = a.length / units;
  const y = (number) => size / 2 - (number / scale) * size * 0.44;
  context.strokeStyle = style.getPropertyValue("--rule");
  context.lineWidth = 2;
  context.strokeRect(0, size / 2, size, 0);
  context.strokeStyle = style.getPropertyValue("--forward");
  context.lineWidth = Math.max(size / 24, 2.5);
  context.beginPath();
  for (let index = 0; index < count; index++) context.lineTo((index / (count - 1)) * size, y(a[index * units + unit]));
  context.stroke();
}

/** The inputs: the plane by one of its axes, the line itself, a sample, or the samples' numbers. */
function drawInputs() {
  const [column] = drawn.columns;
  if (view === "pixels") {
    const sample = state.selected?.kind === "sample" ? state.selected.sample : 0;
    const [rows, columns] = data.image;
    const x = inputsOf(sample);
    return paintNumbers(column.places[0].canvas, columns, rows, (pixel) => x[pixel], largest(x) || 1);
  }
  if (view === "line") return column.places.forEach(({ canvas }, input) => drawCurve(canvas, drawn.grid.inputs, inputCount, input, largest(drawn.grid.inputs), column.side));
  const numbers = view === "plane" ? drawn.grid.inputs : probe.inputs;
  const count = numbers.length / inputCount;
  const wide = Math.ceil(Math.sqrt(count));
  column.places.forEach(({ canvas }, input) => {
    let top = 0;
    for (let index = input; index < numbers.length; index += inputCount) top = Math.max(top, Math.abs(numbers[index]));
    const at = view === "plane" ? (index) => index : (index) => drawn.order[index] ?? 0;
    paintNumbers(canvas, wide, Math.ceil(count / wide), (index) => (index < count ? numbers[at(index) * inputCount + input] : 0), top || 1);
  });
}
