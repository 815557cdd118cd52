// Two runs side by side: the one that is shown, and another at the same epoch.

let other = null;

/** Put a run beside the one that is shown; null for none. */
function putBeside(chosen) {
  other = chosen;
  state.drawnBeside = null;
  const keep = byId("keep");
  if (keep) keep.setAttribute("aria-pressed", String(other !== null));
  makeCurves();
  show(state.frame);
}

/** Whether there is another run: the shown one may have been kept for when it is not shown. */
const hasOther = () => other !== null && other !== run;

/** Do something with the names of another run. */
function withRun(chosen, action) {
  const [before, { selected }] = [run, state];
  use(chosen);
  state.selected = null;
  try {
    return action();
  } finally {
    use(before);
    state.selected = selected;
  }
}

/** The curves of the other run that have these names. */
function linesOfOther(names) {
  if (!hasOther()) return [];
  const { epochs, columns } = other.data.history;
  const known = names.filter((name) => Object.hasOwn(columns, name));
  return known.map((name) => ({ name: `${name} of the other run`, values: columns[name], xs: epochs }));
}

/** What a table says of a frame: its numbers by name, and the norms of its layers. */
function numbersBeside(frame) {
  const norms = layers.map((_, layer) => [`norm of layer ${layer + 1}`, marked(layerNumbers(frame, layer).weights)]);
  return { epoch: epochOf(frame), numbers: new Map([...numbersOf(frame), ...norms]) };
}

function fillBeside() {
  const pictures = [byId("beside-epoch"), byId("beside-outputs")];
  byId("beside").hidden = !hasOther();
  if (!hasOther()) return pictures.forEach((part) => (part.hidden = true));
  const shown = numbersBeside(state.frame);
  const told = withRun(other, () => {
    const frame = frameAt(shown.epoch);
    const verdict = once(frame, "verdict", () => verdictOf(frame));
    return { ...numbersBeside(frame), frame, title: data.title, isSame: verdict.same, hasPicture: view === "plane" || view === "line" };
  });
  byId("beside-title").textContent = `The other run: ${told.title}, epoch ${told.epoch}`;
  byId("beside-epoch").textContent = `The other: epoch ${told.epoch}`;
  for (const part of pictures) part.hidden = !told.isSame || !told.hasPicture;
  drawBeside(told);
  const names = [...new Set([...shown.numbers.keys(), ...told.numbers.keys()])];
  const rows = names.map((name) => [name, shown.numbers.get(name) ?? "–", told.numbers.get(name) ?? "–"]);
  const note = told.isSame ? [] : [line("wrong", "This epoch of the other run is not drawn: replayed outputs are not its model's own.")];
  const head = ["", `this run: ${shown.epoch}`, `the other: ${told.epoch}`];
  byId("beside-numbers").replaceChildren(...note, ...(told.isSame ? [table("Two runs", head, rows)] : []));
}

/** Draw the outputs of the other run, if another frame of it has its turn. */
function drawBeside({ frame }) {
  const canvas = byId("beside-outputs");
  const isBrief = Boolean(state.timer);
  const key = `${frame} ${isDark()} ${isBrief}`;
  if (canvas.hidden || state.drawnBeside === key) return;
  withRun(other, () => drawOutputs(canvas, frame, isBrief));
  state.drawnBeside = key;
}
