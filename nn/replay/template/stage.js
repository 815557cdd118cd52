// The stage: what is shown of a frame, and what a click on it asks.

const state = { frame: 0, selected: null, sample: null, pinned: null, drawnPin: null, drawnBeside: null, isAsked: false, timer: null, open: new Set(), charts: [] };
const lastFrame = () => film.weights.length - 1;

/** The frame of an epoch, or the nearest one that was kept. */
function frameAt(epoch) {
  let found = 0;
  data.frames.epochs.forEach((kept, frame) => {
    if (Math.abs(kept - epoch) < Math.abs(epochOf(found) - epoch)) found = frame;
  });
  return found;
}

const goToEpoch = (epoch) => look(frameAt(epoch));

function show(frame) {
  noteOpened();
  state.frame = clip(frame, 0, lastFrame());
  const verdict = once(state.frame, "verdict", () => verdictOf(state.frame));
  document.documentElement.dataset.replayed = String(verdict.same);
  tellVerdict(verdict);
  tellFrame();
  for (const { mark } of state.charts) mark(epochOf(state.frame));
  if (!verdict.same) {
    byId("beside").hidden = true;
    return byId("answer").replaceChildren();
  }
  drawUnits(state.frame);
  drawLinks(state.frame);
  if (view === "plane" || view === "line") drawOutputs(byId("outputs"), state.frame, Boolean(state.timer));
  fillLayers();
  fillPinned();
  fillBeside();
  fillAnswer();
}

function tellVerdict({ same, isFinite, apart, digits }) {
  const text = same
    ? `Replayed exactly: the outputs for ${data.watched.length} samples are the model's own, to ${digits} digits.`
    : !isFinite ? "This epoch is not drawn: outputs of the model are NaN, or larger than single precision holds."
    : `This epoch is not drawn: replayed outputs are not the model's own${Number.isFinite(apart) && apart > 0 ? `, but up to ${short(apart)} apart` : ""}.`;
  byId("verdict").textContent = text;
  byId("verdict").className = same ? "right" : "wrong";
}

function headline() {
  const mark = data.frames.marks[state.frame];
  return `Epoch ${epochOf(state.frame)}${mark ? `, ${mark === "best" ? "the best" : "a spike"}` : state.frame ? "" : epochOf(0) ? "" : ", untrained"}`;
}

function tellFrame() {
  byId("epoch").textContent = headline();
  const rows = numbersOf(state.frame);
  byId("numbers").replaceChildren(...rows.map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text))));
  byId("slider").value = state.frame;
  const said = `${headline()}: ${rows.slice(0, 4).map(([name, text]) => `${name} ${text}`).join(", ")}`;
  byId("slider").setAttribute("aria-valuetext", said);
  byId("count").textContent = `${epochOf(state.frame)} / ${epochOf(lastFrame())}`;
  if (!state.timer) byId("said").textContent = said;
}

/** One row for each layer. */
function fillLayers() {
  const replayed = atFrame(state.frame);
  const rows = layers.map((layer, index) => {
    const numbers = layerNumbers(state.frame, index);
    const found = Array.from({ length: layer.units }, (_, unit) => lifeIn(layer, replayed[index].a, unit));
    const saturates = layer.activations.some((part) => part.name in BOUNDS);
    return [`${index + 1}: ${layerName(index)}`, brief(numbers.gradient), brief(numbers.weights), brief(numbers.update), `${found.filter((life) => life.isDead).length} of ${layer.units}`, saturates ? `${found.filter((life) => life.isSaturated).length} of ${layer.units}` : "–"];
  });
  const cells = byId("layers").querySelectorAll("th[scope=row], td");
  rows.flat().forEach((text, index) => (cells[index].textContent = text));
}

function makeLayers() {
  const head = ["layer", "gradient", "weights", "update", "dead", "saturated"];
  const made = table("Layers, to three digits: root mean square of the gradient; norms of the weights and of what the epoch changed; units", head, layers.map(() => ["", "", "", "", "", ""]));
  byId("layers").replaceChildren(made);
}

function fillPinned() {
  const isPinned = state.pinned !== null;
  byId("pin").setAttribute("aria-pressed", String(isPinned));
  byId("pinned").hidden = !isPinned;
  byId("pinned-outputs").hidden = !isPinned || !(view === "plane" || view === "line");
  byId("pinned-title").hidden = byId("pinned-outputs").hidden;
  if (!isPinned) return byId("pinned").replaceChildren();
  byId("pinned-title").textContent = `Pinned: epoch ${epochOf(state.pinned)}`;
  if (state.drawnPin !== `${state.pinned} ${isDark()}`) {
    if (!byId("pinned-outputs").hidden) drawOutputs(byId("pinned-outputs"), state.pinned);
    state.drawnPin = `${state.pinned} ${isDark()}`;
  }
  byId("pinned").replaceChildren(comparison());
}

/** Note which parts of the answer the reader has opened, before it is written anew. */
function noteOpened() {
  // Read here: the event "toggle" comes too late for a key that follows a click at once.
  for (const part of byId("answer").querySelectorAll("details[data-part]")) {
    if (part.open) state.open.add(part.dataset.part);
    else state.open.delete(part.dataset.part);
  }
}

/** Write the answer anew; what has the focus in it keeps it. */
function fillAnswer() {
  const place = byId("answer");
  const key = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  // An answer is read out once it was asked for, and not again at every epoch.
  place.setAttribute("aria-live", state.isAsked ? "polite" : "off");
  state.isAsked = false;
  place.replaceChildren(...answer());
  if (key) place.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

/** Ask about something else; null is the whole. */
function select(chosen) {
  const hadFocus = byId("answer").contains(document.activeElement);
  state.selected = chosen;
  if (chosen?.kind === "sample") state.sample = chosen.sample;
  state.drawnPin = null;
  state.isAsked = true;
  byId("sample").value = chosen?.kind === "sample" ? chosen.sample + 1 : "";
  show(state.frame);
  if (hadFocus) byId("answer-title")?.focus();
  if (chosen) bringIntoView(byId("answer"));
}

/** Scroll so far that the beginning of an answer is seen. */
function bringIntoView(element) {
  const { top } = element.getBoundingClientRect();
  const room = byId("stage").parentElement.getBoundingClientRect();
  if (top < room.top || top > room.bottom - 160) element.scrollIntoView({ block: "start" });
}

function pin() {
  state.pinned = state.pinned === null ? state.frame : null;
  state.drawnPin = null;
  show(state.frame);
}

function onKey(event) {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !(key in KEYS)) return;
  if (target.closest("dialog")) return;
  if (key !== "Escape" && target.matches("input[type=number], select")) return;
  if (key === " " && target.matches("button, summary, input[type=checkbox]")) return;
  event.preventDefault();
  KEYS[key]();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").setAttribute("aria-pressed", String(theme === "dark"));
  if (!film.weights) return;
  state.drawnPin = null;
  show(state.frame);
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const followReader = () => setTheme(prefersDark.matches ? "dark" : "light");

function switchTheme() {
  prefersDark.removeEventListener("change", followReader);
  setTheme(isDark() ? "light" : "dark");
}

/** Where on an element a click was, in shares of its sides. */
function shareOf(event, element) {
  const box = element.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

/** Let the stage answer clicks and keys; `KEYS` says what keys do. */
function connectStage() {
  for (const element of document.querySelectorAll("[data-press]")) element.addEventListener("click", () => KEYS[element.dataset.press]());
  byId("theme").addEventListener("click", switchTheme);
  byId("sample").addEventListener("change", (event) => {
    const sample = Number(event.target.value) - 1;
    if (Number.isInteger(sample) && sample >= 0 && sample < probe.count) select({ kind: "sample", sample });
  });
  byId("links").addEventListener("click", (event) => {
    const box = byId("links").getBoundingClientRect();
    const link = linkAt(event.clientX - box.left, event.clientY - box.top);
    select(link ? { kind: "edge", layer: link.layer, input: link.input, unit: link.unit } : null);
  });
  byId("outputs").addEventListener("click", (event) => {
    const sample = sampleNear(...shareOf(event, byId("outputs")));
    if (sample !== null) select({ kind: "sample", sample });
  });
  document.addEventListener("keydown", onKey);
  prefersDark.addEventListener("change", followReader);
  window.addEventListener("resize", () => { layOut(); show(state.frame); });
}

/** The curves of the history: losses together, metrics together, the rate if it changes. */
function makeCurves() {
  const { epochs, columns } = data.history;
  const names = Object.keys(columns);
  const isLoss = (name) => /^(validation_)?loss$/.test(name);
  const isRate = (name) => /^learning_rate(_\d+)?$/.test(name);
  const groups = [["loss", names.filter(isLoss)], ["metrics", names.filter((name) => !isLoss(name) && !isRate(name))]];
  groups.push(["learning rate", names.filter((name) => isRate(name) && new Set(columns[name]).size > 1)]);
  state.charts = [];
  for (const [title, group] of groups) {
    if (!group.length || epochs.length < 2) continue;
    const lines = group.map((name) => ({ name, values: columns[name] }));
    state.charts.push(chart(title, epochs, [...lines, ...linesOfOther(group)], goToEpoch));
  }
  byId("curves").replaceChildren(...state.charts.map(({ figure }) => figure));
}

function tellWhatIsShown() {
  byId("output-part").hidden = !(view === "plane" || view === "line");
  const kept = data.frames.epochs.length;
  const all = epochOf(lastFrame()) - epochOf(0) + 1;
  byId("outputs-title").textContent = outputsTitle();
  const axes = byId("output-part").hidden ? [] : axisNames();
  byId("axes").textContent = axes.map((name, axis) => `${name} from about ${brief(extent(axis)[0])} to ${brief(extent(axis)[1])}${axis ? " up" : " across"}`).join(", ");
  const parts = [kept < all ? `${kept} of ${all} epochs are kept.` : ""];
  if (data.stopped && data.stopped !== "finished") parts.push(`The training ended: ${data.stopped}.`);
  byId("kept").textContent = parts.filter(Boolean).join(" ");
}

/** Lay out a recording that was taken up just now. */
function begin() {
  Object.assign(state, { frame: 0, selected: null, sample: null, pinned: null, drawnPin: null, drawnBeside: null });
  byId("slider").max = lastFrame();
  byId("sample").max = probe.count;
  byId("sample").value = "";
  makeLayers();
  makeCurves();
  tellWhatIsShown();
  layOut();
}
