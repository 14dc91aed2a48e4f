"""The built-in layout: nothing lies over anything else, and lines lead from left to right."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import opgrad
from opgrad import Value, ops
from opgrad.drawing.graph import Graph, Node, graph_of
from opgrad.drawing.layers import in_layers
from opgrad.drawing.layout import place, size_of, text_width


@st.composite
def graphs(draw):
    """A random graph of Values of many widths, with many edges over several layers."""
    calls = [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, _: ops.sum(a, axis=0, keepdims=True),
        lambda a, _: ops.tanh(a),
        lambda a, b: ops.concat([a, b, a])[:2],
    ]
    values = [
        Value(np.full(2, 0.1 * i)).named("w" * draw(st.integers(0, 30)))
        for i in range(draw(st.integers(1, 5)))
    ]
    for _ in range(draw(st.integers(0, 25))):
        call = draw(st.sampled_from(calls))
        values.append(call(draw(st.sampled_from(values[-5:])), draw(st.sampled_from(values))))

    return graph_of(*values[-draw(st.integers(1, 3)) :], limit=None)


def within(box, x, y):
    """Whether a point is inside a box, and not on its frame."""
    return abs(x - box.x) < box.width / 2 - 0.1 and abs(y - box.y) < box.height / 2 - 0.1


def sampled(line):
    """Points along a line, its ends left out."""
    for start in range(0, len(line.points) - 1, 3):
        points = np.array(line.points[start : start + 4])
        for t in np.linspace(0.02, 0.98, 25):
            weights = np.array([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3])
            yield weights @ points


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_no_box_lies_over_another(graph):
    """Nor beyond the edge of the picture."""
    layout = place(graph)
    clear = [
        abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2
        for a, b in itertools.combinations(layout.boxes, 2)
    ]

    assert all(clear)
    assert all(
        box.width / 2 <= box.x <= layout.width - box.width / 2
        and box.height / 2 <= box.y <= layout.height - box.height / 2
        for box in layout.boxes
    )


@settings(max_examples=30, deadline=None)
@given(graphs())
def test_no_line_crosses_a_box(graph):
    """They go around, also over many layers."""
    layout = place(graph)

    assert not any(
        within(box, x, y) for line in layout.lines for x, y in sampled(line) for box in layout.boxes
    )


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_lines_lead_from_the_right_of_the_tail_to_the_left_of_the_head(graph):
    """Always towards the right."""
    layout = place(graph)
    boxes = {box.node.key: box for box in layout.boxes}
    for line in layout.lines:
        tail, head = boxes[line.edge.tail], boxes[line.edge.head]
        xs = [x for x, _ in line.points]

        assert xs == sorted(xs)
        assert line.points[0] == (tail.x + tail.width / 2, tail.y)
        assert xs[-1] == pytest.approx(head.x - head.width / 2)
        assert abs(line.points[-1][1] - head.y) < head.height / 2


@settings(max_examples=20, deadline=None)
@given(graphs())
def test_every_node_and_edge_has_its_place(graph):
    """In the order of the graph."""
    layout = place(graph)

    assert tuple(box.node for box in layout.boxes) == graph.nodes
    assert {line.edge for line in layout.lines} == set(graph.edges)


@settings(max_examples=20, deadline=None)
@given(graphs())
def test_the_same_graph_is_placed_the_same(graph):
    """Pages built from it do not change by themselves."""
    assert place(graph) == place(graph)


@pytest.mark.parametrize(
    "make",
    [
        lambda a, b, c: (a * b + c).tanh(),
        lambda a, b, c: (a - b) * (a + c),
        lambda a, b, c: ops.where(a > 0, b, c) * b,
    ],
    ids=["neuron", "shared", "where"],
)
def test_small_graphs_have_no_crossings(make):
    """As one would draw them by hand."""
    layered = in_layers(graph_of(make(Value(1.0), Value(2.0), Value(3.0))))
    for layer in layered.layers:
        links = [(tail.place, head.place) for tail in layer for head in tail.after]

        assert not any((a - c) * (b - d) < 0 for (a, b), (c, d) in itertools.combinations(links, 2))


def crossings(graph):
    """How many pairs of links cross between two layers."""
    return sum(
        (a.place - c.place) * (b.place - d.place) < 0
        for layer in in_layers(graph).layers
        for (a, b), (c, d) in itertools.combinations([(t, h) for t in layer for h in t.after], 2)
    )


def test_links_that_need_not_cross_do_not():
    """However the results were asked for."""
    middle = [ops.tanh(Value(float(i))) for i in range(12)]
    shuffled = [middle[i] for i in (7, 0, 10, 3, 5, 1, 11, 8, 2, 9, 4, 6)]

    assert crossings(graph_of(*middle, *[ops.sin(v) for v in shuffled])) == 0


def test_a_small_network_has_few_crossings():
    """Two samples through four neurons: the shared weights allow no drawing without."""
    weights = [[Value(0.1 * i + j) for j in range(2)] for i in range(4)]
    last = [Value(float(i)) for i in range(4)]
    total = 0.0
    for xs in ((0.5, 0.2), (0.3, 0.9)):
        h = [ops.tanh(sum(w * x for w, x in zip(row, xs, strict=True))) for row in weights]
        total = sum(v * w for v, w in zip(h, last, strict=True)) + total

    assert crossings(graph_of(total)) <= 15


def test_a_result_lies_next_to_its_op_though_nothing_follows():
    """An output of the first step is not moved to the end of the last."""
    x = Value(1.0)
    first = ops.sin(x).named("first")
    for _ in range(5):
        x = ops.tanh(x)
    at = {box.node.title: box.x for box in place(graph_of(first, x.named("last"))).boxes}

    assert at["sin"] < at["first"] < at["last"] / 2


def test_operands_lie_next_to_their_op():
    """A bias that is added last is not drawn first."""
    y = Value(1.0)
    for _ in range(5):
        y = ops.tanh(y)
    graph = graph_of((y + Value(2.0).named("late")).named("sum"))
    at = {box.node.title: box.x for box in place(graph).boxes}

    assert at["late"] > at["tanh"]


def test_a_leaf_used_everywhere_is_one_line_with_branches():
    """Its ways share their spots, so a hundred uses are no hundred lines."""
    w, x = Value(0.5), Value(1.0)
    for _ in range(100):
        x = x * w
    spots = sum(map(len, in_layers(graph_of(x, limit=None)).layers))

    assert spots < 2 * 301


def test_an_empty_graph_has_a_size():
    """It is a margin."""
    layout = place(Graph((), ()))

    assert (layout.boxes, layout.width > 0, layout.height > 0) == ((), True, True)


def test_boxes_are_as_wide_as_their_text():
    """Characters of the Far East take the room of two."""
    latin, wide = Node("v1", "leaf", "abcd"), Node("v2", "leaf", "重み重み")

    assert text_width("重み") == text_width("abcd")
    assert size_of(wide)[0] > size_of(latin)[0]


def test_labels_stand_over_their_lines():
    """Between the two boxes, and apart from one another."""
    layout = place(graph_of(Value(2.0) - Value(3.0)))
    first, second = (line.label_at for line in layout.lines if line.edge.label)

    assert abs(first[1] - second[1]) >= 10
    assert all(box.node.kind != "op" or first[0] < box.x - box.width / 2 for box in layout.boxes)


def test_a_large_picture_is_placed_without_recursion():
    """Three thousand boxes in a row."""
    x = Value(1.0)
    for _ in range(1500):
        x = x * 0.99
    picture = opgrad.draw(x, limit=None, layout="builtin")

    assert picture.to_svg().count("<rect") == 3001
    assert picture.to_text().count("\n") == 1500
