"""Large graphs: what repeats is drawn once, nothing is lost, and the picture says so."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import opgrad
from opgrad import Value, ops
from opgrad.drawing.folding import _circles, pattern_of
from opgrad.drawing.graph import LIMIT, graph_of
from opgrad.drawing.walking import made_of


def folds(graph):
    """The titles of the folds, operands before results."""
    return [node.title for node in graph.nodes if node.kind == "fold"]


def loop(steps, step):
    """A Value after so many steps, from 1."""
    x = Value(1.0)
    for _ in range(steps):
        x = step(x)

    return x


def network(sizes, samples):
    """The summed loss of a network of scalars, and its weights and biases by layer."""
    generator = random.Random(0)
    weights = [
        [[Value(generator.uniform(-1, 1)) for _ in range(a)] for _ in range(b)]
        for a, b in itertools.pairwise(sizes)
    ]
    biases = [[Value(0.0) for _ in layer] for layer in weights]
    loss = 0.0
    for _ in range(samples):
        h = [generator.random() for _ in range(sizes[0])]
        for rows, offsets in zip(weights, biases, strict=True):
            h = [
                sum((w * x for w, x in zip(row, h, strict=True)), b).tanh()
                for row, b in zip(rows, offsets, strict=True)
            ]
        loss = (h[0] - 0.5) ** 2 + loss

    return loss, weights, biases


# -- the limit ------------------------------------------------------------------------------------


def test_a_graph_of_as_many_boxes_as_the_limit_is_drawn_whole():
    """Nothing is folded, and there is nothing to say."""
    y = loop(3, ops.tanh)  # seven boxes
    graph = graph_of(y, limit=7)

    assert (len(graph.nodes), folds(graph), graph.notes) == (7, [], ())


def test_one_box_more_is_folded_and_the_picture_says_what():
    """In the notes, which every kind of picture shows."""
    picture = opgrad.draw(loop(4, ops.tanh), limit=7)
    said = "3 of 5 Values share 1 box, as limit=7; limit=None draws all"

    assert picture.graph.notes == (said, "folded: ×3 tanh")
    assert all(said in t for t in (picture.to_text(), picture.to_svg(), picture.to_dot()))


def test_without_a_limit_every_box_is_drawn():
    """As many as there are."""
    assert len(graph_of(loop(300, ops.tanh), limit=None).nodes) == 601


def test_the_notes_name_the_largest_folds_and_count_the_others():
    """A list of all would be as long as the picture is wide."""
    loss, *_ = network([2, 8, 8, 8, 1], 3)

    assert "; and " in graph_of(loss).notes[1]


# -- what is folded -------------------------------------------------------------------------------


def test_a_loop_is_one_box():
    """Its steps are named once, with how often; what goes in and comes out stays apart."""
    b, c = Value(0.9).named("b"), Value(0.1).named("c")
    graph = graph_of(loop(3333, lambda x: (x * b + c).tanh()))
    (fold,) = [node for node in graph.nodes if node.kind == "fold"]
    into = {node.title for node in graph.nodes for e in graph.edges
            if (e.tail, e.head) == (node.key, fold.key)}  # fmt: skip

    assert fold.title == "×3,332 tanh, *, +"
    assert {"b", "c"} <= into
    assert len(graph.nodes) < 20


def test_a_sum_of_many_is_one_box_whatever_its_length():
    """Each addition has another depth, and all are the same."""
    xs = [Value(float(i)) for i in range(5000)]
    graph = graph_of(sum(xs), names={"x": xs})

    assert folds(graph) == ["×4,999 x[…]", "×4,999 +"]


def test_layers_of_a_network_stay_apart():
    """Products of the first layer are not those of the second, nor are their weights."""
    loss, w, b = network([2, 16, 4, 1], 20)
    graph = graph_of(loss, names={"w": w, "b": b})
    expected = {
        "×32 w[0][…][…]", "×64 w[1][…][…]", "×4 w[2][0][…]", "×16 b[0][…]", "×4 b[1][…]",
        "×640 *", "×640 +", "×320 tanh", "×1,280 *", "×1,280 +", "×80 tanh", "×80 *", "×80 +",
    }  # fmt: skip

    assert expected <= set(folds(graph))
    assert len(graph.nodes) < 40


def test_two_loops_stay_apart():
    """What differs between them tells them apart, though both multiply and add."""
    b, c = Value(0.9), Value(0.1)
    x = loop(500, lambda x: ops.sin(x * b))
    for _ in range(400):
        x = ops.tanh(x + c)

    assert folds(graph_of(x)) == ["×499 *, sin", "×398 +, tanh"]


def test_steps_with_arrays_of_other_shapes_stay_apart():
    """A shape is part of what a step is."""
    total = 0.0
    for n in (2, 3):
        v = Value(np.ones(n))
        for _ in range(100):
            total = ops.sum(ops.exp(v)) + total
    graph = graph_of(total)

    assert folds(graph).count("×100 exp") == 2


def test_attributes_do_not_keep_steps_apart():
    """Entries taken from an array differ in nothing but the index."""
    v = Value(np.arange(300.0))

    assert folds(graph_of(sum(list(v)))) == ["×300 []", "×299 +"]


def test_counts_that_differ_are_told_one_by_one():
    """No number of repeats is made up."""
    y = Value(0.5)
    for i in range(900):
        y = (ops.sin, ops.sin, ops.tanh, ops.exp)[i % 4](y) * 0.9
    (fold,) = [node for node in graph_of(y, limit=20).nodes if node.kind == "fold"]
    total = int(fold.title.split()[0].replace(",", ""))
    counted = [int(part.split(" × ")[0]) for part in fold.lines if " × " in part]

    assert sum(counted) == total


def test_an_output_keeps_a_box_of_its_own():
    """With its data and gradient."""
    y = loop(500, lambda x: x * 0.99)
    y.backward()
    node = graph_of(y).nodes[-1]

    assert (node.kind, node.lines[1]) == ("value", "grad 1")


def test_a_result_with_a_name_keeps_a_box_of_its_own():
    """Somebody wants to see it."""
    x = loop(300, ops.tanh).named("middle")
    for _ in range(300):
        x = ops.sin(x)

    assert "middle" in [node.title for node in graph_of(x).nodes if node.kind == "value"]


def test_folds_show_the_range_of_data_and_gradients():
    """Gradients that vanish or explode can be seen."""
    y = loop(300, lambda x: x * 0.5)
    y.backward()
    (fold,) = [node for node in graph_of(y).nodes if node.kind == "fold"]

    assert fold.lines == ("data 9.818e-91 … 0.5", "grad 9.818e-91 … 0.5")


def test_folds_of_arrays_show_what_they_share():
    """Dtype and shape."""
    y = loop(1, lambda _: Value(np.ones((2, 3))))
    for _ in range(300):
        y = ops.tanh(y)
    (fold,) = [node for node in graph_of(y).nodes if node.kind == "fold"]

    assert fold.lines == ("each float64 2×3",)


def test_not_a_number_in_a_fold_is_told():
    """Where in it, a lower limit or `opgrad.debug()` finds."""
    y = loop(300, lambda x: ops.sqrt(x - 1.0))
    (fold,) = [node for node in graph_of(y).nodes if node.kind == "fold"]

    assert "data with NaN" in fold.lines


def test_folds_name_the_plugins_of_their_ops():
    """Each once."""
    pytest.importorskip("opgrad_activations")
    y = loop(300, lambda x: ops.activations.silu(x) * 2)
    (fold,) = [node for node in graph_of(y).nodes if node.kind == "fold"]

    assert set(fold.provider.split(", ")) == {"core", "activations"}


def test_many_outputs_are_folded_too():
    """A batch of losses, for one."""
    w = Value(2.0).named("w")
    graph = graph_of(*[w * 3.0 for _ in range(500)])

    assert folds(graph) == ["×500 *"]


def test_outputs_of_several_outputs_are_folded():
    """Their ops as well as what is taken from them."""
    total = 0.0
    for _ in range(100):
        values, vectors = ops.linalg.eigh(Value(np.eye(2)))
        total = values.sum() + vectors.sum() + total
    graph = graph_of(total)

    assert sum(node.count for node in graph.nodes if node.kind != "op") >= len(made_of([total]))
    assert "×100 eigh" in folds(graph)


def test_names_without_their_numbers_are_a_kind():
    """What entries of one container have in common."""
    assert pattern_of("model.layers[0].w[12]") == "model.layers[…].w[…]"


# -- laws -----------------------------------------------------------------------------------------


@st.composite
def graphs(draw, steps=150):
    """A random graph, with its outputs: any op on any earlier Values."""
    calls = [
        lambda a, b: a + b,
        lambda a, b: a * b,
        lambda a, b: a - b,
        lambda a, _: ops.tanh(a),
        lambda a, _: a * 2.0,
    ]
    values = [Value(float(i)) for i in range(draw(st.integers(1, 4)))]
    for _ in range(draw(st.integers(0, steps))):
        call = draw(st.sampled_from(calls))
        values.append(call(draw(st.sampled_from(values[-9:])), draw(st.sampled_from(values))))

    return values[-draw(st.integers(1, 3)) :]


@settings(max_examples=60, deadline=None)
@given(graphs(), st.integers(1, 120))
def test_every_value_is_in_exactly_one_box(outputs, limit):
    """Folded or not; and every operand leads from its box to that of the result."""
    graph = graph_of(*outputs, limit=limit)
    box = {}
    for node in graph.nodes:
        for value in node.members or ([node.value] if node.kind != "op" else []):
            assert id(value) not in box
            box[id(value)] = node.key
    linked = {(edge.tail, edge.head) for edge in graph.edges}
    linked |= {(tail, head.replace("o", "v")) for tail, head in linked}

    assert box.keys() == {id(value) for value in made_of(outputs)}
    assert all(
        box[id(operand)] == box[id(value)] or (box[id(operand)], box[id(value)]) in linked
        for value in made_of(outputs)
        for operand in value.operands
        if type(operand) is Value
    )


@settings(max_examples=60, deadline=None)
@given(graphs(), st.integers(1, 120))
def test_a_folded_graph_has_no_circles(outputs, limit):
    """Tails come before heads, so any layout works."""
    graph = graph_of(*outputs, limit=limit)
    place = {node.key: n for n, node in enumerate(graph.nodes)}

    assert len(place) == len(graph.nodes)
    assert all(place[edge.tail] < place[edge.head] for edge in graph.edges)


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_a_folded_picture_keeps_to_its_limit(outputs):
    """Where there are few ops and names."""
    assert len(graph_of(*outputs, limit=30).nodes) <= 30


@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=25))
def test_a_circle_is_what_can_be_reached_and_reaches_back(links):
    """Whatever the ways."""
    reached = {(n, n) for link in links for n in link} | set(links)
    for via, start, end in itertools.product(range(8), repeat=3):
        if {(start, via), (via, end)} <= reached:
            reached.add((start, end))
    circle = _circles(links)

    assert all(
        (circle[a] == circle[b]) == ({(a, b), (b, a)} <= reached)
        for a, b in itertools.product(circle, repeat=2)
    )


# -- size -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [
    lambda: loop(5000, lambda x: x * 0.999 + 0.001),
    lambda: loop(5000, lambda x: ops.tanh(x) * x),
    lambda: network([4, 16, 8, 1], 40)[0],
    lambda: sum([Value(1.0) * i for i in range(5000)]),
], ids=["loop", "squares", "network", "sum"])  # fmt: skip
def test_ten_thousand_nodes_give_a_small_picture(make):
    """Small enough to read, complete, and the same in every kind of picture."""
    y = make()
    picture = opgrad.draw(y, layout="builtin")
    values = made_of([y])
    held = sum(len(node.members) or node.kind != "op" for node in picture.graph.nodes)

    assert len(values) >= 10_000
    assert held == len(values)
    assert len(picture.graph.nodes) <= LIMIT // 4
    assert picture.to_svg().count("<rect") >= len(picture.graph.nodes)


def test_a_hundred_thousand_nodes_in_a_row_are_walked_without_recursion():
    """And the picture is that of a tenth of it, but for the number."""
    titles = [
        [title.replace(f"{steps - 2:,}", "n") for title in folds(graph_of(y))]
        for steps in (5_000, 50_000)
        for y in [loop(steps, lambda x: ops.tanh(x) * 0.5)]
    ]

    assert titles[0] == titles[1] == ["×n tanh, *"]
