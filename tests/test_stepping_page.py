"""The record of the two passes, and the page made of it: what Python can see without a browser."""

import base64
import functools
import hashlib
import json
import math
import operator
import re
import runpy
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import opgrad
from opgrad import Value, ops
from opgrad.drawing.page import html_of
from opgrad.drawing.stepping import stepping
from opgrad.errors import InPlaceError, NotDifferentiableError
from opgrad.namespaces import kind_of
from opgrad.testing.cases import cases_of
from opgrad.testing.engine import ops_named

ROOT = Path(opgrad.__file__).resolve().parent


def course_example():
    """L = (a b + c) f, with its names."""
    a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)
    e = a * b
    d = e + c
    out = d * f

    return out, {"a": a, "b": b, "c": c, "f": f, "e": e, "d": d, "L": out}


def leaves_of(output):
    """Each leaf that `output` was made of, oldest first."""
    found, stack, seen = {}, [output], set()
    while stack:
        value = stack.pop()
        if id(value) in seen or not value.requires_grad:
            continue
        seen.add(id(value))
        if value.op is None:
            found[value.serial] = value
        stack += [operand for operand in value.operands if type(operand) is Value]

    return [found[serial] for serial in sorted(found)]


def same(one, other):
    """Bit for bit, the sign of zero as well; one NaN is like another."""
    one, other = np.asarray(one), np.asarray(other)
    alike = one.dtype == other.dtype and one.shape == other.shape
    zeros = np.array_equal(np.signbit(one[one == 0].real), np.signbit(other[one == 0].real))

    return alike and zeros and np.array_equal(one, other, equal_nan=True)


def agree(output):
    """The gradients of the steps against those that `backward()` leaves, for every Value."""
    taken = stepping(output)
    before = [value.grad for value in taken.leaves]
    output.backward()
    for step in taken.steps:
        if step.incoming is not None and type(step.node.data) is not tuple:
            assert same(step.incoming, step.node.grad), step.node.op
    for leaf, held in zip(taken.leaves, before, strict=True):
        assert not np.any(held)
        found = taken.gradients.get(leaf.serial)
        assert not np.any(leaf.grad) if found is None else same(found, leaf.grad)


# -- the record -----------------------------------------------------------------------------------


def test_the_forward_pass_comes_first_and_the_backward_pass_goes_the_other_way():
    """Every op once in each; before, between and after them one step each."""
    out, names = course_example()
    taken = stepping(out)
    called = {id(value): name for name, value in names.items()}

    steps = [(step.kind, called.get(id(step.node))) for step in taken.steps]

    assert steps == [
        ("inputs", None),
        *[("forward", name) for name in "edL"],
        ("start", None),
        *[("backward", name) for name in "Lde"],
        ("end", None),
    ]


def test_a_contribution_is_the_incoming_gradient_times_the_local_derivative():
    """To each operand, under the name the op gives it."""
    out, names = course_example()
    step = stepping(out).steps[-3]  # d = e + c is not yet, L = d * f is past

    to_e, to_c = step.contributions

    assert to_e.operand is names["e"]
    assert to_c.operand is names["c"]
    assert [(part.name, part.local) for part in (to_e, to_c)] == [("a", 1.0), ("b", 1.0)]
    assert (step.incoming, to_e.amount, to_c.amount) == (-2.0, -2.0, -2.0)


def test_a_value_used_twice_is_seen_to_add():
    """Each use says what was there before, and what is there after."""
    x = Value(3.0)
    (step,) = [s for s in stepping(x * x).steps if s.kind == "backward"]

    assert [(p.before, p.amount, p.after) for p in step.contributions] == [
        (None, 3.0, 3.0),
        (3.0, 3.0, 6.0),
    ]


def test_the_local_derivative_of_an_elementwise_op_has_an_entry_for_each_of_the_output():
    """Also where an operand was broadcast; the contribution has the operand's shape."""
    x, b = Value(np.array([[1.0, 2.0], [3.0, 4.0]])), Value(np.array([5.0, 6.0]))
    taken = stepping(ops.sum(x * b))
    to_x, to_b = taken.steps[-2].contributions

    assert to_x.local.tolist() == [[5.0, 6.0], [5.0, 6.0]]
    assert to_b.local.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert to_b.amount.tolist() == [4.0, 6.0]


def test_the_local_derivative_of_a_scalar_output_is_its_gradient():
    """In the shape of the operand."""
    x = Value(np.array([1.0, 2.0, 3.0]))
    (step,) = [s for s in stepping(ops.sum(x)).steps if s.kind == "backward"]

    assert step.contributions[0].local.tolist() == [1.0, 1.0, 1.0]


def test_an_op_that_mixes_entries_has_no_local_derivative_to_show():
    """Its rule takes the gradient as a whole."""
    x, w = Value(np.ones((2, 3))), Value(np.ones((3, 2)))
    step = stepping(ops.sum(x @ w)).steps[-2]

    assert [part.local for part in step.contributions] == [None, None]
    assert [part.amount.shape for part in step.contributions] == [(2, 3), (3, 2)]


def test_a_complex_output_of_a_real_operand_has_no_local_derivative_to_show():
    """Its gradient is the real part of a product, hence no product."""
    x = Value(np.array([1.0, 2.0]))
    y = x * (1.0 + 2.0j)
    steps = stepping(ops.sum(ops.real(y * y))).steps
    first, second = [s for s in steps if s.kind == "backward" and s.node.op.name == "multiply"]

    assert all(np.iscomplexobj(part.local) for part in first.contributions)
    assert [part.local for part in second.contributions] == [None]


def test_the_branch_that_was_not_taken_is_idle():
    """Its rule is not asked, its derivative may be infinite, and nothing goes on."""
    x = Value(0.0)
    out = ops.where(x > 1.0, ops.log(x), x)
    (log,) = [s for s in stepping(out).steps if s.kind == "backward" and s.node.op.name == "log"]

    assert (log.idle, log.contributions) == (True, ())
    agree(out)


def test_a_node_that_no_gradient_reaches_is_stepped_over():
    """What lies above the idle branch, here; no rule is asked there either."""
    x = Value(0.0)
    out = ops.where(x > 1.0, ops.log(x * 2.0), x)
    steps = {s.node.op.name: s for s in stepping(out).steps if s.kind == "backward"}

    assert (steps["multiply"].incoming, steps["multiply"].contributions) == (None, ())


def test_several_outputs_of_an_op_are_collected_before_its_rule_is_asked():
    """One after the other, by index."""
    m = Value(np.array([[2.0, 1.0], [1.0, 3.0]]))
    values, vectors = ops.linalg.eigh(m)
    out = ops.sum(values) + ops.sum(vectors)
    steps = {s.node.op.name: s for s in stepping(out).steps if s.kind == "backward"}

    assert sorted(steps["eigh"].incoming) == [0, 1]
    agree(out)


def test_what_the_forward_saved_reaches_the_rule():
    """An op that saves is stepped like any other."""

    @opgrad.op(saves=True)
    def tripled(x):
        return 3.0 * x, {"factor": 3.0}

    @tripled.backward
    def tripled_backward(g, saved):
        return saved["factor"] * g

    x = Value(2.0)
    out = tripled(x) * x

    agree(out)
    assert x.grad == 12.0


def test_of_many_operands_each_has_its_place():
    """`arrays[1]` is the second of many."""
    x, y = Value(np.ones(2)), Value(np.ones(1))
    step = stepping(ops.sum(ops.concat([x, y, x]))).steps[-2]

    assert [part.name for part in step.contributions] == ["arrays[0]", "arrays[1]", "arrays[2]"]


PROGRAMS = {
    "an infinite slope not taken": lambda x: ops.sum(ops.where(x > 0.0, ops.sqrt(abs(x)), x)),
    "joined": lambda x: ops.sum(ops.concat([x, x * x])) * ops.mean(x),
    "entries": lambda x: ops.max(x) + ops.sum(x[1:] * 2.0) + ops.sum(x / 3),
    "a composite": lambda x: ops.logsumexp(x) - ops.sum(ops.maximum(x, 0.0)),
    "two dtypes": lambda x: ops.sum(ops.astype(x, np.float32) * np.float32(2.0)),
    "a checkpoint": opgrad.checkpoint(lambda v: ops.sum(ops.tanh(v) * v)),
    "complex numbers": lambda x: ops.sum(abs(ops.fft.rfft(x)) ** 2),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_are_those_of_backward_to_the_last_bit(name):
    """Of interior Values too."""
    agree(PROGRAMS[name](Value(np.array([0.0, -1.0, 4.0, 0.3]))))


def energy(y):
    """A number that hangs on every entry, of complex data on both parts."""
    if np.iscomplexobj(y.data):
        return ops.sum(ops.real(y) * ops.real(y) + ops.imag(y))

    return ops.sum(y * y)


OPS = [op for family in ("core", "linalg", "fft") for op in ops_named(family) if op.differentiable]


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.qualname)
def test_the_steps_of_every_op_agree_with_backward(op):
    """On its own samples, numbers and arrays, each operand used twice."""
    tried = 0
    for case in cases_of(op):
        operands = [
            Value(x) if kind_of(x) is kind_of(1.0) and not isinstance(x, int) else x
            for x in case.operands
        ]
        found = case.call(*operands)
        found = found if isinstance(found, tuple) else (found,)
        real = [y for y in found if type(y) is Value and y.requires_grad]
        if real:
            agree(functools.reduce(operator.add, map(energy, real)))
            tried += 1

    assert tried or op.nondiff


@given(
    st.lists(
        st.tuples(st.sampled_from("+-*/mtx"), st.integers(0, 20), st.integers(0, 20)),
        min_size=1,
        max_size=25,
    )
)
@settings(derandomize=True, deadline=None, database=None, max_examples=60)
def test_random_graphs_agree_with_backward_to_the_last_bit(program):
    """Values shared, used twice and left unused, numbers of every size, inf and NaN among them."""
    pool = [Value(0.3), Value(-1.7), Value(0.0)]
    calls = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - 2.0 * b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
        "m": ops.maximum,
        "t": lambda a, b: ops.tanh(a),
        "x": lambda a, b: ops.where(a > b, ops.log(a), b),
    }
    for name, i, j in program:
        pool.append(calls[name](pool[-1 - i % len(pool)], pool[-1 - j % len(pool)]))

    agree(pool[-1])


def test_the_graph_keeps_no_marks():
    """Neither gradients nor serials, and a gradient that is there stays."""
    out, names = course_example()
    names["a"].grad = 7.0
    before = [(v.serial, v.op, v.operands) for v in names.values()]
    html_of(out, names=names)

    assert [(v.serial, v.op, v.operands) for v in names.values()] == before
    assert [v.grad for v in names.values()] == [7.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_a_graph_inside_a_transform_can_be_stepped():
    """Its inputs are leaves there, whatever they are made of outside."""
    seen = []

    def f(x):
        y = x * x
        seen.append(stepping(y))

        return y

    opgrad.grad(opgrad.grad(f))(3.0)

    assert list(seen[0].gradients.values())[-1] == 6.0


def test_a_constant_is_refused_as_backward_refuses_it():
    """With the same words."""
    with pytest.raises(NotDifferentiableError, match="is a constant"):
        html_of(Value(1.0, requires_grad=False))


def test_an_array_is_refused_as_backward_refuses_it():
    """It says how to make a scalar of it."""
    with pytest.raises(NotDifferentiableError, match=r"reduce it first \(\.sum\(\), \.mean\(\)\)"):
        html_of(Value(np.ones(3)) * 2.0)


def test_data_that_changed_since_the_forward_are_refused():
    """The page would show numbers that never met."""
    x = Value(2.0)
    y = x * x
    x.data = 3.0
    with pytest.raises(InPlaceError, match="run the forward again"):
        html_of(y)


# -- the page -------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Every start tag with its attributes, and the texts of scripts and styles."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.inner, self.texts, self._open = [], [], [], None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        """Called by the parser."""
        self.tags.append((tag, dict(attributes)))
        self._open = (tag, dict(attributes))

    def handle_endtag(self, tag):
        """Called by the parser."""
        self._open = None

    def handle_data(self, data):
        """Called by the parser."""
        if self._open and self._open[0] in {"script", "style"}:
            self.inner.append((*self._open, data))
        else:
            self.texts.append(data)


def record_of(html):
    """What the page knows."""
    (text,) = [data for _, found, data in Tags(html).inner if found.get("id") == "record"]

    return json.loads(text)


def test_the_page_is_whole_and_asks_nothing_of_the_network():
    """No address but one empty picture, and a policy that allows no other."""
    out, names = course_example()
    parsed = Tags(html_of(out, names=names))
    addresses = [
        value
        for _, attributes in parsed.tags
        for name, value in attributes.items()
        if name in {"src", "href", "srcset", "action", "data", "poster", "xlink:href"}
    ]
    policy = next(a["content"] for t, a in parsed.tags if a.get("http-equiv"))
    style = next(data for tag, _, data in parsed.inner if tag == "style")

    assert addresses == ["data:,"]
    assert policy.startswith("default-src 'none'; ")
    assert "url(" not in style
    assert "@import" not in style


def test_only_the_styles_and_scripts_of_the_page_itself_may_run():
    """The policy names them by their digests."""
    parsed = Tags(html_of(course_example()[0]))
    policy = next(a["content"] for t, a in parsed.tags if a.get("http-equiv"))
    digests = {
        f"'sha256-{base64.b64encode(hashlib.sha256(data.encode()).digest()).decode()}'"
        for tag, attributes, data in parsed.inner
        if attributes.get("type") != "application/json"
    }

    assert digests == set(re.findall(r"'sha256-[^']+'", policy))
    assert "unsafe" not in policy


EVIL = ["</script><img src=x onerror=alert(1)>", "<!--<script>", "{{script}}", "a & \"b\" 'c'"]


@pytest.mark.parametrize("name", EVIL)
def test_names_are_text_whatever_they_hold(name):
    """They stay in one piece, and make no element."""
    x = Value(2.0).named(name)
    html = html_of((x * x).named(name))
    plain = Tags(html_of((Value(2.0) * Value(2.0)).named("y")))
    parsed = Tags(html)

    assert {tag for tag, _ in parsed.tags} == {tag for tag, _ in plain.tags}
    assert [v["name"] for v in record_of(html)["values"]] == [name, name]
    assert name in parsed.texts


def test_the_record_tells_numbers_at_a_glance_and_with_all_digits():
    """Four digits, and as many as tell it from its neighbours."""
    x = Value(1.0 / 3.0).named("x")
    record = record_of(html_of(ops.tanh(x)))
    told = next(value for value in record["values"] if value["name"] == "x")

    assert told["data"] == {"short": "0.3333", "full": repr(1.0 / 3.0)}
    assert told["final"]["full"] == repr(1.0 - math.tanh(1.0 / 3.0) ** 2)


def test_arrays_are_told_by_shape_dtype_and_range():
    """And small ones entry by entry."""
    x = Value(np.array([1.0, 2.0, 6.0], dtype=np.float32)).named("x")
    record = record_of(html_of(ops.sum(x)))
    data = next(value for value in record["values"] if value["name"] == "x")["data"]

    assert (data["shape"], data["dtype"]) == ("3", "float32")
    assert data["full"] == "float32 3 [1.0, 2.0, 6.0]"
    assert [data[word]["short"] for word in ("min", "mean", "max")] == ["1", "3", "6"]


def test_data_of_every_kind_can_be_told():
    """Empty, complex, boolean and of no dimension."""
    x = Value(np.array([1.0 + 2.0j, 3.0]))
    y = ops.sum(ops.real(x * 1j)) + ops.sum(Value(np.zeros((0, 3)))) + Value(np.float64(2.0))
    z = ops.where(Value(np.array([True, False])), y, Value(np.array([1.0, math.nan])))

    assert record_of(html_of(ops.sum(z)))["steps"][-1] == {"kind": "end"}


def test_each_rule_is_shown_as_its_author_wrote_it():
    """A derivative, a backward rule, the forward of a composite; with file, line and provider."""
    here = f"opgrad {opgrad.__version__}"

    @opgrad.composite
    def swish(xp, x):
        """x * sigmoid(x)."""
        return x * xp.sigmoid(x)

    x = Value(0.5)
    record = record_of(html_of(swish(ops.tanh(x)) + x))
    titles = {source["title"]: source for source in record["sources"]}

    assert "def tanh_derivative(" in titles["derivative rule of tanh"]["text"]
    assert titles["backward rule of add for a"]["text"].startswith('@add.backward("a")')
    assert "x * xp.sigmoid(x)" in titles["forward of swish, run on opgrad's own ops"]["text"]
    assert re.fullmatch(r"trigonometric\.py, line \d+", titles["derivative rule of tanh"]["place"])
    assert {op["name"]: op["provider"] for op in record["ops"]} == {
        "tanh": here,
        "swish": "defined in place",
        "add": here,
    }


def test_no_folder_of_this_machine_is_on_the_page():
    """Files are named without the way to them."""
    html = html_of(course_example()[0])

    assert str(ROOT) not in html
    assert str(Path(__file__).parent) not in html
    assert str(Path.home()) not in html or str(Path.home()) == "/"


def test_a_rule_whose_source_is_gone_is_no_obstacle():
    """An op made by `exec`, as in some notebooks."""
    scope = {"opgrad": opgrad}
    exec(  # noqa: S102 -- that is the case
        "@opgrad.elementwise\ndef cubed(x):\n    return x * x * x\n"
        "@cubed.derivative\ndef cubed_derivative(x):\n    return 3.0 * x * x\n",
        scope,
    )
    record = record_of(html_of(scope["cubed"](Value(2.0))))

    assert {source["text"] for source in record["sources"]} == {"# the source is not at hand"}


def test_calls_are_written_as_one_would_write_them():
    """Operators between their operands, attributes where they differ from the default."""
    x = Value(np.ones((2, 2))).named("x")
    y = ops.sum(-x * 2.0 + x**3, axis=0)
    record = record_of(html_of(ops.sum(y[0])))
    calls = [value["expression"] for value in record["values"] if "expression" in value]

    assert calls[:4] == ["-x", "v2 * 2", "x ** 3", "v3 + v4"]
    assert calls[4] == "sum(v5, axis=0)"


def test_several_outputs_start_the_backward_pass_together():
    """As `backward()` on one after the other."""
    x = Value(3.0).named("x")
    record = record_of(html_of(x * x, x * 4.0))
    start = next(step for step in record["steps"] if step["kind"] == "start")
    told = next(value for value in record["values"] if value["name"] == "x")

    assert [seed["grad"]["short"] for seed in start["seeds"]] == ["1", "1"]
    assert told["final"]["full"] == "10.0"


def test_an_output_that_is_a_leaf_has_a_page():
    """Nothing to step through, and the gradient is one."""
    record = record_of(html_of(Value(3.0).named("x")))

    assert [step["kind"] for step in record["steps"]] == ["inputs", "start", "end"]
    assert record["values"][0]["final"]["full"] == "1.0"


def test_a_graph_of_ten_thousand_nodes_is_folded_and_a_fold_is_one_step():
    """The page says so; what is not folded has its true gradient."""
    x = Value(0.5).named("x")
    y = x
    for _ in range(5000):
        y = ops.tanh(y * 1.0001)
    html = html_of(y)
    record = record_of(html)
    y.backward()
    told = next(value for value in record["values"] if value["name"] == "x")
    folds = [step for step in record["steps"] if step.get("fold")]

    assert len(record["steps"]) < 100
    assert [step["kind"] for step in folds] == ["forward", "backward"]
    assert float(told["final"]["full"]) == pytest.approx(x.grad, rel=1e-12)
    assert "What shares a box is one step here" in html


def test_a_graph_of_three_hundred_nodes_is_not_folded():
    """Every op has its steps."""
    y = Value(0.5)
    for _ in range(150):
        y = ops.tanh(y * 1.01)
    record = record_of(html_of(y))

    assert len(record["steps"]) == 2 * 300 + 3
    assert not any(step.get("fold") for step in record["steps"])


def test_the_example_writes_its_page_and_prints_what_one_finds_by_hand(tmp_path, capsys):
    """One neuron, whose gradients are whole and half numbers."""
    example = runpy.run_path(str(ROOT.parent / "examples/backprop_page.py"))
    example["main"](tmp_path / "neuron.html")
    record = record_of((tmp_path / "neuron.html").read_text(encoding="utf-8"))
    shown = {value["name"]: float(value["final"]["full"]) for value in record["values"]}
    printed = dict(re.findall(r"do/d(\w+)  +(-?[\d.]+)", capsys.readouterr().out))

    assert printed == {"x1": "-1.5000", "w1": "1.0000", "x2": "0.5000", "w2": "0.0000"}
    assert {name: f"{shown[name]:.4f}" for name in printed} == printed


def test_draw_writes_the_page(tmp_path):
    """And returns it; a larger or smaller limit holds for it as well."""
    y = Value(0.5)
    for _ in range(100):
        y = ops.tanh(y * 1.01)
    page = opgrad.draw(y).to_html(tmp_path / "backprop.html")

    assert (tmp_path / "backprop.html").read_text(encoding="utf-8") == page
    assert "is one step here" not in page
    assert "is one step here" in opgrad.draw(y, limit=50).to_html()
