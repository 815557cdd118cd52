"use strict";

// Everything shown was computed before and lies in the page as data; here it is shown and hidden.
// Text enters the page as text nodes alone, so that no label can act as markup.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const vertices = new Map(data.vertices.map((vertex) => [vertex.key, vertex]));
const state = { step: 0, timer: null, collapsed: new Set(), view: null, map: null, frameBoxes: [] };
const LINE = 12.5;
const READABLE = 1.1; // points of the graph to a pixel, at which its text can just be read

/** An element with its attributes and with children, of which strings are text. */
function make(tag, attributes = {}, ...children) {
  const drawn = ["svg", "g", "rect", "path", "text", "tspan"].includes(tag);
  const element = drawn
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// The graph.  Edges and frames get their places from `showModules`, as these change with it.

const shapes = new Map();
const lines = data.edges.map(drawEdge);
const frames = data.clusters.map(drawFrame);

function drawEdge(edge) {
  const group = make("g", { class: "edge" }, make("path"));
  for (const mark of edge.marks ?? []) group.classList.add("marked", `mark-${mark}`);
  if (edge.label) group.append(make("text", {}, edge.label));
  return group;
}

function drawFrame(cluster, index) {
  const text = make("text", {}, cluster.title);
  const group = make("g", { class: "frame" }, make("rect"), text);
  group.addEventListener("click", (event) => {
    if (event.target === text || state.collapsed.has(index)) toggleModule(index);
  });
  return group;
}

function drawVertex(vertex) {
  const [x, y, width, height] = vertex.box;
  const group = make("g", {
    class: `vertex ${vertex.kind}`, id: vertex.key, role: "button", tabindex: "0",
  });
  for (const mark of vertex.marks ?? []) group.classList.add("marked", `mark-${mark}`);
  group.append(make("rect", { x, y, width, height }));
  if (vertex.kind === "fold") group.append(make("rect", { x: x + 3, y: y + 3, width: width - 6, height: height - 6 }));
  if (vertex.kind === "module") group.append(...[y + 4, y + height - 8].map((tab) => make("rect", { x: x - 4, y: tab, width: 8, height: 4 })));
  const middle = x + width / 2;
  const top = y + height / 2 - (vertex.facts.length * LINE) / 2 + 3.5;
  const heading = make("text", { x: middle, y: top, class: "title" }, vertex.title);
  if (vertex.subtitle) heading.append("  ", make("tspan", { class: "subtitle" }, vertex.subtitle));
  group.append(heading);
  vertex.facts.forEach(([name, text], index) => {
    const kind = ["value", "grad"].includes(name) ? name : "";
    group.append(make("text", { x: middle, y: top + (index + 1) * LINE, class: `fact ${kind}` }, `${nameOfFact(name)}  ${text}`.trim()));
  });
  respond(vertex, group);
  shapes.set(vertex.key, group);
  return group;
}

function respond(vertex, group) {
  group.addEventListener("click", () => jumpTo(vertex.key));
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    jumpTo(vertex.key);
  });
  group.addEventListener("pointerenter", () => showHover(vertex, group));
  group.addEventListener("focus", () => {
    // Not at a click: the graph must not move away under the pointer.
    if (group.matches(":focus-visible")) bringIntoView(vertex.key);
    showHover(vertex, group);
  });
  for (const event of ["pointerleave", "blur"]) group.addEventListener(event, hideHover);
}

function drawGraph() {
  const scene = byId("scene");
  scene.append(...frames, ...lines, ...data.vertices.map(drawVertex));
  byId("names").append(...data.vertices.map((vertex) => make("option", { value: vertex.title })));
}

// Zoom and pan: the part of the graph that is seen is the SVG's viewBox.

function look(view) {
  state.view = view;
  byId("graph").setAttribute("viewBox", view.map((number) => number.toFixed(2)).join(" "));
}

/** Show all of the graph, or from the start as much as can be read. */
function fit(coarsest = Infinity) {
  const [width, height] = graphSize();
  const stage = byId("stage").getBoundingClientRect();
  const whole = Math.max(width / Math.max(stage.width, 1), height / Math.max(stage.height, 1));
  const scale = Math.max(Math.min(whole, coarsest), 0.5);
  const seen = [stage.width * scale, stage.height * scale];
  look(withinGraph([0, 0, ...seen]));
}

const graphSize = () => data.size.map((length, axis) => state.map[axis](length));

/** A view moved so that it shows no more than it must of what lies beside the graph. */
function withinGraph([left, top, ...seen]) {
  const start = (wish, all, part) => (part < all ? Math.min(Math.max(wish, 0), all - part) : (all - part) / 2);
  const [width, height] = graphSize();
  return [start(left, width, seen[0]), start(top, height, seen[1]), ...seen];
}

function zoom(factor, x, y) {
  const [left, top, width, height] = state.view;
  const centre = [x ?? left + width / 2, y ?? top + height / 2];
  look([centre[0] - (centre[0] - left) * factor, centre[1] - (centre[1] - top) * factor, width * factor, height * factor]);
}

/** Move the view by so many pixels. */
function pan(dx, dy) {
  const [left, top, width, height] = state.view;
  const scale = width / byId("graph").clientWidth;
  look([left + dx * scale, top + dy * scale, width, height]);
}

function pointOf(event) {
  const box = byId("graph").getBoundingClientRect();
  const [left, top, width, height] = state.view;
  return [left + ((event.clientX - box.left) / box.width) * width, top + ((event.clientY - box.top) / box.height) * height];
}

function letMove() {
  const graph = byId("graph");
  const pointers = new Map();
  graph.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) zoom(Math.exp(event.deltaY / 300), ...pointOf(event));
    else pan(event.deltaX, event.deltaY);
  }, { passive: false });
  graph.addEventListener("pointerdown", (event) => pointers.set(event.pointerId, [event.clientX, event.clientY]));
  window.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    graph.classList.add("dragging");
    const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    if (others.length) {
      const span = ([x, y]) => Math.hypot(x - others[0][0], y - others[0][1]);
      zoom(span(before) / Math.max(span([event.clientX, event.clientY]), 1));
    } else {
      pan(before[0] - event.clientX, before[1] - event.clientY);
    }
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    window.addEventListener(name, (event) => {
      pointers.delete(event.pointerId);
      graph.classList.remove("dragging");
    });
  }
}

function bringIntoView(key) {
  const box = boxOf(vertices.get(key));
  const [left, top, width, height] = state.view;
  if (box[0] >= left && box[0] + box[2] <= left + width && box[1] >= top && box[1] + box[3] <= top + height) return;
  look(withinGraph([box[0] + (box[2] - width) / 2, box[1] + (box[3] - height) / 2, width, height]));
}

// Modules.

const isInside = (path, cluster) => cluster.path.every((name, depth) => path[depth] === name);

/** The outermost collapsed module that a vertex lies in; -1 if it is to be seen. */
function hidingFrame(vertex) {
  let found = -1;
  for (const index of state.collapsed) {
    const cluster = data.clusters[index];
    if (isInside(vertex.module, cluster) && (found < 0 || cluster.path.length < data.clusters[found].path.length)) found = index;
  }
  return found;
}

function toggleModule(index) {
  const middle = () => { const [x, y, width, height] = state.frameBoxes[index]; return [x + width / 2, y + height / 2]; };
  const before = middle();
  if (state.collapsed.has(index)) state.collapsed.delete(index);
  else state.collapsed.add(index);
  showModules();
  // What was clicked on stays where it is on the screen.
  const after = middle();
  look([state.view[0] + after[0] - before[0], state.view[1] + after[1] - before[1], state.view[2], state.view[3]]);
  show(state.step);
}

function showModules() {
  const scene = byId("scene");
  place();
  data.clusters.forEach((cluster, index) => {
    const collapsed = state.collapsed.has(index);
    const outer = liesInCollapsed(index);
    const [x, y, width, height] = state.frameBoxes[index];
    const [rect, text] = [frames[index].querySelector("rect"), frames[index].querySelector("text")];
    for (const [name, value] of Object.entries({ x, y, width, height })) rect.setAttribute(name, value);
    frames[index].classList.toggle("collapsed", collapsed);
    frames[index].classList.toggle("hidden", outer);
    text.setAttribute("x", collapsed ? x + width / 2 : x + 10);
    text.setAttribute("y", collapsed ? y + height / 2 + 4 : y + 14);
    // A collapsed module lies above the edges that lead into it, an open one below its vertices.
    if (collapsed) scene.append(frames[index]);
    byId("modules").querySelectorAll("button")[index]?.setAttribute("aria-expanded", String(!collapsed));
  });
  for (let index = frames.length - 1; index >= 0; index--) if (!state.collapsed.has(index)) scene.prepend(frames[index]);
  for (const [key, shape] of shapes) shape.classList.toggle("hidden", hidingFrame(vertices.get(key)) >= 0);
  data.edges.forEach(showEdge);
}

// Collapsing a module closes the gaps that it leaves; the order of all that is seen stays the same.

const GAP = 40;
const TITLE = 22;

/** The axis along which the computation runs: 0 from left to right, 1 from top to bottom. */
const MAIN = data.edges.every((edge) => {
  const [tail, head] = [vertices.get(edge.tail).box, vertices.get(edge.head).box];
  return tail[0] + tail[2] <= head[0];
}) ? 0 : 1;

/** Where everything lies now: boxes of vertices that are seen, frames, and the map of places. */
function place() {
  const outermost = [...state.collapsed].filter((index) => data.vertices.some((vertex) => hidingFrame(vertex) === index));
  const small = new Map(outermost.map((index) => [index, smallBox(data.clusters[index])]));
  const seen = [...data.vertices.filter((vertex) => hidingFrame(vertex) < 0).map((vertex) => vertex.box), ...small.values()];
  // The titles of open frames need their room too.
  seen.push(...data.clusters.filter((_, index) => !state.collapsed.has(index) && !liesInCollapsed(index)).map(({ box }) => [box[0], box[1], 0, TITLE]));
  const emptied = outermost.map((index) => data.clusters[index].box);
  state.map = [0, 1].map((axis) => closedUp(seen, emptied, axis));
  for (const vertex of data.vertices) shapes.get(vertex.key).style.transform = shifted(vertex.box);
  state.frameBoxes = data.clusters.map((cluster, index) => {
    const [x, y, width, height] = small.get(index) ?? cluster.box;
    const [left, top] = [state.map[0](x), state.map[1](y)];
    return [left, top, state.map[0](x + width) - left, state.map[1](y + height) - top];
  });
}

const liesInCollapsed = (index) => [...state.collapsed].some((other) => other !== index && isInside(data.clusters[index].path, data.clusters[other]));

function smallBox(cluster) {
  const [x, y, width, height] = cluster.box;
  const [w, h] = [Math.min(width, cluster.title.length * 6 + 24), Math.min(height, 36)];
  return [x + (width - w) / 2, y + (height - h) / 2, w, h];
}

function shifted([x, y]) {
  const [dx, dy] = [state.map[0](x) - x, state.map[1](y) - y];
  return dx || dy ? `translate(${dx.toFixed(1)}px, ${dy.toFixed(1)}px)` : "";
}

/** A map of one coordinate that shortens the gaps between boxes by what lies in emptied frames. */
function closedUp(seen, emptied, axis) {
  const spans = (boxes) => boxes.map((box) => [box[axis], box[axis] + box[axis + 2]]).sort((a, b) => a[0] - b[0]);
  const pieces = [];
  let [end, loss] = [-Infinity, 0];
  for (const [from, to] of spans(seen)) {
    if (from > end && end > -Infinity) {
      const free = spans(emptied).reduce((sum, [a, b]) => Math.max(sum, Math.min(b, from) - Math.max(a, end)), 0);
      const length = from - end;
      const rest = free > 0 ? Math.max(Math.min(GAP, length), length - free) : length;
      pieces.push({ from: end, to: from, loss, shrink: length - rest });
      loss += length - rest;
    }
    end = Math.max(end, to);
  }
  return (x) => {
    let lost = 0;
    for (const piece of pieces) {
      if (x >= piece.to) lost = piece.loss + piece.shrink;
      else if (x > piece.from) return x - piece.loss - (piece.shrink * (x - piece.from)) / (piece.to - piece.from);
    }
    return x - lost;
  };
}

/** Where a vertex is seen: in its own box, or in the collapsed module that hides it. */
function boxOf(vertex) {
  const hiding = hidingFrame(vertex);
  if (hiding >= 0) return state.frameBoxes[hiding];
  const [x, y, width, height] = vertex.box;
  return [state.map[0](x), state.map[1](y), width, height];
}

function showEdge(edge, index) {
  const [tail, head] = [vertices.get(edge.tail), vertices.get(edge.head)];
  const [from, to] = [hidingFrame(tail), hidingFrame(head)];
  const [path, text] = [lines[index].querySelector("path"), lines[index].querySelector("text")];
  const moved = (x, y) => [state.map[0](Number(x)), state.map[1](Number(y))];
  lines[index].classList.toggle("hidden", from >= 0 && from === to);
  let at = edge.at && moved(...edge.at);
  if (from < 0 && to < 0) {
    path.setAttribute("d", edge.path.replace(/(-?[\d.]+),(-?[\d.]+)/g, (_, x, y) => moved(x, y).map((number) => number.toFixed(1)).join(",")));
  } else {
    const ends = curve(boxOf(tail), boxOf(head));
    path.setAttribute("d", ends.path);
    at = ends.middle;
  }
  if (text) for (const [name, value] of [["x", at[0]], ["y", at[1]]]) text.setAttribute(name, value);
}

/** A curve from one box to another, leaving and entering on the sides that face each other. */
function curve(tail, head) {
  const centre = ([x, y, width, height]) => [x + width / 2, y + height / 2];
  const [[x1, y1], [x2, y2]] = [centre(tail), centre(head)];
  const apart = [Math.abs(x2 - x1) - (tail[2] + head[2]) / 2, Math.abs(y2 - y1) - (tail[3] + head[3]) / 2];
  const axis = apart[MAIN] > 0 ? MAIN : 1 - MAIN;
  const sign = axis ? Math.sign(y2 - y1) || 1 : Math.sign(x2 - x1) || 1;
  const [a, b] = [[x1, y1], [x2, y2]];
  a[axis] += (sign * tail[axis + 2]) / 2;
  b[axis] -= sign * (head[axis + 2] / 2 + 6);
  const half = (a[axis] + b[axis]) / 2;
  const [c, d] = [[...a], [...b]];
  c[axis] = d[axis] = half;
  const text = (point) => point.map((number) => number.toFixed(1)).join(",");
  return { path: `M${text(a)}C${text(c)} ${text(d)} ${text(b)}`, middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2 - 3] };
}

function listModules() {
  byId("modules").hidden = !data.clusters.length;
  data.clusters.forEach((cluster, index) => {
    const button = make("button", { type: "button", "aria-expanded": "true" }, cluster.title);
    button.addEventListener("click", () => toggleModule(index));
    const item = make("li", {}, button);
    item.style.marginLeft = `${cluster.path.length - 1}rem`;
    byId("modules").querySelector("ul").append(item);
  });
}

/** What the boxes of each kind look like, and what marks do, of those that there are. */
function listKinds() {
  const kinds = new Set(data.vertices.map((vertex) => vertex.kind));
  const marks = new Set([...data.vertices, ...data.edges].flatMap((part) => part.marks ?? []));
  for (const kind of kinds) listSign(kind, say(`kind.${kind}`));
  for (const mark of marks) listSign(`operation marked mark-${mark}`, say(`mark.${mark}`));
}

function listSign(look, word) {
  const key = make("svg", { viewBox: "0 0 26 16", "aria-hidden": "true" });
  key.append(make("g", { class: look }, make("rect", { x: 2, y: 2, width: 22, height: 12 })));
  byId("legend").querySelector("ul").append(make("li", {}, key, word));
}

function listSources() {
  const withSource = data.vertices.filter((vertex) => vertex.source);
  byId("sources").hidden = !withSource.length;
  for (const vertex of withSource) {
    const button = make("button", { type: "button" }, `${vertex.title}: ${vertex.source}`);
    button.addEventListener("click", () => jumpTo(vertex.key));
    byId("sources").querySelector("ol").append(make("li", {}, button));
  }
}
