"""Adding an op to the source of a hook without touching anything else in the file.

The file is read as Python, and text is put in at two places: comments, order and layout of its
author stay as they are. What comes out is read again, and must be what was meant.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import NoReturn

import attrs

from opgrad.errors import ScaffoldError
from opgrad.scaffold.project import Project

HOOK = "opgrad_ops"


@attrs.frozen
class Source:
    """The bytes of a file: places in a tree count bytes, and line ends stay what they are."""

    content: bytes
    lines: tuple[int, ...]
    """Where each line starts, and where the last one ends."""

    @classmethod
    def of(cls, content: bytes) -> Source:
        """Take the file apart at its line ends."""
        lengths = [len(line) for line in content.splitlines(keepends=True)]

        return cls(content, tuple(accumulate(lengths, initial=0)))

    @property
    def newline(self) -> bytes:
        """What ends a line in this file."""
        return b"\r\n" if b"\r\n" in self.content else b"\n"

    def offset(self, line: int, column: int) -> int:
        """The place of a line and column, as a tree counts them."""
        return self.lines[line - 1] + column

    def with_insertions(self, insertions: list[tuple[int, bytes]]) -> bytes:
        """The file with some text put in at each place."""
        content = self.content
        for offset, text in sorted(insertions, reverse=True):
            content = content[:offset] + text + content[offset:]

        return content


def with_op(content: bytes, project: Project, op: str) -> bytes:
    """The source of the hook's file with an op more in what the hook returns, and its import.

    Raises:
        ScaffoldError: The name is taken, or the ops are not written out one by one; the message
            says what to add by hand.
    """
    try:
        tree = ast.parse(content)
    except SyntaxError as error:
        message = f"{project.shown(project.hook)}, line {error.lineno}: {error.msg}; repair it"
        raise ScaffoldError(message) from error
    if op in {name for node in tree.body for name in _bound(node)}:
        message = f"{project.shown(project.hook)} has something named {op!r}; choose another name"
        raise ScaffoldError(message)
    ops = _ops(tree)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    if ops is None or not imports:
        _refuse(project, op)
    source = Source.of(content)
    line = _import(source, imports, project.package, op)
    added = source.with_insertions([line, *_element(source, ops, op)])
    if not _is_meant(added, tree, ops, op):
        _refuse(project, op)

    return added


def _refuse(project: Project, op: str) -> NoReturn:
    message = (
        f"{HOOK} in {project.shown(project.hook)} does not return ops written out one by one, as "
        f"in `return (a, b)`, so nothing was written; add {op!r} by hand: a file "
        f"{project.shown(project.sources / op)}.py, `from {project.package}.{op} import {op}`, "
        f"and {op} in what {HOOK} returns"
    )
    raise ScaffoldError(message)


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top of a file makes."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield (alias.asname or alias.name).partition(".")[0]
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    else:
        yield from [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and _stored(n)]


def _stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _ops(tree: ast.Module) -> ast.Tuple | ast.List | None:
    """What the hook returns, if it is a tuple or list written out there, or under a name."""
    hooks = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == HOOK]
    returned = [n.value for hook in hooks for n in ast.walk(hook) if isinstance(n, ast.Return)]
    if len(returned) != 1:
        return None
    value = returned[0]
    if isinstance(value, ast.Name):
        named = [
            node.value
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and value.id in _bound(node)
        ]
        value = named[0] if len(named) == 1 else None

    return value if isinstance(value, ast.Tuple | ast.List) else None


def _import(
    source: Source, imports: list[ast.Import | ast.ImportFrom], package: str, op: str
) -> tuple[int, bytes]:
    """The import of the op, in its place in the alphabet among those of the package."""
    module = f"{package}.{op}"
    line = f"from {module} import {op}".encode() + source.newline
    own = [n for n in imports if isinstance(n, ast.ImportFrom) and _lies_in(n, package)]
    lower = [n for n in own if _alphabetical(n.module or "") < _alphabetical(module)]
    if own and not lower:
        return source.offset(own[0].lineno, 0), line
    if not own:  # a block of its own, as isort wants it
        line = source.newline + line

    last = (lower or imports)[-1]

    return source.lines[last.end_lineno or last.lineno], line


def _lies_in(node: ast.ImportFrom, package: str) -> bool:
    return node.level > 0 or f"{node.module}.".startswith(f"{package}.")


def _alphabetical(module: str) -> list[tuple[str, int]]:
    """As ruff sorts: op2 before op10."""
    return [(text, int(number or -1)) for text, number in re.findall(r"(\D*)(\d*)", module)]


def _element(source: Source, ops: ast.Tuple | ast.List, op: str) -> list[tuple[int, bytes]]:
    """The op behind the last one: on a line of its own where the bracket has one."""
    name = op.encode()
    close = source.offset(ops.end_lineno or 0, ops.end_col_offset or 0) - 1
    if not ops.elts:
        return [(close, name + b"," if isinstance(ops, ast.Tuple) else name)]
    last = ops.elts[-1]
    end = source.offset(last.end_lineno or 0, last.end_col_offset or 0)
    rest = re.sub(rb"#[^\r\n]*", lambda comment: b" " * len(comment[0]), source.content[end:close])
    comma = rest.find(b",")
    if source.newline not in rest:
        return [(end, b", " + name)] if comma < 0 else [(end + comma + 1, b" " + name)]
    before = source.content[source.offset(last.lineno, 0) :]
    indent = before[: len(before) - len(before.lstrip(b" \t"))] or b"    "
    line = (source.offset(ops.end_lineno or 0, 0), indent + name + b"," + source.newline)

    return [line] if comma >= 0 else [(end, b","), line]


def _is_meant(content: bytes, old: ast.Module, ops: ast.Tuple | ast.List, op: str) -> bool:
    """Whether the new source reads as the old one with one import and one op more."""
    try:
        tree = ast.parse(content)
    except SyntaxError:
        return False
    found = _ops(tree)
    if found is None or len(tree.body) != len(old.body) + 1:
        return False
    wanted = [*map(ast.unparse, ops.elts), op]

    return [*map(ast.unparse, found.elts)] == wanted
