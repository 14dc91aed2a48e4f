"""Counts which ops a training run called, by walking the graphs it recorded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from opgrad import Value
    from opgrad.op import Op


@attrs.frozen
class Tally:
    """One op, and how often each network called it."""

    op: Op
    calls: int
    networks: tuple[str, ...]


class Census:
    """How often each op was called, by network.

    A node of a graph is one call of one op. Predictions record nothing, so they are not counted.
    """

    def __init__(self) -> None:
        self._counters: dict[str, Counter[Op]] = {}

    def count(self, network: str, output: Value) -> None:
        """Add the calls that made `output`, each once, however often its result was used."""
        counter = self._counters.setdefault(network, Counter())
        seen = set()
        waiting = [output]
        while waiting:
            value = waiting.pop()
            op = value.op
            if op is None or id(value) in seen:
                continue
            seen.add(id(value))
            counter[op] += 1
            waiting.extend(operand for operand in value.operands if hasattr(operand, "operands"))

    def tallies(self) -> list[Tally]:
        """Every op that was called, by provider and name."""
        total: Counter[Op] = sum(self._counters.values(), Counter())

        return [
            Tally(
                op=op,
                calls=total[op],
                networks=tuple(name for name, one in self._counters.items() if op in one),
            )
            for op in sorted(total, key=lambda op: op.qualname)
        ]
