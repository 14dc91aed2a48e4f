# ruff: noqa: INP001 -- beside the hook of MkDocs that imports it, in no package
"""Pages that run: their Python blocks, in order, as the cells of a notebook.

    ```python
    opgrad.plot(parabola, -3, 3)
    ```

    ![What the picture shows](pictures/parabola.svg)

A link into `pictures/` stands for the value of the last expression of the block above it: the build
draws it there. A `text` block right below a Python block is what that block prints; the tests
compare the two.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pictures

PIECE = re.compile(
    r"^```python(?: title=\"(?P<title>[^\"]+)\")?\n(?P<code>.*?)^```$(?:\n+```text\n(?P<printed>.*?)^```$)?"
    r"|\]\((?P<link>pictures/[\w.-]+)\)",
    re.MULTILINE | re.DOTALL,
)


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
    links: dict[str, Cell | None]
    """The block that each link into `pictures/` belongs to."""


def run(page: Path) -> Ran:
    """Run every Python block of a page, in one namespace.

    A module that lies beside the page can be imported, as by the reader who saved it.
    """
    ran = Ran([], {})
    text = page.read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "__main__"}
    with importable(page.parent):
        for piece in PIECE.finditer(text):
            if piece["link"]:
                ran.links[piece["link"]] = ran.cells[-1] if ran.cells else None
                continue
            line = text.count("\n", 0, piece.start("code"))
            value, printed = evaluate(piece["code"], names, page, line)
            ran.cells.append(Cell(line, printed, piece["printed"], value))

    return ran


@contextlib.contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Let modules of a folder be imported meanwhile, each time anew."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            place = getattr(sys.modules[name], "__file__", None)
            if place and Path(place).parent == folder:
                del sys.modules[name]


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


def drawn(page: Path) -> dict[str, str]:
    """The content of everything in `pictures/` that a page links to, by its link."""
    return {
        link: pictures.content_of(cell.value if cell else None, link)
        for link, cell in run(page).links.items()
    }


def with_pictures(folder: Path) -> list[Path]:
    """The pages below a folder that link to pictures of their own."""
    pages = sorted(folder.glob("**/*.md"))

    return [page for page in pages if "](pictures/" in page.read_text(encoding="utf-8")]
