"""One HTML file to step through the forward pass and then the backward pass.

Python draws the graph and records the steps; the files in `web/` show them. All is put into the
one file, which asks nothing of the network: its content policy forbids that.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from opgrad.drawing.boxes import labelled, picture_of, tags_of
from opgrad.drawing.facts import Plain
from opgrad.drawing.graph import Graph, graph_of
from opgrad.drawing.layout import place
from opgrad.drawing.record import Record
from opgrad.drawing.stepping import stepping
from opgrad.value import Value
from opgrad.version import __version__

PAGE_LIMIT = 1500
"""The most boxes on a page: of a larger graph the repeated structure is folded."""

_SCRIPTS = ("record.js", "panel.js", "camera.js", "details.js", "page.js")


def html_of(
    *outputs: Value, names: Mapping[str, Any] | None = None, limit: int | None = PAGE_LIMIT
) -> str:
    """The page, as the text of an HTML file.

    Args:
        outputs: Scalar Values; with several, the backward pass starts at all of them.
        names: Names for Values, such as `locals()`.
        limit: The most boxes, as `draw` takes it. A fold is stepped as one.

    Raises:
        NotDifferentiableError: An output is a constant or no scalar.

    Examples:
        >>> x = Value(3.0)
        >>> html_of(x * x, names={"x": x}).startswith("<!doctype html>")
        True
    """
    graph = graph_of(*outputs, names=names, limit=limit)
    folded = any(node.members for node in graph.nodes)
    record = Record(graph, stepping(*outputs, order=_values(graph) if folded else None))
    told = record.plain()
    tags = tags_of(graph, record, told)
    layout = place(labelled(graph, record, told, tags))
    style, script = _read("page.css"), _script()
    filling = {
        "policy": _policy(style, script),
        "version": __version__,
        "title": escape(" and ".join(told["values"][i]["name"] for i in told["outputs"])),
        "summary": escape(_summary(told)),
        "picture": "".join(picture_of(layout, graph, record, tags)),
        "notes": "".join(f"<li>{escape(note)}</li>" for note in _notes(graph)),
        "record": _inline(told),
        "style": style,
        "script": script,
    }

    return re.sub(r"\{\{(\w+)\}\}", lambda mark: filling[mark[1]], _read("page.html"))


def _values(graph: Graph) -> Iterator[Value]:
    """All Values of a graph in the order of its boxes: operands before results."""
    for node in graph.nodes:
        yield from node.members or ([node.value] if node.value is not None else [])


def _summary(told: Plain) -> str:
    """What there is to see, in one line."""
    forward = [step for step in told["steps"] if step["kind"] == "forward"]
    outputs = [told["values"][place] for place in told["outputs"]]
    shown = ", ".join(f"{output['name']} = {output['data']['short']}" for output in outputs)
    leaves = sum(value.get("count", 1) for value in told["values"] if value["kind"] == "leaf")
    calls = sum(told["values"][step["values"][0]].get("count", 1) for step in forward)

    return f"{shown}, computed by {_count(calls, 'op')} from {_count(leaves, 'leaf', 'leaves')}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _notes(graph: Graph) -> tuple[str, ...]:
    """What the reader of a folded graph should know."""
    if not graph.notes:
        return ()
    how = "What shares a box is one step here, with counts and ranges in place of single numbers"

    return (*graph.notes, how)


def _policy(style: str, script: str) -> str:
    """Nothing from outside, and no style or script but these two."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()

    return f"sha256-{base64.b64encode(digest).decode()}"


def _inline(told: Plain) -> str:
    """JSON that no text in it can end early: HTML looks for `</script` in it."""
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@cache
def _script() -> str:
    body = "\n".join(map(_read, _SCRIPTS))

    return f'(() => {{\n"use strict";\n{body}}})();\n'


@cache
def _read(name: str) -> str:
    return (Path(__file__).with_name("web") / name).read_text(encoding="utf-8")
