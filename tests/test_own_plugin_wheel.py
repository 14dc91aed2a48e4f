"""A stranger's plugin, from wheel to use: nothing of this repository is on the path."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = ROOT / "examples" / "own_plugin"
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("PYTHON", "OPGRAD_", "VIRTUAL_ENV"))
} | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}

USE = """
import json, math, sys
import opgrad

softplus2 = opgrad.ops.acme.softplus2
x = opgrad.Value(2.0)
softplus2(x).backward()
print(json.dumps({
    "value": softplus2(2.0),
    "gradient": opgrad.grad(softplus2)(2.0),
    "grad": x.grad,
    "second": opgrad.grad(opgrad.grad(softplus2))(2.0),
    "repr": repr(softplus2),
    "file": sys.modules["opgrad_acme"].__file__,
    "opgrad": opgrad.__file__,
    "numpy": "numpy" in sys.modules,
}))
"""
UNKNOWN = """
import opgrad
from opgrad.errors import UnknownOpError

try:
    opgrad.ops.acme.softplus2
except UnknownOpError as error:
    print(error)
"""


BUILT_IN = {"core": "opgrad", "linalg": "opgrad", "fft": "opgrad"}


def run(*command, cwd, **environment):
    """Return what a command prints; its failure is the test's."""
    done = subprocess.run(
        [os.fspath(part) for part in command],
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=ENVIRONMENT | environment,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Build the wheels of opgrad and of the plugin from the files as they are."""
    out = tmp_path_factory.mktemp("wheels")
    for source in (ROOT, PLUGIN):
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", out, source, cwd=out)
    core, plugin = sorted(out.glob("*.whl"), key=lambda wheel: "acme" in wheel.name)
    return core, plugin


@pytest.fixture
def fresh(tmp_path):
    """Make an environment with pip and nothing else; return its Python and an empty folder."""
    venv.create(tmp_path / "venv", with_pip=True)
    scripts = "Scripts" if os.name == "nt" else "bin"
    empty = tmp_path / "empty"
    empty.mkdir()
    return tmp_path / "venv" / scripts / "python", empty


def test_wheel_of_the_core_holds_the_package_and_the_plugin_of_pytest(wheels):
    """No tests, plugins or examples end up beside other people's packages."""
    names = run(sys.executable, "-m", "zipfile", "-l", wheels[0], cwd=wheels[0].parent)
    tops = {line.split()[0].partition("/")[0] for line in names.splitlines()[1:]}

    assert tops == {"opgrad", "opgrad_pytest.py", "opgrad-0.1.0.dist-info"}


def test_plugin_from_a_wheel_is_used_listed_and_gone_after_uninstall(fresh, wheels):
    """`pip install` is all it takes, and after `pip uninstall` the name is an error."""
    python, empty = fresh
    core, plugin = wheels
    run(python, "-m", "pip", "install", "-q", f"{core}[cli]", plugin, cwd=empty)

    used = json.loads(run(python, "-c", USE, cwd=empty))
    assert used["value"] == pytest.approx(2.321928094887362, rel=1e-14)  # log2(5)
    assert used["gradient"] == used["grad"] == pytest.approx(0.8, rel=1e-14)  # 4 / 5
    assert used["second"] == pytest.approx(0.16 * 0.6931471805599453, rel=1e-12)  # ln 2 · 0.8 · 0.2
    assert "opgrad-acme" in used["repr"]
    assert not Path(used["file"]).is_relative_to(ROOT)
    assert not Path(used["opgrad"]).is_relative_to(ROOT)
    assert not used["numpy"]
    assert installed(python, empty) == {**BUILT_IN, "acme": "opgrad-acme"}

    run(python, "-m", "pip", "uninstall", "-q", "-y", "opgrad-acme", cwd=empty)
    error = run(python, "-c", UNKNOWN, cwd=empty)
    assert "no installed plugin provides" in error
    assert "'acme'" in error
    assert installed(python, empty) == BUILT_IN
    assert run(python, "-c", "import opgrad; print(opgrad.ops.tanh(0.0))", cwd=empty) == "0.0\n"


def installed(python, empty):
    """Return what `opgrad list` shows: the distribution of each namespace."""
    listed = json.loads(run(python, "-m", "opgrad", "list", "--json", cwd=empty))
    return {plugin["namespace"]: plugin["distribution"] for plugin in listed}


@pytest.fixture
def site(wheels, tmp_path):
    """Install both wheels into a folder, for a Python that has pytest."""
    site = tmp_path / "site"
    install = ("-m", "pip", "install", "-q", "--no-deps", "--target", site)
    run(sys.executable, *install, *wheels, cwd=tmp_path)
    return site


def test_plugins_own_test_passes_where_it_is_installed(site, tmp_path):
    """The example's test reaches its op by name, through the metadata of the wheel."""
    assert "3 passed" in run_pytest(site, "--rootdir", tmp_path, PLUGIN / "tests", cwd=tmp_path)


def test_plugin_is_checked_where_it_is_installed_without_any_file(site, tmp_path):
    """The option of pytest comes with the wheel of opgrad."""
    empty = tmp_path / "empty"
    empty.mkdir()

    assert "1 passed" in run_pytest(site, "--opgrad", "acme", cwd=empty)


def run_pytest(site, *arguments, cwd):
    """Return what pytest prints with a folder of installed packages before all others."""
    pytest_alone = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    return run(sys.executable, *pytest_alone, *arguments, cwd=cwd, PYTHONPATH=os.fspath(site))
