"""A graph as DOT, the language of graphviz. Writing it needs no binary."""

from __future__ import annotations

import re

from opgrad.drawing.graph import Graph, Node

_COLOURS = {
    "leaf": ("#3f8edb", "#e5f0fa"),
    "value": ("#8a8f98", "#f1f2f3"),
    "op": ("#d9822b", "#fbeee1"),
    "fold": ("#9a6fd6", "#f2ecf9"),
}
"""The line and the filling of each kind of box."""


def to_dot(graph: Graph, *, dpi: int | None = None) -> str:
    """The text of a DOT file: records for Values, ellipses for ops, left to right.

    Examples:
        >>> from opgrad.drawing.graph import graph_of
        >>> from opgrad.value import Value
        >>> w = Value(2.0).named("w")
        >>> print(to_dot(graph_of(w)))
        digraph opgrad {
          rankdir=LR
          node [fontname="monospace" fontsize=10 style=filled]
          edge [color="#5c626b" fontname="monospace" fontsize=9 arrowsize=0.7]
          v1 [shape=record label="w|data 2|grad 0" color="#3f8edb" fillcolor="#e5f0fa"
              tooltip="Value(float 2.0), a leaf" penwidth=2]
        }
    """
    lines = ["digraph opgrad {", "  rankdir=LR"]
    lines += [f"  dpi={dpi}"] if dpi else []
    if graph.notes:
        lines.append(f'  label="{_text(graph.notes)}" labeljust=l fontname="monospace" fontsize=10')
    lines.append('  node [fontname="monospace" fontsize=10 style=filled]')
    lines.append('  edge [color="#5c626b" fontname="monospace" fontsize=9 arrowsize=0.7]')
    lines += [
        f"  {node.key} [{_node(node, output=node.key in graph.outputs)}]" for node in graph.nodes
    ]
    for edge in graph.edges:
        label = f' [label="{_escape(edge.label)}"]' if edge.label else ""
        lines.append(f"  {edge.tail} -> {edge.head}{label}")

    return "\n".join([*lines, "}\n"])


def _node(node: Node, *, output: bool) -> str:
    """The attributes of a node."""
    rows = [row for row in (node.title, *node.lines) if row]
    if node.kind == "op":
        shape = f'shape=ellipse label="{_centred((*rows, node.provider))}"'
    elif node.kind == "fold":
        shape = f'shape=box peripheries=2 label="{_centred((*rows, node.provider))}"'
    else:
        shape = f'shape=record label="{"|".join(_field(row) for row in rows)}"'
    line, filling = _COLOURS["value" if node.constant else node.kind]
    parts = [shape, f'color="{line}" fillcolor="{filling}"']
    parts += ['style="filled,dashed"'] if node.constant else []
    parts += [f'tooltip="{_escape(node.hint)}"'] if node.hint else []
    parts += ["penwidth=2"] if output else []

    return " ".join(parts)


def _centred(rows: tuple[str, ...]) -> str:
    return r"\n".join(_escape(row) for row in rows if row)


def _text(rows: tuple[str, ...]) -> str:
    """Lines that begin at the left."""
    return "".join(f"{_escape(row)}\\l" for row in rows)


def _field(text: str) -> str:
    """A part of a record: there more characters have a meaning."""
    return re.sub(r"([{}|<>])", r"\\\1", _escape(text))


def _escape(text: str) -> str:
    """A text within quotes, in which graphviz sees neither escapes nor HTML entities."""
    return text.replace("\\", "\\\\").replace("&", "&amp;").replace('"', '\\"')
