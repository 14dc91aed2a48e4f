"""A whole package with one op: built beside its place, and put there in one step."""

from __future__ import annotations

import keyword
import os
import re
import tempfile
from pathlib import Path

from opgrad.errors import ScaffoldError
from opgrad.plugins import NAMESPACE, PLUGINS, name_flaw
from opgrad.scaffold.filling import Written, fill
from opgrad.version import __version__

FILES = {
    ".github/workflows/test.yml": "workflow.yml",
    ".gitignore": "gitignore",
    "README.md": "README.md",
    "pyproject.toml": "pyproject.toml",
    "src/$package/__init__.py": "init.py",
    "src/$package/hinge.py": "hinge.py",
    "src/$package/py.typed": "",
    "tests/test_conformance.py": "test_conformance.py",
    "tests/test_hinge.py": "test_hinge.py",
}


def new_plugin(namespace: str, into: Path) -> Written:
    """Write the package of a new plugin into a folder of its own: all of it, or nothing.

    Raises:
        ScaffoldError: The namespace cannot be used or is taken, or the folder exists.
    """
    _check_namespace(namespace)
    distribution = f"opgrad-{re.sub('_+', '-', namespace).strip('-')}"
    folder = into / distribution
    if os.path.lexists(folder):
        message = f"{folder} exists; move it away, choose another name, or give another --into"
        raise ScaffoldError(message)
    texts = fill(
        FILES,
        {
            "namespace": namespace,
            "distribution": distribution,
            "package": f"opgrad_{namespace}",
            "version": __version__,
        },
    )
    with tempfile.TemporaryDirectory(prefix=f".{distribution}-", dir=into) as beside:
        whole = Path(beside, distribution)
        for path, text in texts.items():
            file = whole / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        whole.rename(folder)

    steps = ('pip install -e ".[test]"', "pytest")

    return Written(folder, created=tuple(texts), changed=(), next_steps=steps)


def _check_namespace(namespace: str) -> None:
    """Refuse what opgrad would refuse once the package is installed."""
    likely = re.sub(r"[^a-z0-9]+", "_", namespace.lower().removeprefix("opgrad")).strip("_")
    if not NAMESPACE.fullmatch(namespace):
        hint = f"; did you mean {likely!r}?" if NAMESPACE.fullmatch(likely) else ""
        message = (
            "a namespace is two to 31 lowercase letters, digits and underscores, with a letter "
            f"first, which {namespace!r} is not{hint}"
        )
        raise ScaffoldError(message)
    if keyword.iskeyword(namespace):
        message = (
            f"{namespace!r} is a keyword of Python: opgrad.ops.{namespace} could not be written; "
            "choose another name"
        )
        raise ScaffoldError(message)
    flaw = name_flaw(namespace, "opgrad new plugin", PLUGINS.registry)
    if flaw is not None:
        raise ScaffoldError(str(flaw)) from flaw
    sources = PLUGINS.sources().get(namespace)
    if sources:
        message = (
            f"the namespace {namespace!r} belongs to {sources[0]}, which is installed; "
            f"choose another name, or uninstall {sources[0].distribution}"
        )
        raise ScaffoldError(message)
