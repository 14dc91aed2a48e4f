"""What the page to step through knows: values, ops, sources and steps, as plain texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from opgrad import namespaces
from opgrad.drawing.facts import Plain, facts, head, range_of
from opgrad.drawing.graph import Graph, Node
from opgrad.drawing.sources import Source, forward_source, rule_source
from opgrad.drawing.stepping import Contribution, Step, Stepping, operand_name
from opgrad.drawing.walking import is_input, is_whole
from opgrad.op import Op
from opgrad.projection import data_of
from opgrad.rules import REQUIRED
from opgrad.structure import PICK
from opgrad.types import shape
from opgrad.value import Value


class Record:
    """Tells of each Value, op and source once; elsewhere its number in the list stands for it."""

    def __init__(self, graph: Graph, taken: Stepping) -> None:
        """With what is drawn, and the steps that were taken."""
        self._taken = taken
        self._folds = {id(member): node for node in graph.nodes for member in node.members}
        self._names = {
            id(node.value): node.title or node.key
            for node in graph.nodes
            if node.kind in {"leaf", "value"}
        }
        self._places: dict[int | str, int] = {}  # in the lists, by id; of folds by key
        self._rules: dict[tuple[int, str], int | None] = {}  # sources, by op and operand
        self._values: list[Plain] = []
        self._ops: list[Plain] = []
        self._sources: list[Plain] = []

    def plain(self) -> Plain:
        """All of it, for JSON."""
        return {
            "steps": [self._step(fold, steps) for fold, steps in self._runs()],
            "outputs": [self.place(output) for output in self._taken.outputs],
            "values": self._values,
            "ops": self._ops,
            "sources": self._sources,
        }

    def place(self, value: Value) -> int:
        """The number of a Value, or of the fold it is in; told when first asked for."""
        fold = self._folds.get(id(value))
        key = fold.key if fold else id(value)
        if key not in self._places:
            self._places[key] = len(self._values)
            self._values.append({})  # it may ask for those it was made of
            self._values[self._places[key]] = self._fold(fold) if fold else self._value(value)

        return self._places[key]

    def name(self, value: Value) -> str:
        """What the page calls a Value: its name, or the key of its box."""
        fold = self._folds.get(id(value))
        if fold:
            return fold.title
        if is_whole(value):
            return expression(value, self.name)

        return self._names.get(id(value), "…")

    # -- values -------------------------------------------------------------------------------

    def _value(self, value: Value) -> Plain:
        told: Plain = {"name": self.name(value), "kind": _kind(value), "data": facts(value.data)}
        if value.requires_grad:
            told["final"] = facts(self._taken.gradients.get(value.serial))
        if value.op is not None and told["kind"] == "computed":
            told |= {
                "op": self._op(value.op),
                "expression": expression(value, self.name),
                "operands": [self._operand(value, i) for i in range(len(value.operands))],
                "attributes": [[name, repr(x)] for name, x in value.attributes.items()],
            }

        return told

    def _operand(self, value: Value, place: int) -> Plain:
        operand = value.operands[place]
        data = data_of(operand)
        told: Plain = {"name": operand_name(value, place)}
        if namespaces.kind_of(data) is not None or type(data) is tuple:
            told["data"] = facts(data)
        if type(operand) is Value:
            told["value"] = self.place(operand)

        return told

    def _fold(self, node: Node) -> Plain:
        gradients = [self._taken.gradients.get(member.serial) for member in node.members]
        counted = Counter(m.op.name for m in node.members if m.op and not is_input(m))

        return {
            "name": node.title,
            "kind": _kind(node.members[0]),
            "count": node.count,
            "data": range_of([member.data for member in node.members]),
            "final": range_of([g for g in gradients if g is not None]),
            "made": ", ".join(f"{count:,} × {name}" for name, count in counted.most_common()),
            "hint": node.hint,
        }

    # -- ops and their sources ----------------------------------------------------------------

    def _op(self, op: Op) -> int:
        if id(op) not in self._places:
            self._places[id(op)] = len(self._ops)
            provider = op.provider or ("opgrad" if op is PICK else "defined in place")
            told = {"name": op.name, "qualname": op.qualname, "provider": str(provider)}
            self._ops.append({**told, "forward": self._source(forward_source(op))})

        return self._places[id(op)]

    def _rule(self, op: Op, operand: str) -> int | None:
        key = (id(op), operand)
        if key not in self._rules:
            source = rule_source(op, operand)
            self._rules[key] = None if source is None else self._source(source)

        return self._rules[key]

    def _source(self, source: Source) -> int:
        told = {"title": source.title, "place": source.place, "text": source.text}
        if told not in self._sources:
            self._sources.append(told)

        return self._sources.index(told)

    # -- steps --------------------------------------------------------------------------------

    def _runs(self) -> Iterator[tuple[Node | None, list[Step]]]:
        """The steps one by one, but those of a fold together."""
        for fold, run in groupby(self._taken.steps, self._fold_of):
            if fold is None:
                for step in run:
                    yield None, [step]
            else:
                yield fold, list(run)

    def _fold_of(self, step: Step) -> Node | None:
        return self._folds.get(id(step.node)) if step.node is not None else None

    def _step(self, fold: Node | None, steps: Sequence[Step]) -> Plain:
        (step, *_) = steps
        told: Plain = {"kind": step.kind}
        if step.kind == "inputs":
            told["values"] = list(dict.fromkeys(map(self.place, self._taken.leaves)))
        elif step.kind == "start":
            start = self._taken.start
            told["seeds"] = [
                {"value": self.place(output), "grad": facts(start[output.serial])}
                for output in self._taken.outputs
            ]
        elif step.node is not None:
            place = self.place(step.node)
            more = self._folded(place, steps) if fold else self._single(step.node, step)
            told |= {"values": [place], **more}

        return told

    def _single(self, node: Value, step: Step) -> Plain:
        told: Plain = {"idle": True} if step.idle else {}
        if step.incoming is not None:
            told["incoming"] = facts(step.incoming)
        if step.contributions:
            told["parts"] = [self._part(node, part) for part in step.contributions]

        return told

    def _part(self, node: Value, part: Contribution) -> Plain:
        told: Plain = {
            "operand": self.place(part.operand),
            "name": part.name,
            "local": facts(part.local),
            "amount": facts(part.amount),
        }
        if id(part.operand) not in self._folds:
            told |= {"before": facts(part.before), "after": facts(part.after)}
        if part.local is not None and shape(part.local) != shape(part.amount):
            told["summed"] = True
        source = self._rule(node.op, part.name.partition("[")[0]) if node.op else None
        if source is not None:
            told["source"] = source

        return told

    def _folded(self, own: int, steps: Sequence[Step]) -> Plain:
        """Of a fold only counts and ranges, and the gradients of Values that are none."""
        came = [step.incoming for step in steps if step.incoming is not None]
        told: Plain = {"fold": True, "came": len(came), "incoming": range_of(came)}
        parts: dict[int, Plain] = {}
        for step in steps:
            for part in step.contributions:
                place = self.place(part.operand)
                told_part = parts.setdefault(place, {"operand": place, "count": 0})
                told_part["count"] += 1
                if id(part.operand) not in self._folds:
                    told_part["after"] = facts(part.after)
        told["parts"] = [part for place, part in parts.items() if place != own]

        return told


def _kind(value: Value) -> str:
    if not value.requires_grad:
        return "constant"

    return "leaf" if is_input(value) else "computed"


def expression(value: Value, name: Callable[[Value], str]) -> str:
    """The call that made a Value, as one would write it: `a * b`, `sum(x, axis=0)`."""
    op: Any = value.op
    if op is PICK:
        return f"{name(value.first)}[{value.attributes['index']}]"
    operands = [name(o) if type(o) is Value else head(o) for o in value.operands if o is not None]
    if op.operator and op.operator not in {"abs", "[]"} and not value.attributes:
        infix = len(operands) == 2  # noqa: PLR2004 -- one on each side
        return f" {op.operator} ".join(operands) if infix else f"{op.operator}{operands[0]}"
    attributes = [
        f"{key}={x!r}"
        for key, x in value.attributes.items()
        if op.attributes.get(key, REQUIRED) is REQUIRED or x != op.attributes[key]
    ]

    return f"{op.name}({', '.join([*operands, *attributes])})"
