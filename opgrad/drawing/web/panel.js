// What the panel says of a step.

const out = record.outputs.map((value) => values[value].name).join(" + ");
let allDigits = false;

/** Heading, announcement and contents of a step. */
function described(at) {
  const step = steps[at];
  const tellers = { inputs, forward, start, backward, end };
  return tellers[step.kind](step);
}

function inputs() {
  return {
    heading: "The inputs are given",
    said: `${leaves().length} inputs are given`,
    words: true,
    contents: [
      make("p", {}, "Everything else is computed from them."),
      table(given().map((value) => row("", value.name, value.data, { note: told(value) || (value.kind === "constant" ? "constant, gets no gradient" : "") }))),
    ],
  };
}

const given = () => values.filter((value) => value.kind !== "computed");
const leaves = () => values.filter((value) => value.kind === "leaf");

function forward(step) {
  if (step.fold) return forwardFold(step);
  const value = values[step.values[0]];
  const op = ops[value.op];
  const rows = value.operands
    .filter((operand) => operand.data)
    .map((operand) => row("", operand.name, operand.data, { note: nameOf(operand) }));
  rows.push(row("=", value.name, value.data, { kind: "result" }));
  return {
    heading: assignment(value),
    said: `${value.name} is ${text(value.data)}`,
    contents: [
      make("p", {}, `${op.name}, from ${op.provider}, computes ${value.name}.`),
      table(rows),
      figure(op.forward, op),
    ],
  };
}

const nameOf = (operand) => (operand.value === undefined ? "constant" : values[operand.value].name);
const assignment = (value) => (value.name === value.expression ? value.name : `${value.name} = ${value.expression}`);

function start(step) {
  const several = step.seeds.length > 1;
  return {
    heading: "The backward pass starts",
    said: `The gradient of ${out} by itself is one`,
    words: true,
    contents: [
      make("p", {}, `The derivative of ${several ? "each output" : out} by itself is 1. From here each op ` +
        "hands on, to each of its operands, the gradient that came in times its own derivative."),
      table(step.seeds.map((seed) => row("", `∂${values[seed.value].name}/∂${values[seed.value].name}`, seed.grad, { kind: "grad" }))),
    ],
  };
}

function backward(step) {
  if (step.fold) return backwardFold(step);
  const value = values[step.values[0]];
  const op = ops[value.op];
  const heading = assignment(value);
  const parts = step.parts || [];
  if (!parts.length) {
    const why = whyNothing(step);
    return { heading, said: why, contents: [make("p", {}, why)] };
  }
  const contents = [make("p", {}, `The gradient of ${value.name} goes back through ${op.name}, from ${op.provider}.`)];
  const shared = parts.every((part) => part.source === parts[0].source);
  for (const part of parts) {
    contents.push(make("h3", {}, `To ${values[part.operand].name}`));
    contents.push(table(sum(step, value, part)));
    if (!shared) contents.push(figure(part.source, op));
  }
  if (shared) contents.push(figure(parts[0].source, op));
  return { heading, said: `from ${value.name}: ${parts.map(spoken).join("; ")}`, contents };
}

function whyNothing(step) {
  if (!step.incoming) return "No gradient came to this value, so its rule is not asked.";
  if (!step.idle) return "None of its operands wants a gradient.";
  return "Nothing flows through here: another op chose a different branch, so the rule is not asked, whatever its derivative is.";
}

function spoken(part) {
  const sum = part.before ? `, in all ${text(part.after)}` : "";
  return `${text(part.amount)} to ${values[part.operand].name}${sum}`;
}

/** The rows from the gradient that came in to the operand's own, as one adds by hand. */
function sum(step, value, part) {
  const operand = values[part.operand];
  const rows = incoming(step, value);
  if (part.after && part.after.outputs) { // one of several outputs of an op
    const output = value.expression.match(/\[\d+\]$/)[0];
    rows.push(row("=", `gradient of output ${output}`, part.amount, { kind: "result grad" }));
    return rows;
  }
  if (part.local) {
    const by = part.name === operand.name ? "" : `, by operand ${part.name}`;
    rows.push(row("×", `∂${value.name}/∂${operand.name}`, part.local, { note: `local derivative${by}` }));
  } else {
    rows.push(saying("→", "the rule", `takes the gradient as a whole (vjp, by operand ${part.name})`));
  }
  const summed = part.summed ? "summed over what was broadcast" : "";
  if (!part.before) {
    const note = [part.after ? `gradient of ${operand.name}` : "contribution", summed].filter(Boolean).join(", ");
    rows.push(row("=", `∂${out}/∂${operand.name}`, part.amount, { kind: "result grad", note }));
    return rows;
  }
  rows.push(row("=", "contribution", part.amount, { kind: "result", note: summed }));
  rows.push(row("+", `${operand.name} had`, part.before));
  rows.push(row("=", `∂${out}/∂${operand.name}`, part.after, { kind: "result grad", note: `gradient of ${operand.name}` }));
  return rows;
}

function incoming(step, value) {
  if (!step.incoming.outputs) {
    return [row("", `∂${out}/∂${value.name}`, step.incoming, { note: "incoming gradient" })];
  }
  return Object.entries(step.incoming.outputs).map(([i, one]) =>
    row("", `∂${out}/∂${value.name}[${i}]`, one, { note: "incoming gradient" }));
}

function end() {
  const rows = leaves().map((value) =>
    row("", `∂${out}/∂${value.name}`, value.final || { short: "0", full: "0.0" }, { kind: "grad", note: told(value) }));
  return {
    heading: "The gradients",
    said: leaves().map((value) => `${value.name} ${text(value.final) || "0"}`).join(", "),
    words: true,
    contents: [
      make("p", {}, `Each leaf has its gradient: how ${out} changes with it. This is what backward() adds to its grad.`),
      table(rows),
    ],
  };
}

const told = (value) => (value.count ? `${value.count} leaves` : "");

// -- folds: many values in one box -------------------------------------------------------------

function forwardFold(step) {
  const fold = values[step.values[0]];
  return {
    heading: fold.name,
    said: `${fold.count} values are computed`,
    words: true,
    contents: [
      make("p", {}, `${fold.count} values that were made alike: ${fold.made}.`),
      fold.data ? table([row("", "data", fold.data)]) : null,
      make("p", {}, fold.hint),
    ],
  };
}

function backwardFold(step) {
  const fold = values[step.values[0]];
  const rows = step.parts.map((part) =>
    row("", `to ${values[part.operand].name}`, part.after || null, { kind: "grad", note: `${part.count} contributions` }));
  return {
    heading: fold.name,
    said: `gradients came to ${step.came} values`,
    words: true,
    contents: [
      make("p", {}, `Gradients came to ${step.came} of ${fold.count} values: ${fold.made}.`),
      step.incoming ? table([row("", "incoming gradients", step.incoming)]) : null,
      rows.length ? table(rows) : null,
      make("p", {}, fold.hint),
    ],
  };
}

// -- tables and sources ------------------------------------------------------------------------

/** One row of a table: a sign, a name with a note below, and a number or a range. */
function row(sign, name, fact, { kind = "", note = "" } = {}) {
  return { sign, name, fact, kind, note };
}

/** A row that says a sentence in place of a number. */
function saying(sign, name, sentence) {
  return { sign, name, sentence, kind: "", note: "" };
}

function table(rows) {
  const ranged = rows.some((one) => one.fact && one.fact.min);
  const body = make("tbody", {}, ...rows.map((one) => tableRow(one, ranged)));
  const words = ["min", "mean", "max"].map((word) => make("th", { scope: "col" }, word));
  const head = ranged ? make("thead", {}, make("tr", {}, make("td", {}), make("td", {}), ...words)) : null;
  return make("div", { class: ranged ? "sum ranged" : "sum" }, make("table", {}, head, body));
}

function tableRow({ sign, name, fact, sentence, kind, note }, ranged) {
  const shape = fact && fact.shape ? fact.shape : "";
  const small = [note, shape].filter(Boolean).join(", ");
  const cells = [
    make("td", { class: "sign" }, sign),
    make("th", { scope: "row" }, name, small ? make("small", {}, small) : null),
  ];
  if (fact && fact.min) {
    for (const word of ["min", "mean", "max"]) cells.push(make("td", { title: fact[word].full }, text(fact[word], allDigits)));
  } else {
    const cell = make("td", ranged ? { colspan: "3" } : {}, sentence || text(fact, allDigits));
    if (sentence) cell.className = "said";
    else cell.title = text(fact, true);
    cells.push(cell);
  }
  return make("tr", { class: kind }, ...cells);
}

function figure(source, op) {
  if (source === undefined) return null;
  const { title, place, text: code } = sources[source];
  return make("figure", {},
    make("figcaption", {}, `${title}: ${place}, ${op.provider}`),
    make("pre", { tabindex: "0", "aria-label": `Source: ${title}` }, make("code", {}, code)));
}
