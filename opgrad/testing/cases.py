"""An op's samples as calls: on Python numbers, and on NumPy arrays where NumPy is installed.

An elementwise op without samples gets some, made from its domain.
"""

from __future__ import annotations

import functools
import importlib
import math
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from opgrad import namespaces, trees
from opgrad.arguments import bind
from opgrad.errors import MissingRuleError
from opgrad.op import Op
from opgrad.projection import data_of
from opgrad.rules import REQUIRED
from opgrad.samples import Sample
from opgrad.testing.subject import Subject, random_like
from opgrad.transforms import vjp

FLOATS, ARRAYS = "floats", "arrays"
MOST_ENTRIES = 64
"""Entries of the operands that are moved, in one check; of more, that many drawn at random."""
WITHOUT_NUMPY = "NumPy is not installed, so there are no arrays: pip install 'opgrad[numpy]'"


def numpy() -> Any:
    """NumPy, or None where it is not installed: then only numbers are checked."""
    try:
        return importlib.import_module("numpy")
    except ImportError:
        return None


@attrs.frozen(eq=False, slots=False)
class Case:
    """One call of an op, on data of one kind."""

    op: Op
    sample: str
    """Which sample: `sample 2`."""
    data: str
    """`floats` or `arrays`."""
    operands: tuple[Any, ...]
    attributes: Mapping[str, Any]

    @property
    def name(self) -> str:
        """`sample 2, arrays`."""
        return f"{self.sample}, {self.data}"

    @functools.cached_property
    def call(self) -> Callable[..., Any]:
        """The op as a function of its operands, with the attributes of the case."""
        return functools.partial(self.op, **self.attributes)

    def on(self, operands: tuple[Any, ...]) -> Case:
        """The same call on other operands."""
        return Case(self.op, self.sample, self.data, operands, self.attributes)

    def of(self, op: Op) -> Case:
        """The same call of another op."""
        return Case(op, self.sample, self.data, self.operands, self.attributes)

    @functools.cached_property
    def subject(self) -> Subject:
        """The op here as the subject of gradient checks, which share what they evaluate."""
        found = Subject.of(self.call, self.operands, self.chosen, 0)
        found.most, found.kept = MOST_ENTRIES, {}

        return found

    @functools.cached_property
    def outputs(self) -> list[Any]:
        """What the op gives on plain data, as a list also where it is one."""
        return list(trees.leaves(self.call(*self.operands)))

    @functools.cached_property
    def bound(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The operands and attributes as the forward gets them."""
        return bind(self.op, self.operands, self.attributes)

    @functools.cached_property
    def real(self) -> tuple[int, ...]:
        """The places of the operands that may carry a derivative: real or complex, not nondiff."""
        names = self.op.names_of(self.operands)

        return tuple(
            [
                i
                for i, (name, x) in enumerate(zip(names, self.operands, strict=False))
                if name not in self.op.nondiff and namespaces.kind_of(x) is namespaces.REAL
            ]
        )

    @functools.cached_property
    def chosen(self) -> tuple[int, ...]:
        """Those of them that the op has a rule for: one may say that there is none."""
        try:
            self.gradients(self.real)
        except MissingRuleError:
            return tuple([i for i in self.real if self._has_rule(i)])
        except Exception:  # noqa: BLE001 -- what a rule raises is told by the check that runs it
            return self.real

        return self.real

    def _has_rule(self, place: int) -> bool:
        try:
            self.gradients((place,))
        except MissingRuleError:
            return False

        return True

    def name_of(self, place: int) -> str:
        """The operand at this place, as messages call it."""
        names = self.op.operands

        return names[place] if names else f"{self.op.variadic}[{place}]"

    def pull(self, places: tuple[int, ...] | None = None) -> Any:
        """`opgrad.vjp` by the operands at these places, the others held: from cotangents on."""
        places = self.chosen if places is None else places
        _, pull = vjp(self.function(places), *[self.operands[i] for i in places])

        return pull

    def function(self, places: tuple[int, ...]) -> Any:
        """The op as a function of the operands at these places; it returns its real outputs."""

        def call(*xs: Any) -> list[Any]:
            operands = list(self.operands)
            for place, x in zip(places, xs, strict=True):
                operands[place] = x
            found = trees.leaves(self.call(*operands))
            return [y for y in found if namespaces.kind_of(data_of(y)) is namespaces.REAL]

        return call

    @functools.cached_property
    def weights(self) -> list[Any]:
        """A cotangent for each real output."""
        generator = random.Random(0)  # noqa: S311 -- weights of a check, not a secret
        outputs = [y for y in self.outputs if namespaces.kind_of(y) is namespaces.REAL]

        return [random_like(y, generator) for y in outputs]

    @functools.cached_property
    def directions(self) -> list[Any]:
        """A tangent for each operand that carries a derivative."""
        generator = random.Random(1)  # noqa: S311 -- as the weights

        return [random_like(self.operands[i], generator) for i in self.chosen]

    def gradients(
        self, places: tuple[int, ...] | None = None, weights: list[Any] | None = None
    ) -> list[Any]:
        """The gradients of the weighted outputs, one an operand at these places."""
        return [data_of(g) for g in self.pull(places)(weights or self.weights)]


def is_array(case: Case) -> bool:
    """Whether a case is of arrays."""
    return case.data == ARRAYS


def is_differentiable(case: Case) -> bool:
    """Whether the op of a case has a derivative."""
    return case.op.differentiable


def cases_of(op: Op) -> Iterator[Case]:
    """Every sample as numbers, where it is of numbers alone, and as arrays."""
    named = [(f"sample {number}", sample) for number, sample in enumerate(op.samples, 1)]
    for name, sample in named or [("made from the domain", s) for s in made_samples(op)]:
        if not any([isinstance(operand, list | tuple) for operand in sample.operands]):
            yield Case(op, name, FLOATS, sample.operands, sample.attributes)
        operands = sample.operands if numpy() is None else as_arrays(op, sample)
        yield Case(op, name, ARRAYS, operands, sample.attributes)


def as_arrays(op: Op, sample: Sample) -> tuple[Any, ...]:
    """The operands of a sample as NumPy arrays; those without derivative may stay numbers."""
    names = op.names_of(sample.operands)

    return tuple(
        [
            _as_array(x, keep=name in op.nondiff and not op.elementwise, flat=op.elementwise)
            for name, x in zip(names, sample.operands, strict=False)
        ]
    )


def _as_array(x: Any, *, keep: bool, flat: bool) -> Any:
    """Nested lists as arrays, empty ones of floats; numbers of one entry, or of no axis.

    What counts or chooses (`keep`) stays a whole number or a truth value.
    """
    np = numpy()
    if isinstance(x, list):
        return np.array(x, dtype=None if any(True for _ in trees.leaves(x)) else float)
    if not isinstance(x, int | float | complex) or (keep and isinstance(x, int)):
        return x

    return np.array([x] if flat else x)


def without_rules(op: Op) -> Op:
    """A composite differentiated by its forward alone."""
    bare = attrs.evolve(op)
    if op.adapter is not None:
        bare.arguments(op.adapter)

    return bare


# -- samples from a domain ------------------------------------------------------------------------

_INSIDE = (0.21, 0.83, 0.47)  # of an interval: no round numbers, not in order


def made_samples(op: Op) -> list[Sample]:
    """Samples for an elementwise op that ships none: points of its domain."""
    if why_none(op):
        return []
    count = len(op.operands) or 2
    domains = [op.domain.get(name, (-math.inf, math.inf)) for name in op.operands]
    domains = domains or [(-math.inf, math.inf)] * count
    points = [
        [_inside(domain, _INSIDE[(i + k) % len(_INSIDE)]) for i in range(len(_INSIDE))]
        for k, domain in enumerate(domains)
    ]

    return [Sample(*[row[0] for row in points]), Sample(*points)]


def why_none(op: Op) -> str:
    """Why no samples can be made for an op; empty where they can."""
    needed = [name for name, default in op.attributes.items() if default is REQUIRED]
    if op.samples:
        return ""
    if not op.elementwise:
        return "it has no samples, and is not elementwise: add samples=(opgrad.sample(...),)"
    if needed:
        return f"it has no samples, and needs the attribute {needed[0]!r}: add samples"

    return ""


def _inside(domain: tuple[float, float], part: float) -> float:
    """A point of an open interval."""
    low, high = domain
    if math.isinf(low) and math.isinf(high):
        return 4.0 * part - 2.0
    if math.isinf(high):
        return low + 3.0 * part
    if math.isinf(low):
        return high - 3.0 * part

    return low + (high - low) * part
