// Elements, colours and charts.  Text enters the page as text nodes alone, so that no label can
// act as markup.

const byId = (id) => document.getElementById(id);
const DRAWN = ["svg", "g", "rect", "path", "text", "line", "circle", "title"];

/** An element with its attributes and with children, of which strings are text. */
function make(tag, attributes = {}, ...children) {
  const element = DRAWN.includes(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const line = (className, text) => make("p", { class: className }, text);
const isDark = () => document.documentElement.dataset.theme === "dark";

// Blue below zero, orange above: a scale that the colour-blind can read too.

const ENDS = { light: [[245, 245, 245], [0, 114, 178], [213, 94, 0]], dark: [[29, 36, 43], [86, 180, 233], [240, 140, 60]] };

/** The colour of a number from -1 to 1, as three channels. */
function channels(x) {
  const [middle, below, above] = ENDS[isDark() ? "dark" : "light"];
  const end = x < 0 ? below : above;
  const part = Math.min(Math.abs(x), 1);
  return middle.map((channel, index) => Math.round(channel + (end[index] - channel) * part));
}

const colour = (x) => `rgb(${channels(x).join(",")})`;

/** Colours of classes, after Okabe and Ito. */
const HUES = [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [140, 86, 40], [110, 110, 110], [90, 60, 160], [160, 170, 30]];
const hue = (label) => HUES[((label % HUES.length) + HUES.length) % HUES.length];
const hueText = (label) => `rgb(${hue(label).join(",")})`;

/** The bytes of the colours of a class in the plane, the paler the less sure. */
function classPalette(label) {
  const [paper] = ENDS[isDark() ? "dark" : "light"];
  return palette(`class ${label}`, (part) => hue(label).map((channel, index) => Math.round(paper[index] + (channel - paper[index]) * (0.12 + 0.5 * part))));
}

// Pixels are painted by the ten thousand for each frame: their colours are looked up, as the four
// bytes that they have in a picture, in as many steps as a channel has.

const STEPS = 255;
const bytesOf = ([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red;
const palettes = new Map();

/** The bytes of colours from the first to the last, made once for each name and theme. */
function palette(name, colourOf) {
  const key = `${name} ${isDark()}`;
  if (!palettes.has(key)) palettes.set(key, Int32Array.from({ length: STEPS + 1 }, (_, step) => bytesOf(colourOf(step / STEPS))));
  return palettes.get(key);
}

/** Fill a canvas with a picture of so many columns and rows. */
function paint(canvas, width, height, bytesAt) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Int32Array(image.data.buffer);
  for (let index = 0; index < pixels.length; index++) pixels[index] = bytesAt(index);
  context.putImageData(image, 0, 0);
}

/** What gives the bytes for a number, `scale` being the one with the full colour. */
function bytesOnScale(scale) {
  const [below, above] = [palette("below", (part) => channels(-part)), palette("above", channels)];
  return (x) => (x < 0 ? below : above)[Math.round(Math.min(Math.abs(x / scale), 1) * STEPS)];
}

/** A heat map of numbers. */
function paintNumbers(canvas, width, height, numberAt, scale) {
  const bytes = bytesOnScale(scale);
  paint(canvas, width, height, (index) => bytes(numberAt(index)));
}

// Charts: lines over the epochs, with axes and a mark at the epoch that is shown.

const CHART = { width: 420, height: 170, left: 52, right: 10, top: 10, bottom: 30 };
const STROKES = ["var(--forward)", "var(--backward)", "var(--third)", "var(--fourth)"];

/** The map from epochs and numbers to places in a chart. */
function scalesOf(xs, series) {
  const numbers = series.flatMap(({ values }) => values).filter(Number.isFinite);
  let [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  if (!numbers.length) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - (Math.abs(low) * 0.1 || 1), high + (Math.abs(high) * 0.1 || 1)];
  const all = [xs, ...series.map((line) => line.xs ?? xs)].filter(({ length }) => length);
  const first = Math.min(...all.map((own) => own[0]));
  const last = Math.max(...all.map((own) => own[own.length - 1]));
  const [wide, tall] = [CHART.width - CHART.left - CHART.right, CHART.height - CHART.top - CHART.bottom];
  return {
    first, last, low, high,
    x: (epoch) => CHART.left + (last > first ? ((epoch - first) / (last - first)) * wide : wide / 2),
    y: (number) => CHART.top + (1 - (number - low) / (high - low)) * tall,
  };
}

function axes(scales) {
  const { left, right, top, bottom, width, height } = CHART;
  const parts = ticks(scales.low, scales.high, 4).flatMap((number) => [
    make("line", { class: "grid", x1: left, x2: width - right, y1: scales.y(number), y2: scales.y(number) }),
    make("text", { class: "tick", x: left - 5, y: scales.y(number) + 3.5, "text-anchor": "end" }, written(number)),
  ]);
  parts.push(...ticks(scales.first, scales.last, 6, true).map((epoch) =>
    make("text", { class: "tick", x: scales.x(epoch), y: height - bottom + 13, "text-anchor": "middle" }, String(epoch))));
  parts.push(make("path", { class: "axis", d: `M${left},${top}V${height - bottom}H${width - right}` }));
  parts.push(make("text", { class: "tick", x: (left + width - right) / 2, y: height - 3, "text-anchor": "middle" }, "epoch"));
  return parts;
}

/** The path of a line, with gaps where numbers are missing. */
function pathOf(xs, values, scales) {
  let [text, isOpen] = ["", false];
  xs.forEach((epoch, index) => {
    const number = values[index];
    if (!Number.isFinite(number)) isOpen = false;
    else {
      text += `${isOpen ? "L" : "M"}${scales.x(epoch).toFixed(1)},${scales.y(number).toFixed(1)}`;
      isOpen = true;
    }
  });
  return text;
}

/** A chart of named lines, over epochs of their own where they have some; `go` gets the one clicked on. */
function chart(title, xs, series, go) {
  const scales = scalesOf(xs, series);
  const said = series.map(({ name, values }) => {
    const known = values.filter(Number.isFinite);
    return known.length ? `${name} from ${marked(known[0])} to ${marked(known[known.length - 1])}` : `${name} without numbers`;
  });
  const svg = make("svg", { viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img", "aria-label": `${title} over the epochs: ${said.join("; ")}` }, ...axes(scales));
  series.forEach(({ values, xs: own = xs }, index) => svg.append(make("path", { class: "curve", d: pathOf(own, values, scales), stroke: STROKES[index % 4], "stroke-dasharray": index < 4 ? ["", "5 3", "2 3", "8 3 2 3"][index] : "1 4" })));
  const cursor = make("line", { class: "cursor", y1: CHART.top, y2: CHART.height - CHART.bottom });
  svg.append(cursor);
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * CHART.width;
    const share = (place - CHART.left) / (CHART.width - CHART.left - CHART.right);
    go(scales.first + clip(share, 0, 1) * (scales.last - scales.first));
  });
  const figure = make("figure", { class: "chart" }, make("figcaption", {}, make("strong", {}, title), ...series.map(({ name }, index) => legend(name, index))), svg);
  const mark = (epoch) => {
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, scales.x(clip(epoch, scales.first, scales.last)));
  };
  return { figure, mark };
}

function legend(name, index) {
  const key = make("i", { "aria-hidden": "true" });
  key.style.borderTop = `3px ${["solid", "dashed", "dotted", "dashed"][index % 4]} ${STROKES[index % 4]}`;
  return make("span", { class: "legend" }, key, name);
}
