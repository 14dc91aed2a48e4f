"""The command line: what each verb prints, its JSON, and its exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

import opgrad
from opgrad.cli import FINDINGS, FINE, USAGE, run, showing
from opgrad.cli.commands import cli
from opgrad.errors import PluginError
from opgrad.plugins import PLUGINS, REGISTRY, Source, Status

WITHOUT_CLICK = """
import sys
sys.modules["click"] = None
from opgrad.cli import run
sys.exit(run(["list"]))
"""
METADATA_ALONE = """
import sys
from opgrad.cli import run
code = run(["list", "--json"])
assert "opgrad_activations" not in sys.modules and "numpy" not in sys.modules
sys.exit(code)
"""


@pytest.fixture
def invoke():
    """Run a command in this process; its result has exit_code, stdout and stderr."""
    return lambda *arguments: CliRunner().invoke(cli, list(arguments))


def in_a_process(program):
    """Run a program in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


@pytest.fixture
def broken(monkeypatch):
    """A plugin that failed, beside those installed."""
    source = Source("broken", ("opgrad_broken",), "opgrad-broken", "0.3")
    status = Status(source, "failed", error=PluginError("plugin 'broken' raised on import"))
    real = PLUGINS.statuses
    monkeypatch.setattr(type(PLUGINS), "statuses", lambda _: [*real(), status])


# --- list ---------------------------------------------------------------------------------------


def test_list_names_built_in_ops_and_plugins_with_their_distributions(invoke):
    """`opgrad list` is `opgrad list plugins`."""
    result = invoke("list")

    assert result.exit_code == FINE
    assert re.search(
        rf"^core +opgrad +{re.escape(opgrad.__version__)}", result.stdout, re.MULTILINE
    )
    assert re.search(r"^activations +opgrad-activations", result.stdout, re.MULTILINE)
    assert invoke("list", "plugins").stdout == result.stdout


def test_list_reads_metadata_and_imports_no_plugin():
    """Fifty installed plugins cost `opgrad list` fifty lines, not fifty imports."""
    done = in_a_process(METADATA_ALONE)
    states = {plugin["namespace"]: plugin["state"] for plugin in json.loads(done.stdout)}

    assert done.returncode == FINE, done.stderr
    assert states["core"] == "loaded"
    assert states["activations"] == "installed"


def test_list_load_imports_and_counts(invoke):
    """With `--load` every enabled plugin has a count."""
    plugins = {
        one["namespace"]: one for one in json.loads(invoke("list", "--load", "--json").stdout)
    }

    assert plugins["activations"]["state"] == "loaded"
    assert plugins["activations"]["ops"] >= 24


def test_list_ops_gives_each_op_with_its_provenance(invoke):
    """Built-in ops and a plugin's stand side by side."""
    result = invoke("list", "ops", "--json")
    ops = {op["op"]: op for op in json.loads(result.stdout)}

    assert result.exit_code == FINE
    assert set(ops) == {op.qualname for op in REGISTRY}
    assert ops["core.tanh"]["distribution"] == "opgrad"
    assert ops["activations.gelu"]["distribution"] == "opgrad-activations"
    assert ops["activations.gelu"]["module"].startswith("opgrad_activations")


def test_list_ops_prints_one_line_an_op(invoke):
    """Lines are not folded where the output is no terminal."""
    lines = invoke("list", "ops").stdout.splitlines()

    assert len(lines) == len(list(REGISTRY)) + 1
    assert sum(line.startswith("core.add ") for line in lines) == 1


@pytest.mark.usefixtures("broken")
def test_plugin_that_failed_is_a_finding(invoke):
    """The list is complete, the failure is told on stderr, the exit code is 1."""
    result = invoke("list")

    assert result.exit_code == FINDINGS
    assert re.search(r"^broken +opgrad-broken +0\.3 +failed", result.stdout, re.MULTILINE)
    assert "opgrad-broken 0.3: plugin 'broken' raised on import" in result.stderr


@pytest.mark.usefixtures("broken")
def test_json_of_a_failed_plugin_holds_the_error(invoke):
    """A script needs nothing but stdout."""
    result = invoke("list", "--json")

    assert json.loads(result.stdout)[-1] == {
        "namespace": "broken",
        "distribution": "opgrad-broken",
        "version": "0.3",
        "editable": False,
        "modules": ["opgrad_broken"],
        "state": "failed",
        "ops": None,
        "error": "plugin 'broken' raised on import",
    }


# --- show ---------------------------------------------------------------------------------------


def test_show_tells_formula_call_provider_rules_and_samples(invoke):
    """One page holds all there is to know of an op."""
    text = invoke("show", "tanh").stdout

    assert "tanh(x)" in text
    assert REGISTRY.find("tanh").documentation.splitlines()[0] in text
    assert f"opgrad {opgrad.__version__}" in text
    assert re.search(r"trigonometric\.py:\d+", text)
    assert re.search(r"^reverse +derivative rule$", text, re.MULTILINE)
    assert re.search(r"^forward +derivative rule$", text, re.MULTILINE)
    assert re.search(r"^samples +[1-9]", text, re.MULTILINE)


def test_show_json_names_operands_and_attributes(invoke):
    """What a call takes, by name."""
    known = json.loads(invoke("show", "sum", "--json").stdout)

    assert known["op"] == "core.sum"
    assert known["operands"] == {"x": "one"}
    assert known["attributes"]["axis"] == {"default": None}
    assert known["provider"]["distribution"] == "opgrad"


def test_show_finds_a_plugin_op_by_its_bare_name(invoke):
    """`silu` is activations.silu where one plugin alone has it."""
    assert json.loads(invoke("show", "silu", "--json").stdout)["op"] == "activations.silu"


def test_show_knows_every_op(invoke):
    """No op has facts that JSON cannot hold, or a page that fails."""
    invoke("list", "ops")
    for op in REGISTRY:
        known = showing.facts(op)
        json.dumps(known, allow_nan=False)
        showing.sheet(known)

        assert all(known["modes"].values()), op
        assert "no rule" not in str(known["modes"]), op


def test_show_of_an_unknown_op_names_the_near_ones(invoke):
    """The library's own sentence, and the exit code of a usage error."""
    result = invoke("show", "tanhh")

    assert result.exit_code == USAGE
    assert "no installed plugin provides op 'tanhh'; did you mean" in result.stderr
    assert "'tanh'" in result.stderr


def test_show_of_an_unknown_namespace_is_a_usage_error(invoke):
    """A namespace nobody owns is named."""
    result = invoke("show", "nowhere.tanh")

    assert result.exit_code == USAGE
    assert "nowhere" in result.stderr


def test_show_of_a_namespace_is_a_usage_error(invoke):
    """A namespace is not an op."""
    assert invoke("show", "activations").exit_code == USAGE
    assert invoke("show", "core.activations").exit_code == USAGE


def test_modes_of_an_op_with_a_constant_result_say_so():
    """A comparison has no derivative in any mode."""
    assert set(showing.modes(REGISTRY.find("less")).values()) == {"none: the result is constant"}


def test_modes_of_an_op_that_saves_deny_the_second_order():
    """What is saved is neither input nor output: differentiable once."""

    @opgrad.op(saves=True)
    def doubled(x):
        """Twice x."""
        return 2.0 * x, 2.0

    @doubled.backward
    def doubled_backward(g, saved):
        return g * saved

    assert showing.modes(doubled) == {
        "reverse": "backward rule",
        "forward": "transpose of the backward rule",
        "second order": "no: the forward saves what is neither operand nor output",
    }


# --- the program --------------------------------------------------------------------------------


def test_without_click_one_line_says_what_to_install():
    """The core does not need click, its command line does."""
    done = in_a_process(WITHOUT_CLICK)

    assert done.returncode == USAGE
    assert done.stderr == 'opgrad: the command line needs click: pip install "opgrad[cli]"\n'


def test_usage_errors_exit_with_2(capsys):
    """Unknown verbs and options are answered with the usage line."""
    assert run(["lost"]) == USAGE
    assert run(["list", "--nonsense"]) == USAGE
    assert run(["show"]) == USAGE
    assert "Usage: opgrad" in capsys.readouterr().err


def test_exit_code_of_a_finding_reaches_the_shell(broken, capsys):
    """The code a verb ends with is the program's."""
    del broken

    assert run(["list"]) == FINDINGS
    assert "opgrad-broken" in capsys.readouterr().out


def test_module_runs_as_a_program():
    """`python -m opgrad` is the command."""
    done = subprocess.run(
        [sys.executable, "-m", "opgrad", "--version"], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == f"opgrad, version {opgrad.__version__}"
