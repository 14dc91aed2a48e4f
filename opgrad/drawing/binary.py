"""What graphviz's `dot` does where it is installed: it places boxes, and paints PNG."""

from __future__ import annotations

import importlib.util
import shutil

from opgrad.drawing.dot import to_dot
from opgrad.drawing.graph import Graph
from opgrad.drawing.layout import MARGIN, Box, Layout, Line, size_of, text_width

_INCH = 72.0  # px
_MOST = 600  # boxes: beyond, dot takes longer than a reader waits
_RESOLUTION = 144


def suits(graph: Graph) -> bool:
    """Whether graphviz is there, package and program, and the graph is not too large for it."""
    return len(graph.nodes) <= _MOST and lacking() is None


def lacking() -> Exception | None:
    """The error that says what of graphviz is not installed, and how to get it."""
    rest = "; DOT, text and SVG with layout='builtin' need no graphviz"
    if importlib.util.find_spec("graphviz") is None:
        what = "the Python package graphviz is not installed; pip install 'opgrad[draw]'"
        return ImportError(what + rest)
    if shutil.which("dot") is None:
        what = "graphviz's program dot is not on the path; install graphviz by your system's means"
        return FileNotFoundError(what + rest)

    return None


def place_by_dot(graph: Graph) -> Layout:
    """Where `dot` puts the nodes and edges of a graph.

    Raises:
        ImportError: The Python package graphviz is not installed.
        FileNotFoundError: Its program is not.
    """
    sizes = {node.key: size_of(node) for node in graph.nodes}
    label = max([text_width(edge.label) for edge in graph.edges], default=0.0)
    lines = [
        f"digraph {{ rankdir=LR nodesep=0.2 ranksep={min(0.4 + label / _INCH, 1.2):.2f}",
        'node [shape=box fixedsize=true label=""] edge [arrowhead=none]',
        *[f"{k} [width={w / _INCH:.4f} height={h / _INCH:.4f}]" for k, (w, h) in sizes.items()],
        *[f"{edge.tail} -> {edge.head}" for edge in graph.edges],
        "}",
    ]
    rows = [row.split() for row in _run("\n".join(lines), "plain").decode().splitlines()]
    height = float(rows[0][3])

    def point(x: str, y: str) -> tuple[float, float]:
        return float(x) * _INCH + MARGIN, (height - float(y)) * _INCH + MARGIN

    at = {row[1]: point(row[2], row[3]) for row in rows if row[0] == "node"}
    ways = [row for row in rows if row[0] == "edge"]
    edges = {(edge.tail, edge.head): edge for edge in graph.edges}

    return Layout(
        boxes=tuple([Box(node, *at[node.key], *sizes[node.key]) for node in graph.nodes]),
        lines=tuple(
            [
                Line(
                    edges[row[1], row[2]],
                    tuple([point(*row[i : i + 2]) for i in range(4, 4 + 2 * int(row[3]), 2)]),
                )
                for row in ways
            ]
        ),
        width=float(rows[0][2]) * _INCH + 2 * MARGIN,
        height=height * _INCH + 2 * MARGIN,
    )


def to_png(graph: Graph) -> bytes:
    """The picture that `dot` paints.

    Raises:
        ImportError: The Python package graphviz is not installed.
        FileNotFoundError: Its program is not.
    """
    return _run(to_dot(graph, dpi=_RESOLUTION), "png")


def _run(source: str, form: str) -> bytes:
    error = lacking()
    if error is not None:
        raise error
    import graphviz  # noqa: PLC0415 -- optional

    made: bytes = graphviz.Source(source).pipe(format=form)

    return made
