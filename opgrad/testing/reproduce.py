"""A failure as a program: the op, its data, and the one check that fails on them."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping, Sequence
from typing import Any

from opgrad.errors import CallError, did_you_mean
from opgrad.op import Op
from opgrad.testing.cases import ARRAYS, FLOATS, Case, cases_of, numpy
from opgrad.testing.checks.check import Check

_WIDTH = 160
"""Characters of a call that a message shows."""


def script_of(check: Check, case: Case) -> str:
    """A program that runs one check on one case, and ends with its failure."""
    op = case.op
    on = "" if check.whole else f" on {case.name}"
    lines = [f'"""{op.described} fails {check.name!r}{on}."""', ""]
    given = "" if check.whole else _given(case)
    lines += ["from math import inf, nan", ""] if "inf" in given or "nan" in given else []
    lines += ["import numpy as np", ""] if "np." in given else []
    call = f"reproduce({', '.join(['op', repr(check.name), *([given] if given else [])])})"

    return "\n".join([*lines, *_fetched(op), call, ""])


def call_of(case: Case) -> str:
    """The call as one would write it, not too long."""
    parts = [_source(x) for x in case.operands]
    parts += [f"{name}={_source(value)}" for name, value in case.attributes.items()]
    text = " ".join(f"{case.op.name}({', '.join(parts)})".split())

    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _given(case: Case) -> str:
    """The arguments of `reproduce`: the data, or the sample where they have no source."""
    operands = ", ".join([_source(x) for x in case.operands])
    items = ", ".join([f"{k!r}: {_source(v)}" for k, v in case.attributes.items()])
    scope = {"np": numpy(), "inf": math.inf, "nan": math.nan}
    try:
        exact = eval(f"{{{items}}}", scope) == dict(case.attributes)  # noqa: S307 -- written above
        eval(f"({operands},)", scope)  # noqa: S307 -- as above
    except Exception:  # noqa: BLE001 -- what an attribute's repr may be, if it is no source
        exact = False
    if not exact:
        return f"case={case.name!r}"

    return f"operands=({operands},), attributes={{{items}}}"


def _source(x: Any) -> str:
    """Python source of an operand or an attribute."""
    np = numpy()
    if np is None:
        return repr(x)
    if isinstance(x, np.dtype):
        return f"np.dtype({x.name!r})"
    if not isinstance(x, np.ndarray | np.generic):
        return repr(x)
    if not x.size:
        return f"np.zeros({x.shape}, {x.dtype.name!r})"
    told = x.dtype in {np.dtype(float), np.dtype(bool), np.dtype(complex)}

    return f"np.array({x.tolist()}{'' if told else f', {x.dtype.name!r}'})"


def _fetched(op: Op) -> Sequence[str]:
    """Lines that import the op, by the way that leads to it."""
    module, name = op.forward.__module__, op.forward.__qualname__
    provider = op.provider
    if provider is not None and provider.distribution != "load_plugin":
        return [
            "from opgrad.testing import ops_named, reproduce",
            "",
            f"(op,) = ops_named({op.qualname!r})",
        ]
    code = op.forward.__code__
    if "<locals>" in name:
        way = f'raise SystemExit("{name} is inside a function: put it at the top of its module")'
        return ["from opgrad.testing import reproduce", "", f"{way}  # {op.place}"]
    if _is_importable(module, code.co_filename):
        way = f"from {module} import {name} as op"
        return ["from opgrad.testing import reproduce", way, ""]

    return [
        "import runpy",
        "",
        "from opgrad.testing import reproduce",
        "",
        f"op = runpy.run_path({code.co_filename!r})[{name!r}]",
    ]


def _is_importable(module: str, file: str) -> bool:
    """Whether another process finds the module by its name, if it has one."""
    try:
        found = importlib.util.find_spec(module) if module not in {None, "__main__"} else None
    except (ImportError, ValueError):
        found = None

    return found is not None and found.origin == file


def reproduced(
    op: Op,
    operands: Sequence[Any] | None,
    attributes: Mapping[str, Any],
    name: str | None,
) -> Case:
    """The case that a program like `script_of` writes means.

    Raises:
        CallError: The op has no such sample.
    """
    if operands is not None:
        has_array = any([hasattr(x, "dtype") for x in operands])
        data = ARRAYS if has_array else FLOATS
        return Case(op, "these operands", data, tuple(operands), attributes)
    cases = {case.name: case for case in cases_of(op)}
    if name is None:
        return next(iter(cases.values()), Case(op, "", FLOATS, (), {}))
    if name not in cases:
        message = f"{op.described} has no {name!r}{did_you_mean(name, cases)} it has {list(cases)}"
        raise CallError(message)

    return cases[name]
