"""Pictures of graphs: what they show, what it is called, and what they are written as."""

import copy
import gc
import pickle
import subprocess
import sys
import tracemalloc
import weakref
from collections import namedtuple
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import attrs
import numpy as np
import pytest

import opgrad
from opgrad import Value, ops
from opgrad.drawing import binary
from opgrad.drawing.graph import graph_of
from opgrad.drawing.labels import number
from opgrad.drawing.text import to_rich
from opgrad.errors import CallError
from opgrad.plugins import PLUGINS
from opgrad.value import next_serial

needs_dot = pytest.mark.skipif(binary.lacking() is not None, reason=f"{binary.lacking()}")
MASK = np.ones((2, 1), dtype=bool)
SVG = "{http://www.w3.org/2000/svg}"


def nodes(graph, kind):
    """The nodes of a kind, by title."""
    return [node for node in graph.nodes if node.kind == kind]


def named_edges(graph):
    """The edges, each with the titles at its ends."""
    title = {node.key: node.title for node in graph.nodes}

    return {(title[e.tail], title[e.head], e.label) for e in graph.edges}


def leaf(graph, title):
    """The node of this title."""
    return next(node for node in graph.nodes if node.title == title)


def texts(svg):
    """What stands in an SVG, in order."""
    return [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 -- our own


@pytest.fixture
def expression():
    """L = (a*b + c) * f, after backward, with its names."""
    a, b, c, f = (Value(x).named(n) for x, n in [(2.0, "a"), (-3.0, "b"), (10.0, "c"), (-2.0, "f")])
    output = ((a * b + c) * f).named("L")
    output.backward()

    return output


# -- the same picture as the tutorials' -----------------------------------------------------------


def trace(root):
    """The nodes and edges below a Value, as from-scratch tutorials collect them."""
    found, links = set(), set()

    def visit(value):
        if value not in found:
            found.add(value)
            for operand in value._prev:
                links.add((operand, value))
                visit(operand)

    visit(root)

    return found, links


def draw_dot(root):
    """Their picture: a record a Value, and a node an operation before each result."""
    graphviz = pytest.importorskip("graphviz")
    dot = graphviz.Digraph(format="svg", graph_attr={"rankdir": "LR"})
    found, links = trace(root)
    for value in found:
        name = str(id(value))
        text = "{ %s | data %.4f | grad %.4f }" % (value.label, value.data, value.grad)  # noqa: UP031 -- their way
        dot.node(name=name, label=text, shape="record")
        if value._op:
            dot.node(name=name + value._op, label=value._op)
            dot.edge(name + value._op, name)
    for operand, result in links:
        dot.edge(str(id(operand)), str(id(result)) + result._op)

    return dot


def a_neuron():
    """tanh(x1*w1 + x2*w2 + b)."""
    x1, x2, w1, w2, b = map(Value, (2.0, 0.0, -3.0, 1.0, 6.88))

    return (x1 * w1 + x2 * w2 + b).tanh()


def with_a_value_used_twice():
    """As operands of one op, and of two."""
    a, b = Value(3.0), Value(-2.0)
    d = a * b
    e = a + b

    return d * e + a + a * a


def with_constants():
    """Numbers are no nodes, in neither picture."""
    x = Value(0.5)

    return ((2 * x).exp() - 1) / ((2 * x).exp() + 1) + x**2


@pytest.mark.parametrize("make", [a_neuron, with_a_value_used_twice, with_constants])
def test_draw_gives_the_tutorials_picture_in_one_call(make):
    """Their own functions run unmodified; nodes and edges are as many."""
    root = make()
    root.backward()
    theirs = draw_dot(root).body
    ours = opgrad.draw(root).graph
    edges = [line for line in theirs if "->" in line]

    assert (len(ours.nodes), len(ours.edges)) == (len(theirs) - len(edges), len(edges))


def test_each_value_shows_what_the_tutorials_records_show():
    """Name, data and gradient."""
    a = Value(2.0).named("a")
    (a * 3.0).backward()
    (record,) = [line for line in draw_dot(a).body if "record" in line]
    node = graph_of(a).nodes[0]

    assert "{ a | data 2.0000 | grad 3.0000 }" in record
    assert (node.title, node.lines) == ("a", ("data 2", "grad 3"))


# -- what nodes show ------------------------------------------------------------------------------


def test_values_show_name_data_and_gradient(expression):
    """After backward, each its own."""
    graph = opgrad.draw(expression).graph
    shown = {n.title: n.lines for n in graph.nodes if n.kind != "op" and n.title}

    assert shown == {
        "a": ("data 2", "grad 6"),
        "b": ("data -3", "grad -4"),
        "c": ("data 10", "grad -2"),
        "f": ("data -2", "grad 4"),
        "L": ("data -8", "grad 1"),
    }


def test_before_backward_the_gradient_is_zero():
    """As `v.grad` says."""
    assert graph_of(Value(2.0)).nodes[0].lines == ("data 2", "grad 0")


def test_a_constant_has_no_gradient_and_is_marked():
    """No gradient flows to it."""
    x, c = Value(2.0), Value(3.0, requires_grad=False).named("c")
    node = leaf(graph_of(x * c), "c")

    assert (node.lines, node.constant, node.kind) == (("data 3",), True, "leaf")


def test_a_gradient_that_was_recorded_shows_its_number():
    """`backward(record=True)` leaves Values in `grad`."""
    x = Value(3.0).named("x")
    (x * x).backward(record=True)

    assert leaf(graph_of(x), "x").lines == ("data 3", "grad 6")


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.123456, "0.1235"),
        (-0.0, "0"),
        (9999.4, "9999"),
        (99999.6, "100000"),
        (-1234567.0, "-1.235e+06"),
        (1e-7, "1e-07"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (10**400, "10000000000000000000000…"),
        (3, "3"),
        (True, "True"),
        (1.23456 - 2j, "1.235-2j"),
        (np.float32(0.1), "0.1"),
        (np.array(3) > 2, "True"),
        (np.array(2.5), "2.5"),
        (np.complex64(1j), "0+1j"),
    ],
    ids=repr,
)
def test_numbers_have_four_digits(x, text):
    """Of whatever kind."""
    assert number(x) == text


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (np.array([[1.0, 2.0, 6.0]]), ("float64 1×3 min/mean/max", "data 1 / 3 / 6", "grad all 0")),
        (np.full((2, 2), 7, np.float32), ("float32 2×2", "data all 7", "grad all 0")),
        (np.zeros((0, 3)), ("float64 0×3", "data empty", "grad empty")),
        (np.array([1.0, np.nan]), ("float64 2", "data 1 of 2 NaN", "grad all 0")),
        (np.array([np.inf, 0.0]), ("float64 2 min/mean/max", "data 0 / inf / inf", "grad all 0")),
        (np.array([1.0, 1 + 1e-9]), ("float64 2 min/mean/max", "data 1 / 1 / 1", "grad all 0")),
        (np.array([1j, 3.0]), ("complex128 2", "data mean 1.5+0.5j", "grad all 0")),
        (np.full(2, 60000, np.float16), ("float16 2", "data all 60000", "grad all 0")),
        (np.full(2, -128, np.int8), ("int8 2", "data all -128")),
        (np.array([True, False, True]), ("bool 3", "data 2 of 3 true")),
        (np.arange(4), ("int64 4 min/mean/max", "data 0 / 1.5 / 3")),
        (np.array(2.5), ("data 2.5", "grad 0")),
    ],
    ids=str,
)  # fmt: skip
def test_arrays_show_dtype_shape_and_range(data, lines):
    """Least, mean and greatest entry; integers and truths have no gradient."""
    assert graph_of(Value(data)).nodes[0].lines == lines


def test_the_gradient_of_an_array_shows_its_range():
    """After backward."""
    v = Value(np.array([1.0, 2.0, 6.0]))
    (v * v).sum().backward()

    assert graph_of(v).nodes[0].lines[-1] == "grad 2 / 6 / 12"


def test_op_nodes_show_their_symbol_and_the_plugin_they_came_from():
    """The namespace in the box; distribution and version for the pointer."""
    pytest.importorskip("opgrad_activations")
    gelu = ops.activations.gelu
    graph = graph_of(gelu(Value(1.0) * Value(2.0)))
    times, plugin = nodes(graph, "op")

    assert (times.title, times.provider) == ("*", "core")
    assert (plugin.title, plugin.provider) == ("GELU", "activations")
    assert gelu.described in plugin.hint


def test_a_kernel_shows_the_plugin_that_ran():
    """Not the one whose op it runs for."""

    @opgrad.kernel("core.tanh", data="numpy")
    def fast_tanh(x):
        return np.tanh(x)

    offer = SimpleNamespace(opgrad_kernels=opgrad.hookimpl(lambda: [fast_tanh]))
    opgrad.load_plugin(offer, "swift")
    try:
        with opgrad.prefer("swift"):
            y = ops.tanh(Value(np.ones(2)))
        (op,) = nodes(graph_of(y), "op")
    finally:
        PLUGINS.forget("swift")

    assert (op.title, op.provider) == ("tanh", "swift")


def test_an_op_that_no_plugin_brought_is_local():
    """Defined in the notebook, composite or not: it is one node."""

    @opgrad.composite
    def squash(xp, x):
        """x / (1 + |x|)."""
        return x / (1.0 + xp.abs(x))

    (op,) = nodes(graph_of(squash(Value(2.0))), "op")

    assert (op.title, op.provider) == ("squash", "local")


@pytest.mark.parametrize(
    ("call", "title", "lines"),
    [
        (lambda v: v * 2, "* 2", ()),
        (lambda v: 1 - v, "1 -", ()),
        (lambda v: v**2, "** 2", ()),
        (lambda v: v / np.float64(4.0), "/ 4", ()),
        (lambda v: v + np.ones((2, 3)), "+", ("b = float64 2×3",)),
        (lambda v: np.ones((4, 2)) @ v, "@", ("a = float64 4×2",)),
        (lambda v: ops.clip(v, 0.0, 1.0), "clip", ("min = 0", "max = 1")),
        (lambda v: ops.where(MASK, v, 0.0), "where", ("condition = bool 2×1", "b = 0")),
        (lambda v: ops.sum(v, axis=0), "Σ", ("axis = 0",)),
        (lambda v: v.sum(), "Σ", ()),
        (lambda v: ops.permute_dims(v, (1, 0)), "permute_dims", ("axes = (1, 0)",)),
    ],
)  # fmt: skip
def test_constants_and_attributes_stand_in_the_op(call, title, lines):
    """A number on its side of the operator; attributes where they are not the default."""
    (op,) = nodes(graph_of(call(Value(np.ones((2, 3))))), "op")

    assert (op.title, op.lines) == (title, lines)


# -- edges ----------------------------------------------------------------------------------------


def test_a_shared_value_is_drawn_once(expression):
    """Every use is an arrow from the same box."""
    graph = graph_of(expression + leaf(graph_of(expression), "a").value)

    assert [node.title for node in graph.nodes].count("a") == 1
    assert sum(edge[0] == "a" for edge in named_edges(graph)) == 2


def test_a_value_used_twice_by_one_op_has_one_arrow_that_says_so():
    """The bug that the tutorials find on the way can be seen."""
    a = Value(3.0).named("a")

    assert ("a", "+", "×2") in named_edges(graph_of(a + a))


@pytest.mark.parametrize(
    ("call", "labels"),
    [
        (lambda a, b: a - b, {"a", "b"}),
        (lambda a, b: a / b, {"a", "b"}),
        (lambda a, b: a + b, {""}),
        (lambda a, b: a * b, {""}),
        (lambda a, b: ops.stack([a, b]), {"arrays[0]", "arrays[1]"}),
        (lambda a, b: (a + b).tanh(), {""}),
    ],
)
def test_arrows_carry_the_operands_name_where_order_matters(call, labels):
    """A difference has a first and a second; a sum has none."""
    graph = graph_of(call(Value(np.array(2.0)), Value(np.array(3.0))))
    leaves = {node.key for node in nodes(graph, "leaf")}

    assert {edge.label for edge in graph.edges if edge.tail in leaves} == labels


def test_one_operand_in_two_places_names_both():
    """`a - a`."""
    a = Value(2.0).named("a")

    assert ("a", "-", "a, b") in named_edges(graph_of(a - a))


def test_several_outputs_of_one_op_leave_one_box():
    """Each with its index."""
    values, vectors = ops.linalg.eigh(Value(np.array([[2.0, 1.0], [1.0, 3.0]])))
    graph = graph_of(values.named("values"), vectors.named("vectors"))

    assert [node.title for node in nodes(graph, "op")] == ["eigh"]
    assert {("eigh", "values", "[0]"), ("eigh", "vectors", "[1]")} <= named_edges(graph)


def test_only_outputs_that_are_used_are_drawn():
    """The other leads nowhere."""
    values, _ = ops.linalg.eigh(Value(np.eye(2)))

    assert [edge.label for edge in graph_of(values.sum()).edges] == ["", "[0]", "", ""]


def test_tails_come_before_heads():
    """Also where the data of a leaf were assigned after its use."""
    a, b = Value(2.0), Value(3.0)
    c = a * b
    a.data = 5.0
    graph = graph_of(c + a)
    order = {node.key: place for place, node in enumerate(graph.nodes)}

    assert all(order[edge.tail] < order[edge.head] for edge in graph.edges)


def test_the_input_of_a_transform_is_a_leaf():
    """While its function runs, and after."""
    drawn = []

    def f(x):
        y = x * x
        drawn.append([node.kind for node in graph_of(y).nodes])
        drawn.append(y)
        return y

    opgrad.grad(f)(3.0)

    assert drawn[0] == ["leaf", "op", "value"]
    assert drawn[0] == [node.kind for node in graph_of(drawn[1]).nodes]


def test_the_input_of_a_transform_inside_another_graph_hangs_on_it():
    """Its alias is a step that no plugin brought."""
    seen = []
    w = Value(2.0).named("w")
    opgrad.grad(lambda x: seen.append(graph_of(x * x)) or x * x)(w)

    assert ("w", "open_input", "") in named_edges(seen[0])


# -- what is called how ---------------------------------------------------------------------------


def test_named_returns_the_value():
    """So that it stands in a definition."""
    w = Value(2.0)

    assert w.named("w1") is w
    assert w.label == "w1"


def test_a_value_without_a_name_has_an_empty_label():
    """And no room is filled for it."""
    v = Value(2.0)

    assert (v.label, hasattr(v, "_label")) == ("", False)


def test_the_tutorials_label_can_be_assigned():
    """`e.label = "e"`."""
    v = Value(2.0)
    v.label = "e"

    assert v.label == "e"


def test_a_name_is_a_text():
    """Anything else would fail later, in a picture."""
    with pytest.raises(TypeError, match="named by a text, not by 3"):
        Value(2.0).named(3)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))],  # noqa: S301 -- our own bytes
    ids=["copy", "deepcopy", "pickle"],
)  # fmt: skip
def test_copies_keep_the_name(copied):
    """Parameters are saved and cloned."""
    assert copied(Value(2.0).named("w")).label == "w"


Pair = namedtuple("Pair", "first second")  # noqa: PYI024 -- the plain kind


@attrs.define
class Layer:
    """A container as attrs makes them."""

    w: list


class Neuron:
    """A class of somebody's, that is called."""

    def __init__(self, w):
        self.w = w
        self._hidden = w
        self.me = self

    def __call__(self):
        """Be callable."""


@pytest.mark.parametrize(
    ("hold", "name"),
    [
        (lambda v: v, "x"),
        (lambda v: [1.0, v], "x[1]"),
        (lambda v: (None, [v]), "x[1][0]"),
        (lambda v: {"w": v}, "x['w']"),
        (lambda v: Pair(1.0, v), "x.second"),
        (lambda v: Layer([v]), "x.w[0]"),
        (Neuron, "x.w"),
        (lambda v: [Neuron([v])], "x[0].w[0]"),
    ],
    ids=["value", "list", "tuple", "dict", "namedtuple", "attrs", "object", "model"],
)
def test_names_reach_into_containers(hold, name):
    """As the code would write it."""
    v = Value(2.0)

    assert graph_of(v, names={"x": hold(v)}).nodes[0].title == name


def test_private_fields_name_nothing():
    """As private variables."""
    neuron = Neuron([])
    neuron._hidden = v = Value(2.0)

    assert graph_of(v, names={"neuron": neuron}).nodes[0].title == ""


def test_names_take_all_of_locals():
    """Whatever else is there: modules, functions, classes, private names, itself."""
    a, _hidden = Value(2.0), Value(3.0)
    module, function, kind, text, array = np, draw_dot, Value, "a", np.ones(3)
    loop = [1, 2]
    loop.append(loop)
    y = a * _hidden
    graph = graph_of(y, names=locals())

    assert [node.title for node in graph.nodes] == ["a", "", "*", "y"]
    assert (module, function, kind, text, len(array)) == (np, draw_dot, Value, "a", 3)


def test_a_name_of_its_own_beats_a_name_found():
    """Loop variables would rename it."""
    w = Value(2.0).named("w1")

    assert graph_of(w, names={"p": w}).nodes[0].title == "w1"


def test_a_variable_beats_a_place_in_a_list():
    """And of two variables the first counts."""
    w = Value(2.0)

    assert graph_of(w, names={"all": [w], "w": w, "last": w}).nodes[0].title == "w"


def test_names_fit_their_boxes():
    """In one line, of printable characters, and not too long."""
    title = graph_of(Value(2.0).named("a\n\x00b " + "x" * 100)).nodes[0].title

    assert title.startswith("a b x")
    assert (len(title), title.isprintable()) == (40, True)


# -- draw -----------------------------------------------------------------------------------------


def test_several_values_share_one_picture():
    """And are marked as what was asked for."""
    a = Value(2.0).named("a")
    graph = opgrad.draw(a * 2, [a * 3, {"third": a * 4}]).graph

    assert ([node.title for node in graph.nodes].count("a"), len(graph.outputs)) == (1, 3)


def test_a_value_given_twice_is_drawn_once():
    """In whatever containers."""
    a = Value(2.0)

    assert len(opgrad.draw(a, [a, a]).outputs) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "takes at least one Value"),
        ((2.0,), r"none in float 2\.0; plain data have no graph"),
        ((Value(1.0), [1.0, 2.0]), r"none in list \[1\.0, 2\.0\]"),
    ],
    ids=["nothing", "a float", "floats"],
)
def test_what_holds_no_value_is_refused(given, said):
    """With what to do."""
    with pytest.raises(CallError, match=said):
        opgrad.draw(*given)


def test_an_unknown_layout_is_refused():
    """With those that exist."""
    with pytest.raises(CallError, match=r"no layout 'dot'; it is 'auto', 'graphviz' or 'builtin'"):
        opgrad.draw(Value(1.0), layout="dot")


def test_a_limit_below_one_is_refused():
    """Nothing could be drawn."""
    with pytest.raises(CallError, match="limit=0 leaves no box"):
        opgrad.draw(Value(1.0), limit=0)


def test_names_that_are_no_mapping_are_refused():
    """A list of names cannot tell whose they are."""
    with pytest.raises(CallError, match=r"as locals\(\) does; got list"):
        opgrad.draw(Value(1.0), names=["x"])


def test_drawing_leaves_no_mark(expression):
    """No node is made, no gradient set, nothing recorded."""
    leaves = [n.value for n in graph_of(expression).nodes if n.kind == "leaf"]
    before = next_serial()
    picture = opgrad.draw(expression)
    made = [picture.to_dot(), picture.to_svg(), picture.to_text(), picture._repr_html_()]

    assert next_serial() == before + 1
    assert [v.grad for v in leaves] == [6.0, -4.0, -2.0, 4.0]
    assert all(made)


def test_drawing_makes_no_array_as_large_as_the_data():
    """Not even of zeros, where no gradient came; what it looks for takes a byte an entry."""
    v = Value(np.ones(1_000_000))
    tracemalloc.start()
    opgrad.draw(v * 2.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak - 8_000_000 < 2_000_000  # v * 2.0 itself has 8 MB


@pytest.mark.parametrize("layout", ["builtin", pytest.param("graphviz", marks=needs_dot)])
def test_what_was_drawn_is_freed_with_its_last_name(layout):
    """A picture, its SVG and its page hold no circle that waits for the collector."""
    x = Value(2.0)
    y = x * x + x
    known = weakref.ref(y)
    gc.disable()
    try:
        picture = opgrad.draw(y, names={"x": x}, layout=layout)
        picture.to_svg()
        picture.to_html()
        del picture, y
        freed = known() is None
    finally:
        gc.enable()

    assert freed


def test_a_picture_stays_as_it_was_drawn():
    """Later steps do not change it."""
    w = Value(2.0)
    picture = opgrad.draw(w)
    w.data, w.grad = 3.0, 1.0

    assert "data 2, grad 0" in picture.to_text()


# -- text -----------------------------------------------------------------------------------------


def test_the_tree_tells_what_is_shared_once():
    """And names it after that, also where it has no name of its own."""
    a, b = Value(2.0).named("a"), Value(-3.0).named("b")
    d = a * b
    output = (d * d - a).named("L")
    output.backward()

    assert opgrad.draw(output).to_text().splitlines() == [
        "L = -        data 34, grad 1",
        "├─ a: *      data 36, grad 1",
        "│  └─ ×2: *  data -6, grad -12",
        "│     ├─ a   data 2, grad 35",
        "│     └─ b   data -3, grad -24",
        "└─ b: a      above",
    ]


def test_the_tree_names_a_shared_result_that_has_no_name():
    """By the key of its box."""
    d = Value(2.0).exp()

    assert opgrad.draw(d.sin() * d.cos()).to_text().splitlines() == [
        "*               data 0.4008, grad 0",
        "├─ sin          data 0.8939, grad 0",
        "│  └─ v2 = exp  data 7.389, grad 0",
        "│     └─ leaf   data 2, grad 0",
        "└─ cos          data 0.4484, grad 0",
        "   └─ v2        above",
    ]


def test_the_tree_shows_outputs_of_one_op_and_attributes():
    """The operands stand below the first."""
    values, vectors = ops.linalg.eigh(Value(np.eye(2)).named("A"))
    tree = opgrad.draw(values.named("values"), ops.sum(vectors.named("vectors"), axis=0)).to_text()
    names = [line.partition("  ")[0] for line in tree.splitlines()]

    assert names == [
        "values = eigh[0] (linalg)",
        "└─ A",
        "Σ(axis = 0)",
        "└─ vectors = eigh[1] (linalg)",
    ]
    assert tree.endswith("made with the one above")


def test_print_shows_the_tree(expression):
    """In any terminal."""
    picture = opgrad.draw(expression)

    assert str(picture) == picture.to_text()


def test_rich_shows_the_same_tree(expression):
    """With its own branches."""
    console = pytest.importorskip("rich.console").Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(opgrad.draw(expression))
    plain = opgrad.draw(expression).to_text()
    strip = str.maketrans("", "", "│├└─ \n")

    assert captured.get().translate(strip) == plain.translate(strip)


def test_rich_takes_names_literally():
    """`[bold]` is a name here, not markup."""
    pytest.importorskip("rich")
    tree = to_rich(graph_of(Value(1.0).named("[bold]w")))

    assert tree.children[0].label.plain.startswith("[bold]w")


# -- DOT, SVG, PNG --------------------------------------------------------------------------------

STRANGE = ["<b>&amp;", 'say "hi"', "a|b{c}", "back\\slash\\n", "größe λ₁ 重み", "%s {0}", "]]>"]


def test_dot_has_the_nodes_and_edges_of_the_graph(expression):
    """Each in a line of its own, from left to right."""
    picture = opgrad.draw(expression)
    lines = [line.strip() for line in picture.to_dot().splitlines()]

    assert "rankdir=LR" in lines
    assert [line.split()[0] for line in lines if line.startswith(("v", "o"))] == [
        *[node.key for node in picture.graph.nodes],
        *[edge.tail for edge in picture.graph.edges],
    ]


@needs_dot
@pytest.mark.parametrize("name", STRANGE)
def test_graphviz_reads_every_name_as_it_is(name):
    """Quotes, entities, and the signs of records."""
    import graphviz

    source = opgrad.draw(Value(1.0).named(name) * 2).to_dot()
    svg = graphviz.Source(source).pipe(format="svg").decode()
    read = [text.replace("\xa0", " ") for text in texts(svg)]

    assert name in read


@pytest.mark.parametrize("name", STRANGE)
def test_svg_holds_every_name_as_it_is(name):
    """It is well-formed whatever it shows."""
    assert name in texts(opgrad.draw(Value(1.0).named(name) * 2, layout="builtin").to_svg())


@needs_dot
def test_both_layouts_show_the_same(expression):
    """Only the places differ."""
    by_dot, built_in = (
        sorted(texts(opgrad.draw(expression, layout=layout).to_svg()))
        for layout in ("graphviz", "builtin")
    )

    assert by_dot == built_in


@needs_dot
def test_graphviz_places_every_box_and_line(expression):
    """Within the picture, the operands of an op to its left."""
    layout = binary.place_by_dot(graph_of(expression))
    at = {box.node.key: box.x for box in layout.boxes}

    assert all(0 < box.x < layout.width and 0 < box.y < layout.height for box in layout.boxes)
    assert all(at[line.edge.tail] < at[line.edge.head] for line in layout.lines)
    assert {line.edge for line in layout.lines} == set(graph_of(expression).edges)


def test_the_svg_of_a_file_follows_its_readers_theme(expression):
    """It brings its background, so that its text is readable on it."""
    svg = opgrad.draw(expression).to_svg()

    assert "prefers-color-scheme:dark" in svg


def test_the_svg_of_a_notebook_takes_the_notebooks_colour(expression):
    """And brings no style that could leak into the page."""
    html = opgrad.draw(expression)._repr_html_()

    assert 'fill="currentColor"' in html
    assert "<style" not in html
    assert ET.fromstring(html).find(f"{SVG}svg") is not None  # noqa: S314 -- our own


def test_a_notebook_that_wants_svg_gets_it(expression):
    """`_repr_svg_` is `to_svg`."""
    picture = opgrad.draw(expression)

    assert picture._repr_svg_() == picture.to_svg()


def test_the_pointer_is_told_who_brought_an_op(expression):
    """Distribution and version."""
    assert f"<title>core.multiply (opgrad {opgrad.__version__})</title>" in (
        opgrad.draw(expression).to_svg()
    )


@needs_dot
def test_png_is_painted_by_graphviz(expression):
    """From the DOT text."""
    assert opgrad.draw(expression).to_png().startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize("call", ["to_png", "to_svg"])
def test_without_the_package_graphviz_the_error_names_the_way_out(expression, monkeypatch, call):
    """Where graphviz was asked for."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(ImportError, match=r"pip install 'opgrad\[draw\]'.*layout='builtin'"):
        getattr(opgrad.draw(expression, layout="graphviz"), call)()


def test_without_the_program_dot_the_error_names_the_way_out(expression, monkeypatch):
    """The package alone does not paint."""
    pytest.importorskip("graphviz")
    monkeypatch.setattr("shutil.which", lambda _: None)

    with pytest.raises(FileNotFoundError, match="program dot is not on the path; install graphviz"):
        opgrad.draw(expression).to_png()


def test_without_graphviz_the_built_in_layout_draws(expression, monkeypatch):
    """By itself."""
    monkeypatch.setattr("shutil.which", lambda _: None)

    assert opgrad.draw(expression).to_svg() == opgrad.draw(expression, layout="builtin").to_svg()


@pytest.mark.parametrize(
    ("suffix", "start"),
    [
        (".svg", b"<svg"),
        (".dot", b"digraph"),
        (".gv", b"digraph"),
        (".txt", b"L = *"),
        (".html", b"<!doctype html>"),
        (".SVG", b"<svg"),
        pytest.param(".png", b"\x89PNG", marks=needs_dot),
    ],
)
def test_save_writes_what_the_name_ends_in(expression, tmp_path, suffix, start):
    """And returns where it is."""
    path = opgrad.draw(expression).save(tmp_path / f"graph{suffix}")

    assert path.read_bytes().startswith(start)


def test_save_refuses_other_names(expression, tmp_path):
    """With those it takes."""
    with pytest.raises(ValueError, match=r"no picture is written as 'a\.bmp'.*\.svg, \.png"):
        opgrad.draw(expression).save(tmp_path / "a.bmp")

    assert list(tmp_path.iterdir()) == []


def test_repr_counts(expression):
    """In one line: a notebook shows the picture itself."""
    assert repr(opgrad.draw(expression)) == "<picture of 7 Values and 3 ops>"


def test_floats_are_drawn_with_nothing_installed():
    """Neither NumPy nor graphviz nor rich, and nothing of it with `import opgrad`."""
    program = """
import sys
for name in ("numpy", "scipy", "graphviz", "rich", "click", "matplotlib"):
    sys.modules[name] = None
import opgrad
assert "opgrad.drawing" not in sys.modules
a = opgrad.Value(2.0)
y = (a * 3 + a).tanh()
y.backward()
picture = opgrad.draw(y, names=locals())
made = [picture.to_dot(), picture.to_svg(), picture.to_text(), picture._repr_html_()]
print(all("tanh" in text for text in made))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("True\n", "")
