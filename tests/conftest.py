"""What several test files share: a place where distributions are installed, as pip leaves them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

# Each module says on disk that it was imported, in whichever process that was.
IMPORTED = 'with open(__file__ + ".log", "a") as log: log.write(".")\n'
ACME = '''
import opgrad

@opgrad.elementwise(samples=(opgrad.sample(0.5), opgrad.sample(-3.0)))
def cube(x):
    """cube(x) = x^3."""
    return x * x * x

@cube.derivative
def cube_derivative(x):
    return 3.0 * x * x

@opgrad.elementwise(samples=(opgrad.sample(0.25), opgrad.sample(-2.0)))
def halve(x):
    """halve(x) = x / 2."""
    return 0.5 * x

@halve.derivative
def halve_derivative(xp, x):
    return 0.5 * xp.ones_like(x)

@opgrad.hookimpl
def opgrad_ops():
    return [cube, halve]
'''
WITHOUT_SAMPLES = '''
import opgrad

@opgrad.op
def pair(xp, a, b):
    """pair(a, b) is their inner product."""
    return xp.sum(a * b)

@pair.backward
def pair_backward(g, a, b):
    return g * b, g * a

@opgrad.hookimpl
def opgrad_ops():
    return [pair]
'''
SAID = '''
import opgrad

def said(call):
    """Return what a call gives, or its error as one text."""
    try:
        return call()
    except BaseException as error:
        notes = getattr(error, "__notes__", ())
        return "\\n".join([f"{type(error).__name__}: {error}", *notes])
'''


class Site:
    """A folder on the path, with distributions made by hand: metadata and one module each."""

    A_TERM_IS_MISSING = ("3.0 * x * x", "2.0 * x * x")
    """A change that makes the derivative of `acme.cube` wrong."""
    WITHOUT_SAMPLES = WITHOUT_SAMPLES
    """A plugin of one right op that nothing can be checked of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.elsewhere = path.parent / "elsewhere"
        self.path.mkdir()
        self.elsewhere.mkdir()

    def add(
        self, namespace, source, *, distribution=None, version="1.0", value=None, editable=False
    ):
        """Install a distribution with one plugin; return the path of its module."""
        distribution = distribution or f"opgrad-{namespace}"
        module = (value or f"opgrad_{namespace}").partition(":")[0].strip()
        info = self.path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        about = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        (info / "METADATA").write_text(about)
        (info / "RECORD").write_text("")
        with (info / "entry_points.txt").open("a") as entries:
            entries.write(f"[opgrad.plugins]\n{namespace} = {value or module}\n")
        if editable:
            url = '{"dir_info": {"editable": true}, "url": "file:///somewhere"}'
            (info / "direct_url.json").write_text(url)
        if source is None:
            return None
        file = self.path / f"{module}.py"
        file.write_text(IMPORTED + textwrap.dedent(source))

        return file

    def add_acme(self, *changes):
        """Install a plugin of two right ops, its text changed here and there."""
        source = ACME
        for old, new in changes:
            assert old in source
            source = source.replace(old, new)

        return self.add("acme", source)

    def imports(self, module):
        """How often a module was imported, in all processes together."""
        log = self.path / f"{module}.py.log"

        return len(log.read_text()) if log.exists() else 0

    def call(self, *arguments, cwd=None, timeout=60, **environment):
        """Return a finished interpreter, however it ended, with this folder on its path."""
        foreign = ("PYTHON", "PYTEST", "OPGRAD_", "COV_")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}

        return subprocess.run(
            [sys.executable, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=cwd or self.elsewhere,
            env={**kept, "PYTHONPATH": os.fspath(self.path), **environment},
        )

    def run(self, program, *, arguments=("-c",), cwd=None, **environment):
        """Return what a fresh interpreter prints, with this folder on its path."""
        done = self.call(*arguments, textwrap.dedent(program), cwd=cwd, timeout=20, **environment)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

        return done.stdout

    def said(self, *expressions, before="", **environment):
        """Return what each expression gives, or what its error says, one process for all."""
        lines = [f"print(said(lambda: ({expression})), end='\\0')" for expression in expressions]
        printed = self.run("\n".join([SAID, textwrap.dedent(before), *lines]), **environment)

        return printed.split("\0")[:-1] if len(expressions) > 1 else printed.rstrip("\0")


@pytest.fixture
def site(tmp_path):
    """A folder on the path of other processes, empty as yet."""
    return Site(tmp_path / "site")


@pytest.fixture
def right(site):
    """A plugin of two right ops."""
    site.add_acme()

    return site


@pytest.fixture
def wrong(site):
    """The same, with a wrong derivative of `cube`."""
    site.add_acme(site.A_TERM_IS_MISSING)

    return site
