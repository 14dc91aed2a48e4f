"""Counts which ops a training run called, by walking the graphs it recorded."""

from __future__ import annotations

from collections import Counter
from typing import cast

import attrs

from opgrad import Op, Value


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
        made = []
        waiting = [output] if output.op is not None else []
        seen = {id(output)}
        while waiting:
            value = waiting.pop()
            made.append(cast("Op", value.op))
            for operand in value.operands:
                if type(operand) is Value and operand.op is not None and id(operand) not in seen:
                    seen.add(id(operand))
                    waiting.append(operand)
        self._counters.setdefault(network, Counter()).update(made)

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
