# ruff: noqa: INP001 -- beside the hook of MkDocs that imports it, in no package
"""Pictures for the site: drawn by the build, as SVG that follows the page into dark mode."""

from __future__ import annotations

import re
from typing import Any

from opgrad.plotting import figure

ADAPTED = {
    figure.PAPER: "#1e2129",
    figure.INK: "#e6e9ed",
    figure.QUIET: "#98a1ab",
    figure.GRID: "#343a46",
    figure.COLOURS[0]: "#56b4e9",
    figure.COLOURS[1]: "#f0883e",
    figure.COLOURS[2]: "#2fc79a",
}
"""Colours of a figure, and what becomes of them on a dark page."""


def content_of(shown: Any, link: str) -> str:
    """The file of this name that shows an object: SVG, or a page of its own."""
    if link.endswith(".html"):
        return str(shown.to_html())

    return svg_of(shown)


def svg_of(shown: Any) -> str:
    """What a notebook would show of an object, as SVG."""
    if hasattr(shown, "to_svg"):  # a graph, on the paper of the page
        return re.sub(r"background:#\w+", "background:none", str(shown.to_svg()))

    return adaptive(figure.as_bytes(shown, "svg").decode())


def adaptive(svg: str) -> str:
    """The SVG of a figure with two sets of colours, between which the reader's setting chooses."""
    light, dark = [], []
    for index, (colour, instead) in enumerate(ADAPTED.items()):
        svg = svg.replace(colour, f"var(--c{index})")
        light.append(f"--c{index}: {colour};")
        dark.append(f"--c{index}: {instead};")
    style = (
        f"<style>svg {{ {' '.join(light)} }} "
        f"@media (prefers-color-scheme: dark) {{ svg {{ {' '.join(dark)} }} }}</style>"
    )
    start = svg.index("<svg")
    end = svg.index(">", start) + 1

    return svg[start:end] + style + svg[end:]
