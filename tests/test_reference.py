"""The generated pages of the reference: every op is there, and no check of any op fails.

The support matrix of the docs is written from the same run (`docs/support.py`).
"""

import functools
import importlib.util
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import opgrad
from opgrad.cli.showing import facts

DOCS = Path(__file__).parent.parent / "docs"


def load(name):
    """A module of docs/, which is no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])

    return sys.modules[name]


support, generate = load("support"), load("generate")
OPS = {op.qualname: op for op in generate.first_party()}
FEW_ROWS = ("core.tanh", "core.argmax", "linalg.det")


@functools.cache
def row_of(name):
    """What the checks of an op found, run once."""
    return support.row_of(OPS[name])


@pytest.mark.parametrize("name", OPS)
def test_every_mode_of_the_op_holds_on_floats_and_arrays(name):
    """No cell of the matrix fails, and what can be differentiated was checked."""
    op = OPS[name]
    row = row_of(name)

    assert [str(cell) for cell in row.values() if cell.state == "fail"] == []
    assert not op.differentiable or row["NumPy", "reverse"].samples


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.elementwise])
def test_an_elementwise_op_is_checked_on_floats_in_every_mode(name):
    """Of each that can be differentiated; a second derivative unless the forward saves."""
    op = OPS[name]
    row = row_of(name)
    checked = [mode for mode in support.MODES if row["float", mode].samples]

    assert not op.differentiable or checked == list(support.MODES)


def wrong_op():
    """An op whose rule is wrong by a factor in both modes."""

    @opgrad.elementwise(samples=(opgrad.sample(0.5), opgrad.sample([1.0, 2.0])))
    def cube(x):
        """x³."""
        return x * x * x

    @cube.derivative
    def cube_derivative(x):
        return 2.0 * x * x

    return cube


def test_a_wrong_rule_fails_in_the_matrix():
    """With the entry, and both numbers."""
    row = support.row_of(wrong_op())

    assert {cell.state for (_, mode), cell in row.items() if mode == "reverse"} == {"fail"}
    assert "got 0.5 wanted 0.75" in " ".join(str(row["float", "reverse"]).split())


def wrong_in_forward_mode():
    """An op whose jvp rule alone is wrong."""

    @opgrad.op(samples=(opgrad.sample(0.5),))
    def cube(x):
        """x³."""
        return x * x * x

    @cube.backward
    def cube_backward(g, x):
        return 3.0 * g * x * x

    @cube.jvp
    def cube_jvp(t, x):
        return t * x * x

    return cube


def test_a_wrong_forward_rule_fails_in_its_column():
    """Reverse mode is not blamed for it."""
    row = support.row_of(wrong_in_forward_mode())

    assert row["float", "forward"].state == "fail"
    assert row["float", "reverse"].state == "pass"


def wrong_twice():
    """An op whose rule is right on data, and whose derivative is lost in a second sweep."""

    @opgrad.elementwise(samples=(opgrad.sample(0.5),))
    def cube(x):
        """x³."""
        return x * x * x

    @cube.derivative
    def cube_derivative(x):
        return 3.0 * opgrad.stop_gradient(x) * x

    return cube


def test_a_wrong_second_derivative_fails_in_its_column():
    """The first one passes."""
    row = support.row_of(wrong_twice())

    assert row["float", "reverse"].state == "pass"
    assert row["float", "second order"].state == "fail"


def test_every_op_has_its_section():
    """Of the built-in and the first-party plugins installed, each once."""
    sections = re.findall(r"^### (.+)$", generate.ops_page(), re.MULTILINE)

    assert sorted(sections) == sorted(OPS)


@pytest.mark.parametrize("name", OPS)
def test_the_section_tells_formula_call_modes_and_provider(name):
    """As the registry has them."""
    op = OPS[name]
    section = generate.ops_page().split(f"### {name}\n", 1)[1].split("\n### ", 1)[0]
    known = facts(op)

    assert op.documentation
    assert op.documentation.splitlines()[0] in section
    assert f"\n{op.signature}\n" in section
    assert f"{op.provider}, `{op.forward.__module__}`" in section
    assert all(way in section for way in known["modes"].values())
    assert all(f"`{operand}`" in section for operand in known["operands"])
    assert all(f"`{attribute}" in section for attribute in known["attributes"])


def test_the_matrix_has_a_line_for_every_op(monkeypatch):
    """Here for a few, so that the whole run is not done twice."""
    monkeypatch.setattr(generate, "first_party", lambda: [OPS[name] for name in FEW_ROWS])
    page = generate.support_page.__wrapped__()

    assert re.findall(r"^\| `(.+?)` \|", page, re.MULTILINE) == sorted(FEW_ROWS)
    assert "the result is a constant" in page
    assert "**fail**" not in page


@pytest.mark.parametrize(
    "asks",
    [
        '<script async src="https://example.org/a.js"></script>',
        '<link rel="stylesheet" href="//example.org/a.css">',
        "<img alt='' src='http://example.org/a.png'>",
    ],
)
def test_a_page_that_needs_the_network_is_refused_by_the_build(asks):
    """Whoever reads the site may be offline; links to elsewhere are the reader's choice."""
    page = SimpleNamespace(file=SimpleNamespace(src_uri="howto/some.md"))
    fine = '<a href="https://example.org/">there</a> <img src="pictures/a.svg">'

    assert generate.on_post_page(fine, page, None) == fine
    with pytest.raises(ValueError, match=r"some\.md cannot be read without the network.*example"):
        generate.on_post_page(fine + asks, page, None)
