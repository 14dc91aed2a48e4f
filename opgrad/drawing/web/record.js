// What Python recorded, and what is known at each step of it.

const record = JSON.parse(document.getElementById("record").textContent);
const { values, ops, sources, steps } = record;
const START = steps.findIndex((step) => step.kind === "start");
const END = steps.length - 1;

// For each value the step from which its data are known, and its gradient step by step.
const knownAt = values.map(() => 0);
const gradients = values.map(() => []);
const stepOf = values.map(() => ({}));

steps.forEach((step, at) => {
  if (step.kind === "start") {
    for (const seed of step.seeds) gradients[seed.value].push([at, seed.grad]);
  }
  for (const value of step.values || []) {
    stepOf[value][step.kind] = at;
    if (step.kind === "forward") knownAt[value] = at;
    if (step.fold && step.incoming) gradients[value].push([at, step.incoming]);
  }
  for (const part of step.parts || []) {
    if (part.after) gradients[part.operand].push([at, part.after]);
  }
});

/** The gradient of a value after a step, or null while none has flowed to it. */
function gradientAt(value, at) {
  let found = null;
  for (const [since, gradient] of gradients[value]) {
    if (since > at) break;
    found = gradient;
  }
  return found;
}

/** A number or a range as text: to four digits, or with all of them. */
function text(fact, full) {
  if (!fact) return "";
  if (fact.outputs) {
    return Object.entries(fact.outputs).map(([i, one]) => `[${i}] ${text(one, full)}`).join(", ");
  }
  return full ? fact.full : fact.short;
}

/** An element with attributes and children; texts are never read as markup. */
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}
