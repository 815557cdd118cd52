// What can be set: a control for each setting, and a word beside it where it is refused.

/** The numbers of each part, with their names. */
const DATA_NUMBERS = [["samples", "Samples"], ["noise", "Noise"], ["validation", "Set aside"], ["seed", "Seed"]];
const TRAINING_NUMBERS = [["learning_rate", "Learning rate"], ["batch_size", "Batch size"], ["l1", "L1 penalty"], ["l2", "L2 penalty"]];
const FOUR_NEURONS = { data: "disc", features: ["x1", "x2"], hidden: [{ units: 4, activation: "sigmoid" }], learning_rate: 0.05 };

const dataChosen = () => data.choices.data.find(({ key }) => key === data.settings.data);

/** A control with its name; the name and the place for a refusal are found by `setting`. */
function labelled(name, setting, control) {
  control.id = `set-${setting}`;
  return make("div", { class: "setting", "data-setting": setting }, make("label", { for: control.id }, name), control);
}

function numberControl(setting, name) {
  const { low, high, whole } = data.choices.bounds[setting];
  const input = make("input", { type: "number", min: low, max: high, step: whole ? 1 : "any", autocomplete: "off" });
  input.value = data.settings[setting];
  input.addEventListener("change", () => set(setting, input.value === "" ? null : input.valueAsNumber));
  return labelled(name, setting, input);
}

function selectControl(setting, name, options) {
  return labelled(name, setting, selectOf(options, data.settings[setting], (chosen) => set(setting, chosen)));
}

function selectOf(options, chosen, choose) {
  const select = make("select", {}, ...options.map(([value, text]) => make("option", { value }, text)));
  select.value = chosen;
  select.addEventListener("change", () => choose(select.value));
  return select;
}

/** Set something: on the run that goes on where that can be, else in a new one. */
function set(setting, value) {
  const isAdjusted = data.choices.adjustable.includes(setting);
  return isAdjusted ? adjust(setting, value) : startWith({ [setting]: value });
}

/** The data, of which the user's own have neither noise nor a number to be drawn. */
function dataPart() {
  const options = data.choices.data.map(({ key, title }) => [key, title]);
  const choose = (key) => startWith({ data: key, features: data.choices.data.find((one) => one.key === key).features.filter((one) => one.is_plain).map((one) => one.key) });
  const numbers = DATA_NUMBERS.map(([setting, name]) => numberControl(setting, name));
  if (dataChosen().is_given) for (const part of numbers.slice(0, 2)) part.querySelector("input").disabled = true;
  const four = button("The lessons' disc with four neurons", "four", () => startWith(FOUR_NEURONS));
  return make("section", {}, make("h2", {}, "Data", make("small", {}, "a change begins a new run")), labelled("Samples from", "data", selectOf(options, data.settings.data, choose)), four, make("div", { class: "numbers" }, ...numbers), ...featurePart());
}

/** Which features the network is given; of samples with many numbers there is no choice. */
function featurePart() {
  const { features } = dataChosen();
  if (features.length > 12) return [];
  const boxes = features.map(({ key, name }) => {
    const box = make("input", { type: "checkbox", "data-feature": key });
    box.checked = data.settings.features.includes(key);
    box.addEventListener("change", () => {
      const chosen = features.map((feature) => feature.key).filter((other) => (other === key ? box.checked : data.settings.features.includes(other)));
      set("features", chosen);
    });
    return make("label", {}, box, name);
  });
  return [make("fieldset", { class: "choices", "data-setting": "features" }, make("legend", {}, "Inputs of the network"), ...boxes)];
}

/** The hidden layers: units and activation of each, and more or fewer of them. */
function networkPart() {
  const { hidden } = data.settings;
  const changed = (index, change) => hidden.map((layer, place) => (place === index ? { ...layer, ...change } : layer));
  const rows = hidden.map(({ units, activation }, index) => {
    const number = make("input", { type: "number", min: 1, max: data.choices.most_units, step: 1, "aria-label": `Units of layer ${index + 1}`, "data-units": index });
    number.value = units;
    const resize = (count) => startWith({ hidden: changed(index, { units: count }) });
    number.addEventListener("change", () => resize(number.value === "" ? null : number.valueAsNumber));
    const less = named(button("−", `less-${index}`, () => resize(units - 1)), `One unit fewer in layer ${index + 1}`);
    const more = named(button("+", `more-${index}`, () => resize(units + 1)), `One unit more in layer ${index + 1}`);
    less.disabled = units <= 1;
    more.disabled = units >= data.choices.most_units;
    const choice = selectOf(data.choices.activations.map((name) => [name, name]), activation, (name) => startWith({ hidden: changed(index, { activation: name }) }));
    choice.dataset.activation = index;
    const remove = named(button("×", `remove-${index}`, () => startWith({ hidden: hidden.filter((_, place) => place !== index) })), `Remove layer ${index + 1}`);
    remove.classList.add("remove");
    return make("fieldset", { class: "layer" }, make("legend", {}, `Layer ${index + 1}`), less, number, more, named(choice, `Activation of layer ${index + 1}`), remove);
  });
  const add = button("Add a layer", "add", () => startWith({ hidden: [...hidden, { units: 4, activation: hidden.at(-1)?.activation ?? "tanh" }] }));
  add.disabled = hidden.length >= data.choices.most_layers;
  return make("section", { "data-setting": "hidden" }, make("h2", {}, "Network", make("small", {}, "a change begins a new run")), ...rows, add, make("div", { class: "numbers" }, numberControl("dropout", "Dropout")));
}

function named(element, name) {
  element.setAttribute("aria-label", name);
  return element;
}

function trainingPart() {
  const title = make("h2", {}, "Training", make("small", {}, "numbers hold from the epoch that is shown on"));
  const optimizers = data.choices.optimizers.map((name) => [name, name]);
  const numbers = TRAINING_NUMBERS.map(([setting, name]) => numberControl(setting, name));
  return make("section", {}, title, selectControl("optimizer", "Optimizer", optimizers), make("div", { class: "numbers" }, ...numbers));
}

/** Write the controls anew, as the settings are; what has the focus keeps it. */
function fillSettings() {
  const place = byId("settings");
  const active = place.contains(document.activeElement) ? document.activeElement : null;
  const marks = ["id", "data-key", "data-units", "data-activation", "data-feature"];
  const mark = marks.find((name) => active?.hasAttribute(name));
  place.replaceChildren(dataPart(), networkPart(), trainingPart());
  if (mark) place.querySelector(`[${mark}="${CSS.escape(active.getAttribute(mark))}"]`)?.focus();
}

/** Say beside a control that what it was set to is refused; all that was refused before is not. */
function refuse(setting, text) {
  for (const old of document.querySelectorAll(".refusal")) old.remove();
  const part = { units: "hidden", activation: "hidden" }[setting] ?? setting;
  const place = document.querySelector(`[data-setting="${CSS.escape(part ?? "")}"]`);
  place?.append(make("p", { class: "refusal wrong" }, text));
  return Boolean(place);
}
