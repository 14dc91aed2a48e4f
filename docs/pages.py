# ruff: noqa: INP001 -- beside the hook of MkDocs that imports it, in no package
"""Pages that run: their Python blocks, in order, as the cells of a notebook.

    ```python
    opgrad.plot(parabola, -3, 3)
    ```

    ![What the picture shows](pictures/parabola.svg)

A link into `pictures/` stands for the value of the last expression of the block above it: the build
draws it there. A `text` block with the title `prints`, right below a Python block, is what that
block prints; the tests compare the two. Blocks with a title, `nets.py`, are the module of that
name, which pages of the same folder import: the reader saved it.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pictures

PIECE = re.compile(
    r"^```python(?: title=\"(?P<title>[^\"]+)\")?\n(?P<code>.*?)^```$"
    r"(?:\n+```text title=\"prints\"\n(?P<printed>.*?)^```$)?"
    r"|\]\((?P<link>pictures/[\w.-]+)\)",
    re.MULTILINE | re.DOTALL,
)

PICTURE = re.compile(r"^\[?!\[.*\]\(pictures/.*\)$", re.MULTILINE)
LINK_WITHIN = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]+\)")


@attrs.frozen
class Cell:
    """A Python block that was run."""

    line: int
    """Where it starts in its page."""
    printed: str
    """What it printed."""
    promised: str | None
    """What the page says that it prints, if it says so."""
    value: Any
    """Of its last expression; None where it ends with another statement."""


@attrs.frozen
class Ran:
    """A page after its blocks were run."""

    cells: list[Cell]
    pictures: dict[str, str]
    """The content of everything in `pictures/` that the page links to, by its link."""


def run(page: Path) -> Ran:
    """Run every Python block of a page, in one namespace."""
    ran = Ran([], {})
    text = page.read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "__main__"}
    with importable(modules_in(page.parent)):
        for piece in PIECE.finditer(text):
            if piece["link"]:
                # At once: the next block may change the data of what is shown.
                shown = ran.cells[-1].value if ran.cells else None
                ran.pictures[piece["link"]] = pictures.content_of(shown, piece["link"])
                continue
            line = text.count("\n", 0, piece.start("code"))
            value, printed = evaluate(piece["code"], names, page, line)
            ran.cells.append(Cell(line, printed, piece["printed"], value))

    return ran


def modules_in(folder: Path) -> dict[str, str]:
    """The modules that the titled blocks of a folder's pages make up, by their file names."""
    found: dict[str, list[str]] = {}
    for page in sorted(folder.glob("*.md")):
        for piece in PIECE.finditer(page.read_text(encoding="utf-8")):
            if piece["title"] and "/" not in piece["title"]:
                found.setdefault(piece["title"], []).append(piece["code"])

    return {name: "\n\n".join(blocks) for name, blocks in found.items()}


@contextlib.contextmanager
def importable(modules: dict[str, str]) -> Iterator[None]:
    """Let these modules be imported meanwhile, each time anew; what is saved goes with them."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, code in modules.items():
            (Path(folder) / name).write_text(code, encoding="utf-8")
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.path.remove(folder)
            for name in modules:
                sys.modules.pop(name.removesuffix(".py"), None)


def evaluate(code: str, names: dict[str, Any], page: Path, line: int) -> tuple[Any, str]:
    """Run a block; return the value of its last expression, and what it printed."""
    tree = ast.increment_lineno(ast.parse(code), line)
    *_, last = tree.body
    shown = ast.Expression(tree.body.pop().value) if isinstance(last, ast.Expr) else None
    printed = io.StringIO()
    value = None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, str(page), "exec"), names)  # noqa: S102 -- our own page
        if shown:
            value = eval(compile(shown, str(page), "eval"), names)  # noqa: S307 -- as above

    return value, printed.getvalue()


def notebook(page: Path) -> str:
    """The page as a Jupyter notebook, without what its cells will print and show themselves.

    It is read away from the site, so links within the site become plain words.
    """
    cells = []
    text = page.read_text(encoding="utf-8")
    position = 0
    for piece in [*PIECE.finditer(text), None]:
        if piece and piece["link"]:
            continue
        words = text[position : piece.start() if piece else None]
        words = LINK_WITHIN.sub(r"\1", PICTURE.sub("", words)).strip()
        if words:
            cells.append({"cell_type": "markdown", "metadata": {}, "source": words})
        if piece:
            position = piece.end()
            code = piece["code"].rstrip()
            empty = {"execution_count": None, "metadata": {}, "outputs": []}
            cells.append({"cell_type": "code", "source": code, **empty})
    for number, cell in enumerate(cells):
        cell["id"] = f"{page.stem}-{number}"
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}

    return json.dumps(
        {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}, indent=1
    )


def with_pictures(folder: Path) -> list[Path]:
    """The pages below a folder that link to pictures of their own."""
    pages = sorted(folder.glob("**/*.md"))

    return [page for page in pages if "](pictures/" in page.read_text(encoding="utf-8")]
