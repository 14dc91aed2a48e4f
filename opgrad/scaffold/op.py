"""An op in a plugin that exists: a file, a test, and two lines where the hook is."""

from __future__ import annotations

import ast
import keyword
import os
import re
from pathlib import Path

from opgrad.errors import ScaffoldError
from opgrad.plugins import PLUGINS
from opgrad.scaffold.filling import Written, fill
from opgrad.scaffold.hook import with_op
from opgrad.scaffold.project import Project, find_project

OP = re.compile(r"[a-z](?:[a-z0-9_]*[a-z0-9])?")


def new_op(name: str, start: Path) -> Written:
    """Add an op to the plugin around the folder `start`: all that it needs, or nothing.

    Raises:
        ScaffoldError: There is no plugin, the name cannot be used or is taken, or the hook is
            not written in a way that a program can add to.
    """
    namespace, _, op = name.rpartition(".")
    if not OP.fullmatch(op) or keyword.iskeyword(op):
        message = (
            "an op made here is a function in a file of its name: lowercase letters, digits and "
            "underscores, a letter first, no underscore last, no keyword of Python; "
            f"{op!r} is not"
        )
        raise ScaffoldError(message)
    project = find_project(start, namespace)
    _check_free(project, op)
    before = project.hook.read_bytes()
    after = with_op(before, project, op)
    texts = _texts(project, op)
    _write(project, texts, after)

    return Written(
        project.folder,
        created=tuple(texts),
        changed=(project.shown(project.hook),),
        next_steps=_next_steps(project, op, tuple(texts)),
    )


def _check_free(project: Project, op: str) -> None:
    for file in sorted(project.sources.rglob("*.py")):
        for function in _functions(file):
            if function.name == op:
                message = (
                    f"{op!r} is defined in {project.shown(file)}, line {function.lineno}; "
                    "choose another name, or edit what is there"
                )
                raise ScaffoldError(message)
    for path in (project.sources / f"{op}.py", project.sources / op, _test_file(project, op)):
        if os.path.lexists(path):
            message = f"{project.shown(path)} exists; choose another name, or edit what is there"
            raise ScaffoldError(message)


def _functions(file: Path) -> list[ast.FunctionDef]:
    try:
        tree = ast.parse(file.read_bytes())
    except SyntaxError:  # a file in the making tells nothing
        return []

    return [node for node in tree.body if isinstance(node, ast.FunctionDef)]


def _test_file(project: Project, op: str) -> Path:
    return project.folder / "tests" / f"test_{op}.py"


def _texts(project: Project, op: str) -> dict[str, str]:
    """The new files; a test only where there are tests."""
    files = {project.shown(project.sources / f"{op}.py"): "op.py"}
    test = _test_file(project, op)
    if test.parent.is_dir():
        files[project.shown(test)] = "test_op.py"

    return fill(files, {"namespace": project.namespace, "op": op})


def _write(project: Project, texts: dict[str, str], hook: bytes) -> None:
    """Write the new files, and the hook last, in one step; what fails takes all back."""
    made: list[Path] = []
    try:
        for path, text in texts.items():
            file = project.folder / path
            with file.open("x", encoding="utf-8", newline="\n") as stream:
                made.append(file)
                stream.write(text)
        beside = project.hook.with_name(f".{project.hook.name}.new")
        made.append(beside)
        beside.write_bytes(hook)
        beside.chmod(project.hook.stat().st_mode)
        beside.replace(project.hook)
    except BaseException:
        for file in made:
            file.unlink(missing_ok=True)
        raise


def _next_steps(project: Project, op: str, created: tuple[str, ...]) -> tuple[str, ...]:
    installed = PLUGINS.sources().get(project.namespace, [])
    editable = any(source.editable for source in installed)
    steps: tuple[str, ...] = (
        f"write the formula, its derivative and its samples into {created[0]}",
    )
    if len(created) > 1:
        steps += (f"write numbers known by hand into {created[1]}",)
    if not editable:
        steps += ('pip install -e ".[test]"',)

    return (*steps, "pytest", f"opgrad check {project.namespace}.{op}")
