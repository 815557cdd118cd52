// The controls of a playback: it is played from the film that it holds.

function play(on) {
  clearInterval(state.timer);
  state.timer = null;
  if (on && state.frame === lastFrame()) show(0);
  if (on && lastFrame() > 0) {
    state.timer = setInterval(() => {
      if (state.frame + 1 >= lastFrame()) play(false);
      show(state.frame + 1);
    }, Number(byId("speed").value));
  }
  byId("play").textContent = state.timer ? "Pause" : "Play";
  byId("play").setAttribute("aria-pressed", String(Boolean(state.timer)));
  if (!state.timer) show(state.frame);
}

/** Look at a frame; what is played goes on from there. */
const look = show;

const KEYS = {
  ArrowRight: () => show(state.frame + 1),
  ArrowLeft: () => show(state.frame - 1),
  PageDown: () => show(state.frame + 10),
  PageUp: () => show(state.frame - 10),
  Home: () => show(0),
  End: () => show(lastFrame()),
  " ": () => play(!state.timer),
  b: () => show(Math.max(data.frames.marks.indexOf("best"), 0)),
  p: pin,
  "/": () => byId("sample").focus(),
  Escape: () => select(null),
};

function connect() {
  byId("slider").addEventListener("input", (event) => show(Number(event.target.value)));
  byId("speed").addEventListener("change", () => state.timer && play(true));
  byId("other").addEventListener("change", (event) => openOther(event.target.files[0]));
  connectStage();
}

/** Put a run that another file holds beside this one. */
async function openOther(file) {
  if (!file) return putBeside(null);
  const place = byId("other-refused");
  place.textContent = "";
  try {
    const page = new DOMParser().parseFromString(await file.text(), "text/html");
    putBeside(await runOf(JSON.parse(page.getElementById("data").textContent)));
  } catch {
    putBeside(null);
    place.textContent = `${file.name} holds no playback; choose a file that nn.Playback wrote.`;
  }
}

async function start() {
  followReader();
  use(await runOf(JSON.parse(byId("data").textContent)));
  connect();
  begin();
  show(lastFrame());
  document.documentElement.dataset.ready = "true";
}

start().catch((error) => {
  byId("verdict").className = "wrong";
  byId("verdict").textContent = `The page cannot be shown here: ${error.message}. It needs a browser of 2023 or later.`;
  throw error;
});
