# ruff: noqa: INP001 -- beside the hook of MkDocs that imports it, in no package
"""The gallery of activations: a picture of each, drawn when the site is built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pictures

import opgrad
from opgrad.cli.names import suits
from opgrad.cli.plot import ends
from opgrad.plotting.functions import draw
from opgrad.plotting.portraits import Kink, portrait

ORDER = 2
HEAD = """\
# Activations

Every activation of one number that `opgrad-activations` brings: the function, its slope and the
slope's slope, computed by opgrad when this page was built. A dot marks a minimum. A dotted line
marks a kink, and the dot in the slope's panel is the derivative that opgrad takes there.
`opgrad plot activations.gelu` draws the same for any installed op, and
[Plot functions](../howto/plot_functions.md) shows more.
"""


def drawn(ops: Iterable[opgrad.Op]) -> list[opgrad.Op]:
    """Those of the ops that the gallery shows, by name."""
    chosen = [op for op in ops if op.qualname.startswith("activations.") and suits(op)]

    return sorted(chosen, key=lambda op: op.name)


def page(ops: Iterable[opgrad.Op]) -> tuple[str, dict[str, str]]:
    """The page, and its pictures as SVG by their names."""
    parts, images = [HEAD], {}
    for op in drawn(ops):
        known = portrait(op, *ends(op, None, None), order=ORDER)
        images[f"activations/{op.name}.svg"] = pictures.svg_of(draw(known, width=6.0, height=2.0))
        parts.append("\n".join(_section(op, known.kinks)))

    return "\n".join(parts) + "\n", images


def _section(op: opgrad.Op, kinks: list[Kink]) -> Iterator[str]:
    yield f"## {op.name}"
    yield ""
    yield "``` { .text .docstring }"
    yield from (line.removeprefix("    ").rstrip() for line in op.documentation.splitlines())
    yield "```"
    yield ""
    yield f"`{op.signature}`, [{op.qualname}](ops.md#{op.qualname.replace('.', '')})."
    for kink in kinks:
        yield f"At x = {kink.x:g} is a {kink.kind}; the derivative there is {kink.slope:g}."
    yield ""
    yield f"![{op.name} and its derivatives](activations/{op.name}.svg)"
    yield ""
