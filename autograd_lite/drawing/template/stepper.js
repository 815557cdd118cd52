// What happens in each step, and how it is walked through; follows graph.js.

/** A word in the language of the page, with parts put in. */
const say = (key, parts = {}) => data.words[key].replace(/{(\w+)}/g, (_, name) => parts[name]);

// Steps.

const lastStep = data.steps.length - 1;
const computedAt = new Map();
const completeAt = new Map();
data.steps.forEach((step, index) => {
  if (step.phase === "forward") computedAt.set(step.key, index);
  if (step.phase === "seed") completeAt.set(step.key, index);
  for (const part of step.contributions ?? []) completeAt.set(part.to, index);
});

/** The gradients known after a step: sums of the contributions so far. */
function gradientsAfter(last) {
  const sums = new Map();
  for (const step of data.steps.slice(0, last + 1)) {
    if (step.phase === "seed") sums.set(step.key, step.text);
    for (const part of step.contributions ?? []) sums.set(part.to, part.sum);
  }
  return sums;
}

/** The next step in a direction; what happens inside of a collapsed module is one step. */
function neighbour(from, direction) {
  const place = (index) => {
    const key = data.steps[index]?.key;
    const frame = key ? hidingFrame(vertices.get(key)) : -1;
    return frame < 0 ? index : `${data.steps[index].phase} in ${frame}`;
  };
  let to = from + direction;
  if (direction > 0) while (place(to) === place(to + 1)) to += 1;
  else while (place(to) === place(from)) to -= 1;
  return Math.min(Math.max(to, 0), lastStep);
}

function show(index) {
  state.step = Math.min(Math.max(index, 0), lastStep);
  const step = data.steps[state.step];
  showValues(step);
  showEdges(step);
  byId("panel").replaceChildren(...explain(step));
  byId("slider").value = state.step;
  byId("slider").setAttribute("aria-valuetext", say("position", { step: state.step, last: lastStep, headline: headline(step) }));
  byId("count").textContent = `${state.step} / ${lastStep}`;
  const looked = step.key ?? firstGiven?.key;
  if (looked) bringIntoView(looked);
}

/** What the computation starts from, which a wide graph may have anywhere. */
const firstGiven = data.vertices.find((vertex) => vertex.kind === "leaf" || vertex.kind === "parameter");

/** What is known of a vertex now, for those who hear it. */
function spoken(vertex, known, gradient) {
  const facts = vertex.facts.filter(([name]) => name !== "grad" && (known || name !== "value"));
  if (gradient !== undefined) facts.push(["grad", gradient]);
  const named = facts.map(([name, text]) => `${nameOfFact(name)} ${text}`.trim());
  return [nameOf(vertex.key), ...named, ...(vertex.marks ?? []).map((mark) => say(`mark.${mark}`))].join(", ");
}

function showValues(step) {
  const sums = gradientsAfter(state.step);
  const receivers = new Set((step.contributions ?? []).map((part) => part.to));
  const backward = step.phase === "backward" || step.phase === "seed";
  for (const [key, shape] of shapes) {
    const value = shape.querySelector(".value");
    const known = (computedAt.get(key) ?? 0) <= state.step;
    shape.classList.toggle("future", !known);
    value?.classList.toggle("hidden", !known);
    const gradient = shape.querySelector(".grad");
    if (gradient) {
      gradient.classList.toggle("hidden", !sums.has(key));
      gradient.textContent = `${say("grad")}  ${sums.get(key) ?? ""}`;
    }
    shape.setAttribute("aria-label", spoken(vertices.get(key), known, sums.get(key)));
    shape.setAttribute("aria-current", key === step.key ? "step" : "false");
    shape.classList.toggle("current", key === step.key);
    shape.classList.toggle("backward", backward);
    shape.classList.toggle("receives", receivers.has(key));
  }
  const hiding = step.key ? hidingFrame(vertices.get(step.key)) : -1;
  frames.forEach((frame, index) => frame.classList.toggle("current", index === hiding));
}

function showEdges(step) {
  const receivers = new Set((step.contributions ?? []).map((part) => part.to));
  data.edges.forEach((edge, index) => {
    const here = edge.head === step.key;
    const lit = here && (step.phase === "forward" || (step.phase === "backward" && receivers.has(edge.tail)));
    lines[index].classList.toggle("lit", lit);
    lines[index].classList.toggle("backward", lit && step.phase === "backward");
  });
}

function jumpTo(key) {
  const all = data.steps.flatMap((step, index) => (step.key === key || (step.contributions ?? []).some((part) => part.to === key) ? [index] : []));
  show(all.find((index) => index > state.step) ?? all[0] ?? 0);
}

// What is said about a step.

const line = (className, text) => make("p", { class: className }, text);

function nameOf(key) {
  const vertex = vertices.get(key);
  return `${vertex.title} ${vertex.subtitle}`.trim();
}

/** The name of a row of a box: known rows in the language of the page. */
const nameOfFact = (name) => data.words[name] ?? name;

function headline(step) {
  return say(`headline.${step.phase}`, { name: step.key ? nameOf(step.key) : "" });
}

function explain(step) {
  const phase = [step.run, say(`phase.${step.phase}`)].filter(Boolean).join(" · ");
  const parts = [line(`phase ${step.phase}`, phase), make("h2", {}, headline(step))];
  if (step.phase === "start") {
    parts.push(...[say("about.start"), ...data.notes].map((text) => line("", text)));
  } else if (step.phase === "forward") parts.push(...explainForward(step));
  else if (step.phase === "seed") {
    parts.push(line("formula gradient", step.text));
    parts.push(line("muted", say("about.seed")));
  } else parts.push(...step.contributions.flatMap((part) => explainPart(part)));
  const source = step.key && vertices.get(step.key).source;
  if (source) parts.push(line("muted", source));
  return parts;
}

function explainForward(step) {
  if (!step.formulas) return vertices.get(step.key).facts.map(([name, text]) => line("formula", `${nameOfFact(name)} ${text}`.trim()));
  const [formula, ...filled] = step.formulas;
  return [
    line("formula muted", formula),
    ...filled.map((text) => line("formula", text)),
    line("formula value", step.result),
    ...elements(step),
  ];
}

/** Arrays number by number: tables if they are small, else one element spelt out. */
function elements(entry) {
  if (entry.tables) return tables(entry.tables, entry.rounded ?? [], entry.spelt ?? [], entry.picked);
  return entry.element ? [line("formula element", entry.element)] : [];
}

/** Tables of equal shape side by side; the element that is picked in them is spelt out below. */
function tables(arrays, rounded, texts, first) {
  const group = make("div", { class: "tables" });
  const spelt = line("formula element", "");
  const columns = Object.values(arrays)[0][0].length;
  const cells = Object.entries(arrays).map(([name, rows]) => {
    const caption = make("caption", {}, rounded.includes(name) ? `${say(name)} ≈` : say(name));
    const body = make("table", { class: "numbers", role: "grid" }, caption);
    for (const row of rows) body.append(make("tr", {}, ...row.map((text) => make("td", {}, text))));
    group.append(body);
    return [...body.querySelectorAll("td")];
  });
  const pick = (index) => {
    for (const [place, cell] of cells.flatMap((table) => [...table.entries()])) {
      cell.classList.toggle("picked", place === index);
      cell.setAttribute("tabindex", place === index ? "0" : "-1");
    }
    spelt.textContent = texts[index] ?? "";
  };
  for (const table of cells) table.forEach((cell, index) => letPick(cell, index, table, columns, pick));
  pick(first);
  return texts.length ? [group, spelt] : [group];
}

/** A cell is picked by pointing at it, or by the arrow keys from the one beside it. */
function letPick(cell, index, table, columns, pick) {
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  for (const event of ["pointerenter", "focus", "click"]) cell.addEventListener(event, () => pick(index));
  cell.addEventListener("keydown", (event) => {
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation(); // in a table the arrows do not walk through the steps
    table[index + moves[event.key]]?.focus();
  });
}

/** How an operation hands its gradient on, where no formula says it. */
const sentence = ({ words }) => (words ? say(words[0], { count: words[1] }) : "");

function explainPart(part) {
  const rows = part.upstream ? [[say("upstream"), part.upstream]] : [];
  if (part.derivative) rows.push([part.derivative, part.formula ?? sentence(part), part.formula ? "" : "prose"]);
  if (part.formula && part.words) rows.push(["", sentence(part), "prose"]);
  rows.push([say("contribution"), part.product ?? [part.rule, part.contribution].filter(Boolean).join(" → "), "contribution"]);
  rows.push([say("sum"), part.addition ?? part.sum, "sum gradient"]);
  const table = make("table", {}, ...rows.map(([name, text, className = ""]) =>
    make("tr", {}, make("th", { scope: "row" }, name), make("td", { class: className }, text))));
  return [make("h3", {}, say("to", { name: part.name })), table, ...elements(part)];
}

// Full values.

function showHover(vertex, group) {
  const hover = byId("hover");
  const parts = [make("strong", {}, nameOf(vertex.key))];
  const known = (computedAt.get(vertex.key) ?? 0) <= state.step;
  if (vertex.value && known) parts.push(...full("value", vertex.value));
  if (vertex.gradient && completeAt.get(vertex.key) <= state.step) parts.push(...full("gradient", vertex.gradient));
  if (vertex.source) parts.push(line("muted", vertex.source));
  hover.replaceChildren(...parts);
  hover.hidden = false;
  group.setAttribute("aria-describedby", "hover");
  const [box, stage] = [group.getBoundingClientRect(), byId("stage").getBoundingClientRect()];
  const below = box.bottom - stage.top + 6;
  const above = box.top - stage.top - hover.offsetHeight - 6;
  hover.style.left = `${Math.max(4, Math.min(box.left - stage.left, stage.width - hover.offsetWidth - 4))}px`;
  const top = below + hover.offsetHeight < stage.height || above < 0 ? below : above;
  hover.style.top = `${Math.max(4, Math.min(top, stage.height - hover.offsetHeight - 4))}px`;
}

function hideHover() {
  byId("hover").hidden = true;
  document.querySelector("[aria-describedby=hover]")?.removeAttribute("aria-describedby");
}

function full(name, entry) {
  const text = line(`number ${name}`, `${say(name)} ${entry.text}`);
  if (!entry.rows) return [text];
  const largest = Math.max(...entry.rows.flat().map((x) => Math.abs(x ?? 0))) || 1;
  const heat = make("div", { class: "heat", role: "img", "aria-label": say("heat_map", { name: say(name) }) });
  heat.style.gridTemplateColumns = `repeat(${entry.rows[0].length}, 11px)`;
  for (const x of entry.rows.flat()) {
    const cell = make("i", { title: x === null ? say("not_finite") : String(x) });
    cell.style.background = x === null ? "repeating-linear-gradient(45deg, #c22f00, #c22f00 2px, #fff 2px, #fff 4px)" : colour(x / largest);
    heat.append(cell);
  }
  return [text, heat, ...(entry.part ? [line("muted", entry.part)] : [])];
}

/** Blue below zero, orange above: a scale that the colour-blind can read too. */
function colour(x) {
  const end = x < 0 ? [0, 114, 178] : [213, 94, 0];
  const part = Math.min(Math.abs(x), 1);
  return `rgb(${end.map((channel) => Math.round(245 + (channel - 245) * part)).join(",")})`;
}

// Controls.

function play(on) {
  clearInterval(state.timer);
  state.timer = null;
  if (on && state.step === lastStep) show(0);
  if (on) {
    state.timer = setInterval(() => {
      show(neighbour(state.step, 1));
      if (state.step === lastStep) play(false);
    }, Number(byId("speed").value));
  }
  byId("play").textContent = say(on ? "pause" : "play");
  byId("play").setAttribute("aria-pressed", String(on));
}

const KEYS = {
  ArrowRight: () => show(neighbour(state.step, 1)),
  ArrowLeft: () => show(neighbour(state.step, -1)),
  Home: () => show(0),
  End: () => show(lastStep),
  " ": () => play(!state.timer),
  "/": () => byId("find").focus(),
  "+": () => zoom(0.8),
  "-": () => zoom(1.25),
  0: () => fit(),
  "Shift ArrowLeft": () => pan(-80, 0),
  "Shift ArrowRight": () => pan(80, 0),
  "Shift ArrowUp": () => pan(0, -80),
  "Shift ArrowDown": () => pan(0, 80),
  Escape: hideHover,
};

function onKey(event) {
  const target = event.target;
  const key = event.shiftKey && event.key.startsWith("Arrow") ? `Shift ${event.key}` : event.key;
  if (event.ctrlKey || event.metaKey || event.altKey || !(key in KEYS)) return;
  if (target.matches("input[type=search], select")) return;
  if (key === " " && target.matches("button, summary")) return;
  event.preventDefault();
  KEYS[key]();
}

function find(text) {
  const wanted = text.trim().toLowerCase();
  for (const shape of shapes.values()) shape.classList.remove("found");
  if (!wanted) return;
  const hits = data.vertices.filter((vertex) => nameOf(vertex.key).toLowerCase().includes(wanted));
  for (const vertex of hits) shapes.get(vertex.key).classList.add("found");
  const exact = hits.find((vertex) => vertex.title.toLowerCase() === wanted) ?? hits[0];
  if (exact) bringIntoView(exact.key);
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").setAttribute("aria-pressed", String(theme === "dark"));
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const followReader = () => setTheme(prefersDark.matches ? "dark" : "light");

function switchTheme() {
  prefersDark.removeEventListener("change", followReader);
  setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
}

function startTheme() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen !== "reader") return setTheme(chosen);
  prefersDark.addEventListener("change", followReader);
  followReader();
}

function connect() {
  byId("slider").max = lastStep;
  byId("slider").addEventListener("input", (event) => show(Number(event.target.value)));
  byId("speed").addEventListener("change", () => state.timer && play(true));
  for (const button of document.querySelectorAll("[data-key]")) button.addEventListener("click", KEYS[button.dataset.key]);
  byId("theme").addEventListener("click", switchTheme);
  byId("find").addEventListener("input", (event) => find(event.target.value));
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const found = document.querySelector(".vertex.found");
    if (found) jumpTo(found.id);
  });
  document.addEventListener("keydown", onKey);
  window.addEventListener("resize", () => { fit(READABLE); show(state.step); });
}

function showPhases() {
  const forward = data.steps.filter((step) => step.phase === "start" || step.phase === "forward").length;
  const [first, second] = byId("phases").children;
  first.style.flex = `${Math.max(forward - 0.5, 0.5)} 0 0`;
  second.style.flex = `${Math.max(data.steps.length - forward - 0.5, 0)} 0 0`;
  second.hidden = data.steps.length === forward;
}

drawGraph();
listModules();
listSources();
listKinds();
showPhases();
letMove();
connect();
startTheme();
showModules();
fit(READABLE);
show(0);
