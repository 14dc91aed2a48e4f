"""`opgrad explain`: formulas from the command line, as trees, JSON and pictures."""

import json
import sys

import pytest
from click.testing import CliRunner

from opgrad.cli import FINDINGS, USAGE, run
from opgrad.cli.commands import cli


@pytest.fixture
def invoke():
    """Run the verb in this process; its result has exit_code, stdout and stderr."""
    return lambda *arguments: CliRunner().invoke(cli, ["explain", *arguments])


def test_a_formula_is_shown_as_a_tree_with_values_and_gradients(invoke):
    """Inputs by their names."""
    result = invoke("(a*b + c) * f", "a=2", "b=-3", "c=10", "f=-2")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "*              data -8, grad 1",
        "├── +          data 4, grad -2",
        "│   ├── *      data -6, grad -2",
        "│   │   ├── a  data 2, grad 6",
        "│   │   └── b  data -3, grad -4",
        "│   └── c      data 10, grad -2",
        "└── f          data -2, grad 4",
    ]


def test_ops_of_plugins_are_called_by_their_names(invoke):
    """And named with their plugin."""
    pytest.importorskip("opgrad_activations")

    assert "GELU (activations)" in invoke("activations.gelu(tanh(x))", "x=0.5").stdout


def test_methods_and_attributes_may_be_used(invoke):
    """As in Python."""
    assert "Σ(axis = -1)" in invoke("sum(x.exp(), axis=-1)", "x=[1, 2, 3]").stdout


def test_the_gradient_of_one_input_is_told_by_its_ways(invoke):
    """As `opgrad.explain` tells it."""
    lines = invoke("x*x + 2*x", "x=3", "--wrt", "x").stdout.splitlines()

    assert lines[0] == "d output / d Value(int 3) = 8"
    assert lines[1].startswith("├─ 2 through multiply (opgrad")


def test_json_has_the_graph(invoke):
    """And the explanation, if asked for."""
    known = json.loads(invoke("1 / x", "x=2", "--wrt", "x", "--json").stdout)

    assert [node["title"] for node in known["nodes"]] == ["x", "1 /", ""]
    assert known["nodes"][0]["lines"] == ["data 2", "grad -0.25"]
    assert known["edges"] == [["v1", "o2", ""], ["o2", "v2", ""]]
    assert known["explanation"].startswith("d output / d Value(int 2) = -0.25")


def test_out_writes_the_picture(invoke, tmp_path):
    """As what the name ends in."""
    result = invoke("x * 2", "x=1", "--out", str(tmp_path / "graph.svg"))

    assert result.exit_code == 0
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tanh(x", "x=1"], "'(' was never closed"),
        (["tahn(x)", "x=1"], "'tahn' is neither an input (tahn=NUMBER) nor an op"),
        (["tanh(x) + y", "x=1"], "'y' is neither an input (y=NUMBER) nor an op"),
        (["nowhere.gelu(x)", "x=1"], "'nowhere' is neither an input"),
        (["tanh(2.0)"], "the result depends on no input"),
        (["x.__class__", "x=1"], "'x.__class__' cannot stand in a formula"),
        (["__import__('os')", "x=1"], "'__import__' cannot stand in a formula"),
        (["[v for v in x]", "x=1"], "cannot stand in a formula"),
        (["(lambda: x)()", "x=1"], "cannot stand in a formula"),
        (["x + 'a'", "x=1"], "got an operand it does not know"),
        (["x[0]", "x=1"], "EXPRESSION"),
        (["x", "x=abc"], "'x=abc' is not NAME=NUMBER"),
        (["x", "x"], "'x' is not NAME=NUMBER"),
        (["x", "2=x"], "'2=x' is not NAME=NUMBER"),
        (["x", "x=True"], "'x=True' is not NAME=NUMBER"),
        (["x * 2", "x=1", "--wrt", "z"], "there is no input 'z'"),
        (["x * 2", "x=1", "--out", "a.bmp"], "no picture is written as 'a.bmp'"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_mistakes_are_named(invoke, arguments, said):
    """As mistakes in the usage."""
    result = invoke(*arguments)

    assert result.exit_code == USAGE
    assert said in " ".join(result.stderr.replace("│", "").split())


def test_a_result_that_is_no_number_says_how_to_make_it_one(capsys):
    """A gradient starts from a scalar."""
    assert run(["explain", "x * 2", "x=[1, 2]"]) == FINDINGS
    assert "reduce it first" in capsys.readouterr().err


def test_lists_need_numpy(invoke, monkeypatch):
    """The error says which extra to install."""
    monkeypatch.setitem(sys.modules, "opgrad.namespaces.numpy", None)
    monkeypatch.delattr("opgrad.namespaces.numpy", raising=False)
    result = invoke("sum(x)", "x=[1, 2]")

    assert result.exit_code == USAGE
    assert "pip install 'opgrad[numpy]'" in " ".join(result.stderr.split())
