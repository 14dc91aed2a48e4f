// The page: paints a step, and listens to slider, keys and pointers.

const byId = (id) => document.getElementById(id);
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const slider = byId("slider");
let now = 0;
let timer = null;

// -- the boxes and arrows that Python drew --------------------------------------------------------

const boxes = [...document.querySelectorAll(".node")].map((element) => ({
  element,
  key: element.dataset.key,
  value: Number(element.dataset.value),
  isOp: element.classList.contains("op"),
  x: Number(element.dataset.x),
  y: Number(element.dataset.y),
  width: Number(element.dataset.width),
  height: Number(element.dataset.height),
  grad: element.querySelector(".grad"),
}));
const boxOf = new Map(boxes.map((box) => [box.key, box]));
const arrows = [...document.querySelectorAll(".edge")].map((element) => ({
  element,
  tail: boxOf.get(element.dataset.tail),
  head: boxOf.get(element.dataset.head),
}));
const stops = boxes.filter((box) => !box.isOp); // where Up and Down go
const homes = new Map(); // the box of each value
for (const box of stops) homes.set(box.value, box);

// -- painting a step ------------------------------------------------------------------------------

function go(at, { glide = true } = {}) {
  now = Math.min(Math.max(at, 0), END);
  const step = steps[now];
  const returning = now >= START;
  document.body.classList.toggle("backward", returning);
  paintBoxes(step);
  const active = paintArrows(step);
  paintPanel();
  slider.value = String(now);
  slider.setAttribute("aria-valuetext", `${now + 1} of ${steps.length}, ${returning ? "backward" : "forward"}`);
  byId("place").textContent = `${now + 1} of ${steps.length}`;
  for (const id of ["first", "back"]) byId(id).disabled = now === 0;
  for (const id of ["next", "last"]) byId(id).disabled = now === END;
  if (!camera.whole) follow(active, glide && !calm.matches);
  if (asked) showDetails(asked, kept);
}

function paintBoxes(step) {
  const main = new Set(step.values || (step.seeds || []).map((seed) => seed.value));
  const touched = new Set(touchedBy(step));
  for (const box of boxes) {
    const { classList } = box.element;
    const grad = box.isOp ? null : gradientAt(box.value, now);
    classList.toggle("known", now >= knownAt[box.value]);
    classList.toggle("current", main.has(box.value));
    classList.toggle("touched", touched.has(box.value) && !box.isOp);
    classList.toggle("graded", Boolean(grad));
    const shown = text(grad);
    if (box.grad && shown !== box.shown) {
      box.grad.textContent = shown;
      box.shown = shown;
    }
    if (!box.isOp) name(box, label(box, shown));
  }
  const home = homes.get([...main][0]);
  if (home) stopAt(home);
}

function name(box, said) {
  if (said !== box.said) box.element.setAttribute("aria-label", said);
  box.said = said;
}

function touchedBy(step) {
  if (step.kind === "inputs" || step.kind === "end") return [];
  if (step.parts) return step.parts.map((part) => part.operand);
  if (step.kind === "forward") {
    return (step.values || []).flatMap((value) => (values[value].operands || []).map((operand) => operand.value));
  }
  return [];
}

function label(box, grad) {
  const value = values[box.value];
  const data = now >= knownAt[box.value] ? `data ${text(value.data)}` : "not yet computed";
  return `${value.name}, ${value.kind}, ${data}${grad ? `, gradient ${grad}` : ""}`;
}

/** Mark the arrows of a step, and return the boxes to look at, the most important one first. */
function paintArrows(step) {
  const main = new Set(step.values || []);
  const receiving = new Set((step.parts || []).map((part) => part.operand));
  const active = boxes.filter((box) => box.element.classList.contains("current"));
  const first = homes.get(Math.min(...main)); // of the inputs the oldest
  if (first) active.unshift(first);
  for (const { element, tail, head } of arrows) {
    const within = main.has(tail.value) && main.has(head.value);
    const into = main.has(head.value) && (step.kind === "forward" || receiving.has(tail.value));
    const on = (step.kind === "forward" || step.kind === "backward" && receiving.size > 0) && (within || into);
    element.classList.toggle("active", on);
    if (on && !within) active.push(tail);
  }
  return active;
}

function paintPanel() {
  const { heading, said, words, contents } = described(now);
  const step = steps[now];
  const count = START - 1;
  const phases = {
    inputs: "Before the forward pass",
    forward: `Forward, ${now} of ${count}`,
    start: "Start of the backward pass",
    backward: `Backward, ${now - START} of ${count}`,
    end: "After the backward pass",
  };
  byId("phase").firstElementChild.textContent = phases[step.kind];
  byId("heading").textContent = heading;
  byId("heading").classList.toggle("words", Boolean(words));
  byId("text").replaceChildren(...contents.filter(Boolean));
  byId("panel").scrollTop = 0;
  byId("said").textContent = `${phases[step.kind]}: ${words ? "" : `${heading}: `}${said}`;
}

// -- playing --------------------------------------------------------------------------------------

function play(on) {
  clearInterval(timer);
  timer = null;
  if (on) {
    if (now === END) go(0);
    const pause = Math.min(Math.max(60000 / steps.length, 250), 1400);
    timer = setInterval(() => {
      go(now + 1);
      if (now === END) play(false);
    }, pause);
  }
  document.body.classList.toggle("playing", Boolean(timer));
  byId("play").setAttribute("aria-label", timer ? "Pause" : "Play");
}

function stepBy(at) {
  play(false);
  go(at);
}

byId("first").addEventListener("click", () => stepBy(0));
byId("back").addEventListener("click", () => stepBy(now - 1));
byId("next").addEventListener("click", () => stepBy(now + 1));
byId("last").addEventListener("click", () => stepBy(END));
byId("play").addEventListener("click", () => play(!timer));
slider.addEventListener("input", () => stepBy(Number(slider.value)));
byId("digits").addEventListener("click", () => {
  allDigits = !allDigits;
  byId("digits").setAttribute("aria-pressed", String(allDigits));
  paintPanel();
});

// -- keys -----------------------------------------------------------------------------------------

const keys = {
  ArrowLeft: () => stepBy(now - 1),
  ArrowRight: () => stepBy(now + 1),
  Home: () => stepBy(0),
  End: () => stepBy(END),
  " ": () => play(!timer),
  "+": () => zoom(1.3, null, !calm.matches),
  "=": () => zoom(1.3, null, !calm.matches),
  "-": () => zoom(1 / 1.3, null, !calm.matches),
  0: () => fit(!calm.matches),
  Escape: closeDetails,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { target, key } = event;
  if (target === slider && /^(Arrow|Home|End|Page)/.test(key)) return; // the slider knows these
  if (key === " " && target.closest("button")) return; // presses it
  if (target.closest(".node") && nodeKey(event)) return;
  if (!(key in keys)) return;
  keys[key]();
  event.preventDefault();
});

/** Keys that mean something on a box of the graph. */
function nodeKey(event) {
  const box = boxOf.get(event.target.closest(".node").dataset.key);
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (by) {
    const next = stops[(stops.indexOf(box) + by + stops.length) % stops.length];
    stopAt(next);
    next.element.focus({ preventScroll: true });
  } else if (event.key === "Enter") {
    showDetails(box, true);
    const button = card.querySelector("button");
    if (button) button.focus();
  } else return false;
  event.preventDefault();
  return true;
}

/** One box of the graph is in the order of the Tab key: that of the step, or where Up and Down led. */
function stopAt(box) {
  for (const other of stops) other.element.setAttribute("tabindex", other === box ? "0" : "-1");
}

// -- details --------------------------------------------------------------------------------------

for (const box of boxes) {
  box.element.addEventListener("pointerenter", (event) => {
    if (event.pointerType === "mouse" && !kept && !resting && !pointers.size) showDetails(box, false);
  });
  box.element.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse" && !kept) hideDetails();
  });
}

for (const box of stops) { // an SVG element that listens for the focus gets it, so others do not
  box.element.addEventListener("focus", () => {
    if (closing || !box.element.matches(":focus-visible")) return;
    follow([box], !calm.matches);
    if (!kept) showDetails(box, false);
  });
  box.element.addEventListener("blur", () => {
    if (!kept) hideDetails();
  });
}

picture.addEventListener("click", (event) => {
  if (travelled > 4) return; // it was a drag
  const element = event.target.closest(".node");
  if (element) showDetails(boxOf.get(element.dataset.key), true);
  else hideDetails();
});

lens.addEventListener("transitionend", settle);

// -- beginning ------------------------------------------------------------------------------------

slider.max = String(END);
slider.style.setProperty("--split", `${(100 * (START - 0.5)) / Math.max(END, 1)}%`);
open();
go(0, { glide: false });
new ResizeObserver(() => {
  if (camera.whole) fit(false);
  else follow(boxes.filter((box) => box.element.classList.contains("current")), false);
  settle();
}).observe(picture);
