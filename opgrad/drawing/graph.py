"""`Graph`: the boxes and arrows of a picture, before anything is placed or painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from opgrad.drawing import labels
from opgrad.drawing.folding import fold
from opgrad.drawing.naming import names_of
from opgrad.drawing.walking import boxes_of, is_input, is_whole, made_of
from opgrad.structure import PICK
from opgrad.value import Value

LIMIT = 200
"""The most boxes a picture has, unless another limit is asked for."""
_NAMED = 6  # folds in the notes


@attrs.frozen
class Node:
    """One box: a leaf, a computed value, the op that made it, or a fold of many."""

    key: str
    """Its name in DOT, unique in the graph: `v3` for a Value, `o3` for the op that made it."""
    kind: str
    """`leaf`, `value`, `op` or `fold`."""
    title: str
    """The name of a Value, or ""; the symbol of an op; what a fold stands for."""
    lines: tuple[str, ...] = ()
    """What stands below the title."""
    value: Value | None = attrs.field(default=None, eq=False, repr=False)
    """The Value; of an op the Value it made (of several outputs, the one that holds them all)."""
    serial: int = 0
    provider: str = ""
    """The namespace of the plugin that brought an op; "" for all but ops and folds of ops."""
    hint: str = ""
    """What a pointer resting on the box is told."""
    count: int = 1
    """How many Values it stands for."""
    members: tuple[Value, ...] = attrs.field(default=(), eq=False, repr=False)
    """Those of a fold, operands before results."""

    @property
    def constant(self) -> bool:
        """Whether it is a Value that no gradient flows to."""
        return self.value is not None and not self.value.requires_grad


@attrs.frozen
class Edge:
    """An arrow from operand to op or from op to result, labelled where order matters."""

    tail: str
    head: str
    label: str = ""


@attrs.frozen
class Graph:
    """What a picture shows: nodes in an order in which tails come before heads."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    notes: tuple[str, ...] = ()
    """What was folded, in sentences for the reader of the picture."""
    outputs: tuple[str, ...] = ()
    """The keys of what was asked to be drawn."""


def graph_of(
    *outputs: Value, names: Mapping[str, Any] | None = None, limit: int | None = LIMIT
) -> Graph:
    """The graph of what `outputs` were made of.

    Args:
        outputs: Values.
        names: Names for Values, such as `locals()`; a list named `w` gives `w[0]`, `w[1]`, ...
        limit: The most boxes; a larger graph has its repeated structure folded. None: no limit.

    Examples:
        >>> a, b = Value(2.0), Value(-3.0)
        >>> graph = graph_of(a * b, names={"a": a, "b": b})
        >>> [node.title for node in graph.nodes]
        ['a', 'b', '*', '']
        >>> [(edge.tail, edge.head) for edge in graph.edges]
        [('v1', 'o3'), ('v2', 'o3'), ('o3', 'v3')]
    """
    values = made_of(outputs)
    called = names_of(values, names or {})
    builder = _Builder(called)
    if limit is None or (len(values) <= limit and sum(map(boxes_of, values)) <= limit):
        for value in values:
            builder.add(value)
        return builder.graph(outputs)
    for group in fold(values, outputs, called, limit):
        if len(group) == 1:
            builder.add(group[0])
        else:
            builder.add_fold(group)
    builder.add_notes(len(values), limit)

    return builder.graph(outputs)


class _Builder:
    """Collects nodes and edges, one Value or one group of Values after the other."""

    def __init__(self, called: Mapping[int, str]) -> None:
        self._called = called
        self._keys: dict[int, str] = {}  # of the box that a Value is in, by id
        self._count = 0
        self._nodes: list[Node] = []
        self._edges: list[Edge] = []
        self._notes: list[str] = []

    def add(self, value: Value) -> None:
        """Draw a Value, and the op that made it."""
        self._count += 1
        key, op_key = f"v{self._count}", f"o{self._count}"
        leaf = is_input(value)
        if value.op is PICK:
            label = f"[{value.attributes['index']}]"
            self._edges.append(Edge(self._keys[id(value.first)], key, label))
        elif not leaf:
            self._add_op(value, op_key)
            if is_whole(value):  # each of its outputs has a box of its own
                self._keys[id(value)] = op_key
                return
            self._edges.append(Edge(op_key, key))
        self._keys[id(value)] = key
        node = Node(
            key=key,
            kind="leaf" if leaf else "value",
            title=labels.name_of(self._called.get(id(value), "")),
            lines=labels.value_lines(value),
            value=value,
            serial=value.serial,
            hint=labels.value_hint(value),
        )
        self._nodes.append(node)

    def _add_op(self, value: Value, key: str) -> None:
        call = labels.call_of(value)
        node = Node(
            key=key,
            kind="op",
            title=call.title,
            lines=call.lines,
            value=value,
            serial=value.serial,
            provider=call.provider,
            hint=call.hint,
        )
        self._nodes.append(node)
        used: dict[str, list[str]] = {}
        for operand, label in zip(value.operands, call.operands, strict=True):
            if type(operand) is Value:
                used.setdefault(self._keys[id(operand)], []).append(label)
        self._edges += [Edge(tail, key, labels.shared(uses)) for tail, uses in used.items()]

    def add_fold(self, values: Sequence[Value]) -> None:
        """Draw Values that were made alike as one box."""
        self._count += 1
        key = f"f{self._count}"
        text = labels.fold_of(values, self._called)
        tails: dict[str, None] = {}
        self._keys |= dict.fromkeys(map(id, values), key)
        for value in values:
            for operand in value.operands:
                if type(operand) is Value:
                    tails[self._keys[id(operand)]] = None
        tails.pop(key, None)
        node = Node(
            key=key,
            kind="fold",
            title=text.title,
            lines=text.lines,
            serial=values[-1].serial,
            provider=text.provider,
            hint=text.hint,
            count=len(values),
            members=tuple(values),
        )
        self._nodes.append(node)
        self._edges += [Edge(tail, key) for tail in tails]

    def add_notes(self, values: int, limit: int) -> None:
        """Say what was folded, and how to see it all."""
        folds = sorted([n for n in self._nodes if n.kind == "fold"], key=lambda n: -n.count)
        folded = sum(node.count for node in folds)
        named = "; ".join(node.title for node in folds[:_NAMED])
        more = f"; and {len(folds) - _NAMED} more" if len(folds) > _NAMED else ""
        shared = f"{len(folds)} box{'es' if len(folds) > 1 else ''}, as limit={limit}"
        self._notes = [
            f"{folded:,} of {values:,} Values share {shared}; limit=None draws all",
            f"folded: {named}{more}",
        ]

    def graph(self, outputs: Sequence[Value]) -> Graph:
        """What was collected."""
        return Graph(
            nodes=tuple(self._nodes),
            edges=tuple(self._edges),
            notes=tuple(self._notes),
            outputs=tuple(dict.fromkeys(self._keys[id(output)] for output in outputs)),
        )
