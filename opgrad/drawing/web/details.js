// The details of a value: under the pointer, at the focus, or kept open by a tap.

const card = document.getElementById("details");
let asked = null; // the box whose details are shown
let kept = false;
let closing = false;
let resting = false; // the pointer has not moved since the card under it was closed

function showDetails(box, keep) {
  if (asked) asked.element.classList.remove("asked");
  asked = box;
  kept = keep;
  box.element.classList.add("asked");
  card.replaceChildren(...detailsOf(box, keep));
  card.classList.toggle("kept", keep);
  card.hidden = false;
  settle();
}

function hideDetails() {
  if (asked) asked.element.classList.remove("asked");
  asked = null;
  kept = false;
  card.hidden = true;
}

/** Put the card beside its box, within the graph. */
function settle() {
  if (!asked) return;
  const frame = document.getElementById("graph").getBoundingClientRect();
  const around = asked.element.getBoundingClientRect();
  const { width, height } = card.getBoundingClientRect();
  const gap = 12;
  let left = around.right - frame.left + gap;
  if (left + width > frame.width - gap) left = around.left - frame.left - gap - width;
  let top = around.top - frame.top;
  if (left < gap) { // no room at either side: above or below
    left = Math.min(Math.max(around.left - frame.left, gap), frame.width - width - gap);
    top = around.bottom - frame.top + gap;
    if (top + height > frame.height - gap) top = around.top - frame.top - gap - height;
  }
  card.style.left = `${Math.max(left, gap)}px`;
  card.style.top = `${Math.min(Math.max(top, gap), Math.max(frame.height - height - gap, gap))}px`;
}

function detailsOf(box, keep) {
  const list = make("dl", {});
  const tell = (term, told, digits) => {
    if (told) list.append(make("dt", {}, term), make("dd", digits ? { class: "digits" } : {}, told));
  };
  const value = values[box.value];
  const grad = gradientAt(box.value, now);
  tell("is", value.expression !== value.name ? value.expression : "");
  if (value.count) tell("holds", value.made || `${value.count} values`);
  tell("data", now >= knownAt[box.value] ? text(value.data, true) : "not yet computed", true);
  if (value.kind !== "constant") {
    tell("gradient", grad ? text(grad, true) : "none yet", true);
    if (value.final && text(value.final, true) !== text(grad, true)) tell("in the end", text(value.final, true), true);
  }
  if (value.op !== undefined) {
    const op = ops[value.op];
    tell("op", op.qualname);
    tell("provider", op.provider);
    for (const operand of value.operands) {
      tell(operand.name, `${operand.value === undefined ? "" : `${values[operand.value].name}: `}${text(operand.data, true)}`, true);
    }
    for (const [name, setting] of value.attributes) tell(name, setting, true);
  }
  tell("from", value.hint);
  const parts = [make("h3", {}, value.name, make("small", {}, value.kind)), list];
  if (keep) parts[0].append(closer());
  if (keep) parts.push(jumps(box.value));
  return parts;
}

function jumps(value) {
  const row = make("div", { class: "jump" });
  for (const kind of ["forward", "backward"]) {
    const at = stepOf[value][kind];
    if (at === undefined) continue;
    const button = make("button", { type: "button" }, `${kind} step`);
    button.addEventListener("click", () => go(at));
    row.append(button);
  }
  return row;
}

function closer() {
  const button = make("button", { type: "button", "aria-label": "Close", title: "Close (Esc)" }, "×");
  button.addEventListener("click", closeDetails);
  return button;
}

/** Hide the card; the keys go on from its box. */
function closeDetails() {
  const element = card.contains(document.activeElement) ? asked.element : null;
  hideDetails();
  closing = true; // the focus that comes back does not open it again
  if (element) element.focus({ preventScroll: true });
  closing = false;
  resting = true;
}

window.addEventListener("pointermove", (event) => {
  if (event.movementX || event.movementY) resting = false;
});
