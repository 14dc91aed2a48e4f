"""The source of an op's forward and rules, as its author wrote it."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import attrs

from opgrad.op import Op
from opgrad.structure import PICK


@attrs.frozen
class Source:
    """A function's text, and where it stands."""

    title: str
    place: str
    """File and line, without the folders of this machine."""
    text: str


def forward_source(op: Op) -> Source:
    """The forward of an op, without the declarations above it."""
    source = _source(op.forward, f"forward of {op.name}")
    declared = re.search(r"^(async )?def ", source.text, re.MULTILINE)

    return attrs.evolve(source, text=source.text[declared.start() :] if declared else source.text)


def rule_source(op: Op, operand: str) -> Source | None:
    """What tells the gradient of an operand: its rule, or the forward of a composite.

    None where the engine does it itself: an output chosen from several.
    """
    if op is PICK:
        return None
    for kind, name in (("backward", None), ("backward", operand), ("derivative", operand)):
        rule = op.rule(kind, name)
        if rule is not None:
            several = name is not None and len(op.operands) > 1
            return _source(rule, f"{kind} rule of {op.name}{f' for {name}' if several else ''}")
    source = forward_source(op.kernel_of or op)

    return attrs.evolve(source, title=f"{source.title}, run on opgrad's own ops")


def _source(function: Callable[..., Any], title: str) -> Source:
    try:
        text = textwrap.dedent(inspect.getsource(function)).rstrip()
    except (OSError, TypeError):  # made by `exec`, or the file is gone
        text = "# the source is not at hand"
    code = function.__code__

    return Source(title, f"{PurePath(code.co_filename).name}, line {code.co_firstlineno}", text)
