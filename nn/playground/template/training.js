// The training: it goes on in Python, and each moment of it is sent here to be drawn.

let token = "";
let version = 0; // of the session, as this page knows it
let queue = Promise.resolve();

/** Ask the session for something; commands are sent one after the other, and answers taken up so. */
function ask(command, given = {}) {
  const answer = queue.then(() => send({ command, ...given }));
  queue = answer.catch(() => {});
  return answer;
}

const CLOSED = "The playground does not answer: it was closed, or Python has ended.";

async function send(request) {
  let response = null;
  try {
    response = await fetch("/command", { method: "POST", headers: { "Content-Type": "application/json", "X-Token": token }, body: JSON.stringify({ version, ...request }) });
  } catch {
    return { refused: CLOSED };
  }
  if (response.status === 503) return { refused: CLOSED };
  if (!response.ok) return { refused: `The playground does not answer: ${response.status} ${response.statusText}.` };
  const answer = await response.json();
  version = answer.version ?? version;
  await released;
  return answer.is_stale ? showAnew() : answer;
}

/** Load the page again: another window has changed the run since. */
function showAnew() {
  location.reload();
  return new Promise(() => {});
}

function tell(text, isWrong = false) {
  byId("told").textContent = text;
  byId("told").className = isWrong ? "wrong" : "muted";
}

/** Take up what an answer holds; false if something was refused, which is said. */
function receive(answer) {
  if (answer.frame) takeUpdate(answer);
  if (!answer.refused) {
    refuse(null, "");
    return true;
  }
  play(false);
  const why = answer.refused.replace(/^playground: /, "");
  tell(refuse(answer.setting, why) ? "That is refused; the run is as it was." : why, true);
  return false;
}

/** Numbers of float32 out of text. */
function numbersIn(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

/** Add a frame to the film, take out those that are not kept; show it to who looks at the last. */
function takeUpdate({ frame, kept, marks, history, rule, settings }) {
  const { frames } = data;
  const [shown, follows] = [epochOf(state.frame), state.frame === lastFrame()];
  const pinned = state.pinned === null ? null : epochOf(state.pinned);
  const keep = new Set(kept.slice(0, -1));
  const places = frames.epochs.map((_, place) => place).filter((place) => keep.has(frames.epochs[place]));
  const grown = (rows, row) => [...places.map((place) => rows[place]), row];
  for (const name of ["weights", "gradients", "steps", "outputs"]) {
    if (film[name]) film[name] = grown(film[name], numbersIn(frame[name]));
  }
  frames.losses = grown(frames.losses, frame.loss);
  frames.rates = grown(frames.rates, frame.rate);
  frames.updates = grown(frames.updates, frame.updates);
  frames.epochs = grown(frames.epochs, frame.epoch);
  frames.marks = marks;
  Object.assign(data, { rule, settings });
  growHistory(frame.epoch, history);
  const place = pinned === null ? -1 : frames.epochs.indexOf(pinned);
  [state.pinned, state.drawnPin] = [place < 0 ? null : place, null];
  byId("slider").max = lastFrame();
  makeCurves();
  tellWhatIsShown();
  show(follows ? lastFrame() : frameAt(shown));
}

const MOST_ROWS = 1000; // of the history are kept, beside those of the frames

/** Add the epochs that are new, in the place of any that had the same numbers. */
function growHistory(epoch, { epochs, columns }) {
  const old = data.history;
  const end = epoch - epochs.length;
  let rows = old.epochs.map((_, row) => row).filter((row) => old.epochs[row] <= end);
  if (rows.length > MOST_ROWS) {
    const kept = new Set(data.frames.epochs);
    rows = rows.filter((row, place) => place % 2 || kept.has(old.epochs[row]));
  }
  const numbers = Object.entries(columns).map(([name, column]) => [name, [...rows.map((row) => old.columns[name]?.[row] ?? null), ...column]]);
  data.history = { epochs: [...rows.map((row) => old.epochs[row]), ...epochs], columns: Object.fromEntries(numbers) };
}

// The run: from the epoch that is shown it goes on.

/** Let the session go back to the epoch that is shown, if that is not its last. */
async function comeBack() {
  if (state.frame === lastFrame()) return true;
  const epoch = epochOf(state.frame);
  tell(`Going back to epoch ${epoch} …`);
  const answer = await ask("rewind", { epoch });
  if (!receive(answer)) return false;
  if (answer.is_same !== false) tell(`Back at epoch ${epoch}: made anew from the seed${answer.is_same ? ", and the same, bit for bit" : ""}.`);
  else tell(`Back at epoch ${epoch}, but made anew it is not the same: something that Python calls has changed.`, true);
  return true;
}

async function step() {
  play(false);
  if ((await comeBack()) && receive(await ask("advance", { epochs: 1 }))) tell("");
}

/** Train until that is ended; the next epochs are computed while the last ones are drawn. */
async function train(mine) {
  if (!(await comeBack())) return;
  let due = performance.now();
  const next = async () => {
    due = Math.max(due + pace()[0], performance.now());
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    return state.timer === mine ? ask("advance", { epochs: pace()[1] }) : null;
  };
  let coming = next();
  for (let answer = await coming; answer; answer = await coming) {
    coming = answer.refused ? null : next();
    receive(answer);
  }
  show(state.frame); // with the words that are left out while it plays
}

// While something is pressed nothing is drawn anew: what a click was aimed at would be gone by its end.

const LONGEST_PRESS = 1000; // in milliseconds; a release that the page is not told of is not waited for
let released = Promise.resolve();
let release = () => {};

function press() {
  release();
  released = new Promise((resolve) => (release = resolve));
  setTimeout(release, LONGEST_PRESS);
}

function watchPresses() {
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, press, true);
  for (const name of ["pointerup", "pointercancel", "keyup"]) document.addEventListener(name, () => setTimeout(release), true);
}

/** The shortest time from frame to frame, and the epochs between them. */
const pace = () => byId("speed").value.split(" ").map(Number);

function play(on) {
  if (on === Boolean(state.timer)) return;
  state.timer = on ? {} : null;
  byId("play").textContent = on ? "Pause" : "Play";
  byId("play").setAttribute("aria-pressed", String(on));
  if (on) train(state.timer);
}

/** Begin a new run, with these settings in the place of those that hold. */
async function startWith(settings) {
  play(false);
  const answer = await ask("start", { settings: { ...data.settings, ...settings } });
  if (!receive(answer)) return;
  tell("");
  await showRecording(answer.recording);
}

async function adjust(setting, value) {
  play(false);
  if (!(await comeBack()) || !receive(await ask("adjust", { setting, value }))) return;
  fillSettings();
  tell(`From epoch ${epochOf(lastFrame())} on.`);
}

async function setParameter(place, value) {
  play(false);
  if (!(await comeBack()) || !receive(await ask("set_parameter", { place, value }))) return;
  tell(`Set by hand at epoch ${epochOf(lastFrame())}.`);
}

/** A field for a parameter, which can be set to another number. */
editor = (name, place) => {
  const input = make("input", { type: "number", step: "any", autocomplete: "off", "data-key": `edit-${place}`, "aria-label": `New ${name}` });
  input.value = short(film.weights[state.frame][place], 6);
  const rounded = input.value;
  input.addEventListener("focus", () => play(false));
  const form = make("form", { class: "edit", "data-setting": name }, `Set the ${name} to`, input, make("button", { type: "submit" }, "Set"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value === rounded) return tell(`The ${name} stays as it is.`);
    setParameter(place, input.value === "" ? null : input.valueAsNumber);
  });
  return [form];
};

/** Show the program that makes this run, and put it on the clipboard where that is allowed. */
async function copyProgram() {
  play(false);
  if (!(await comeBack())) return;
  const answer = await ask("program");
  if (!receive(answer)) return;
  byId("code").textContent = answer.program;
  byId("program").showModal();
  try {
    await navigator.clipboard.writeText(answer.program);
    byId("copied").textContent = "It is on the clipboard.";
  } catch {
    byId("copied").textContent = "The browser does not give the clipboard; mark the text and copy it.";
  }
}

const KEYS = {
  ArrowRight: () => (state.frame < lastFrame() ? show(state.frame + 1) : step()),
  ArrowLeft: () => look(state.frame - 1),
  PageDown: () => look(state.frame + 10),
  PageUp: () => look(state.frame - 10),
  Home: () => look(0),
  End: () => look(lastFrame()),
  " ": () => play(!state.timer),
  b: () => look(Math.max(data.frames.marks.indexOf("best"), 0)),
  p: pin,
  k: keep,
  "/": () => byId("sample").focus(),
  Escape: () => select(null),
};

/** Keep this run, to be shown beside the next one; or keep none. */
function keep() {
  putBeside(other === null ? run : null);
  tell(other === null ? "" : "This run stays, beside the next one.");
}

/** Look at a frame; the training waits meanwhile. */
function look(frame) {
  play(false);
  show(frame);
}

/** Show another run. */
async function showRecording(recording) {
  use(await runOf(recording));
  begin();
  byId("title").textContent = data.title;
  document.title = `${data.title} – playground`;
  fillSettings();
  show(lastFrame());
}

async function open() {
  followReader();
  const recording = JSON.parse(byId("data").textContent);
  ({ token, version } = recording);
  byId("slider").addEventListener("input", (event) => look(Number(event.target.value)));
  byId("restart").addEventListener("click", () => startWith({}));
  byId("copy").addEventListener("click", copyProgram);
  connectStage();
  watchPresses();
  await showRecording(recording);
  document.documentElement.dataset.ready = "true";
}

open().catch((error) => {
  tell(`The page cannot be shown here: ${error.message}. It needs a browser of 2023 or later.`, true);
  throw error;
});
