"""Which Values of a large graph share one box: those that were made alike.

Values are told apart by their op and by what they were made of, as finely as the limit allows:
by their whole history; else by up to two steps of it; at last by the op alone. Classes that
feed one another in a circle, as the steps of a loop do, become one. Each way is a single pass.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from opgrad.drawing.walking import boxes_of, is_input, postorder
from opgrad.structure import PICK
from opgrad.value import Value

_LONGEST_SUM = 8  # kinds of terms in a chain of one op: a bound for the work at each node
_MOST_OUTPUTS = 10  # that keep a box of their own
_STEPS = 2  # of history that are compared, where the whole of it is too much


def fold(
    values: Sequence[Value], outputs: Sequence[Value], called: Mapping[int, str], limit: int
) -> list[list[Value]]:
    """The Values in groups, each one box (or, of one Value, what it has); operands come first.

    Args:
        values: All Values, operands before results.
        outputs: Those that were asked for: if they are few, each stays on its own.
        called: Names by id: Values of one name, but for its digits, stay among themselves.
        limit: The most boxes: as far as folding goes.
    """
    graph = _index(values, outputs, called)
    aim = max(limit // 4, min(limit, 24))  # what is folded is read as a whole
    most = max(4 * limit, 1000)
    by_history = _by_history(graph, most)
    if by_history is not None:
        groups = _grouped(graph, by_history)
        if _boxes(values, groups) <= aim:
            return _members(values, groups, graph)
    chosen: Groups = []
    for classes in _by_steps(graph, most):
        groups = _grouped(graph, classes)
        if chosen and _boxes(values, groups) > aim:
            break
        chosen = groups

    return _members(values, chosen, graph)


def pattern_of(name: str) -> str:
    """A name without its numbers: what entries of one container have in common.

    Examples:
        >>> pattern_of("layers[0].w[12]")
        'layers[…].w[…]'
    """
    return re.sub(r"\d+", "…", name)


Classes = list[int]
"""The class of each Value, by its place: how it was made."""
Groups = list[Any]
"""The box of each Value, by its place: several classes of a circle, or leaves with one use."""


@attrs.frozen
class _Indexed:
    """A graph as numbers: everything that is looked at more than once."""

    operands: list[list[int]]
    """The places of the operands of each Value."""
    leaf: list[Any]
    """What tells leaves apart; None for a computed Value."""
    made_by: list[int]
    """A number for what made each Value: the op, and a name where it has one."""
    made_as: list[int]
    """The same with the shape of the result."""
    links: tuple[list[int], list[int]] = attrs.field(factory=lambda: ([], []))
    """Each use of a computed Value: its place, and that of its user."""
    leaf_links: tuple[list[int], list[int]] = attrs.field(factory=lambda: ([], []))
    """The same of leaves."""


def _index(
    values: Sequence[Value], outputs: Sequence[Value], called: Mapping[int, str]
) -> _Indexed:
    place = {id(value): index for index, value in enumerate(values)}
    apart: dict[int, Any] = {key: pattern_of(name) for key, name in called.items()}
    if len(outputs) <= _MOST_OUTPUTS:
        apart |= {id(value): number for number, value in enumerate(outputs)}
    numbers: dict[Any, int] = {}
    graph = _Indexed([], [], [], [])
    for user, value in enumerate(values):
        made: Any = value.op
        name = apart.get(id(value))
        if name is not None or made is PICK:
            made = (made, name, value.attributes.get("index"))
        own = numbers.setdefault(made, len(numbers))
        shape = value.shape
        graph.made_by.append(own)
        graph.made_as.append(numbers.setdefault((own, shape), len(numbers)) if shape else own)
        graph.leaf.append((name, value.requires_grad) if is_input(value) else None)
        operands = [place[id(o)] for o in value.operands if type(o) is Value]
        graph.operands.append(operands)
        for operand in operands:
            tails, heads = graph.links if graph.leaf[operand] is None else graph.leaf_links
            tails.append(operand)
            heads.append(user)

    return graph


def _by_history(graph: _Indexed, most: int) -> Classes | None:
    """One class a way of being made, from the leaves on; None where there are too many.

    A chain of one op is one class: `a + b + c + ...`, whatever its length.
    """
    numbers: dict[Any, int] = {}
    terms: list[frozenset[int]] = []  # by class
    classes: Classes = []
    for own, operands in zip(graph.made_as, graph.operands, strict=True):
        parts: set[int] = set()
        for operand in operands:
            chained = graph.made_as[operand] == own and graph.leaf[operand] is None
            if chained and len(terms[classes[operand]]) <= _LONGEST_SUM:
                parts |= terms[classes[operand]]
            else:
                parts.add(classes[operand])
        found = frozenset(parts)
        number = numbers.setdefault((own, found), len(numbers))
        if number == len(terms):
            terms.append(found)
        if number >= most:
            return None
        classes.append(number)

    return classes


def _by_steps(graph: _Indexed, most: int) -> Iterator[Classes]:
    """Coarse to fine: one class an op; then by the classes of the operands; and again."""
    classes = graph.made_by
    yield classes
    for _ in range(_STEPS):
        numbers: dict[Any, int] = {}
        finer: Classes = []
        for own, operands in zip(graph.made_as, graph.operands, strict=True):
            key = (own, frozenset([classes[operand] for operand in operands]))
            finer.append(numbers.setdefault(key, len(numbers)))
        if len(numbers) > most:
            return
        classes = finer
        yield classes


def _grouped(graph: _Indexed, classes: Classes) -> Groups:
    """The box of each Value: leaves are told apart by where they are used."""
    tails, heads = graph.links
    class_of = classes.__getitem__
    circle = _circles(set(zip(map(class_of, tails), map(class_of, heads), strict=True)))
    circles = [circle.get(number, number) for number in classes]
    tails, heads = graph.leaf_links
    users: dict[int, set[int]] = {}
    for leaf, user in set(zip(tails, map(circles.__getitem__, heads), strict=True)):
        users.setdefault(leaf, set()).add(user)
    nobody: set[int] = set()

    return [
        own if kind is None else (kind, frozenset(users.get(index, nobody)))
        for index, (kind, own) in enumerate(zip(graph.leaf, circles, strict=True))
    ]


def _circles(links: set[tuple[int, int]]) -> dict[int, int]:
    """For each class one that stands for all that it feeds and that feed it, by any way."""
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for tail, head in sorted(links):
        before.setdefault(head, []).append(tail)
        before.setdefault(tail, [])
        after.setdefault(tail, []).append(head)
    circle: dict[int, int] = {}
    for start in reversed(postorder(before, before.__getitem__)):  # Kosaraju's two walks
        waiting = [] if start in circle else [start]
        while waiting:
            own = waiting.pop()
            if own not in circle:
                circle[own] = start
                waiting += after.get(own, ())

    return circle


def _boxes(values: Sequence[Value], groups: Groups) -> int:
    """How many boxes the groups are drawn as."""
    sizes = Counter(groups)
    single = [value for value, group in zip(values, groups, strict=True) if sizes[group] == 1]

    return len(sizes) - len(single) + sum(map(boxes_of, single))


def _members(values: Sequence[Value], groups: Groups, graph: _Indexed) -> list[list[Value]]:
    """The Values of each group, groups of operands first."""
    members: dict[Any, list[Value]] = {}
    for value, group in zip(values, groups, strict=True):
        members.setdefault(group, []).append(value)
    before: dict[Any, list[Any]] = {group: [] for group in members}
    group_of = groups.__getitem__
    for tails, heads in (graph.leaf_links, graph.links):
        for tail, head in dict.fromkeys(
            zip(map(group_of, tails), map(group_of, heads), strict=True)
        ):
            if tail != head:
                before[head].append(tail)

    return [members[group] for group in postorder(members, before.__getitem__)]
