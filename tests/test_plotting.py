"""Pictures: what is in them is what opgrad computes, and what cannot be drawn says why."""

import functools
import importlib.util
import json
import math
import re
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import opgrad
from opgrad import Value, ops
from opgrad.cli import FINE, USAGE
from opgrad.cli.commands import cli
from opgrad.errors import CallError, OpgradWarning
from opgrad.plotting import decision_boundary, losses, minima
from opgrad.plotting.portraits import portrait

ROOT = Path(__file__).parent.parent
INTACT = """
import sys
import opgrad

opgrad.plotting.minima(abs, -1, 2)
assert not [name for name in sys.modules if name.startswith(("matplotlib", "numpy"))]
opgrad.plot(abs, -1, 2)
assert "matplotlib.figure" in sys.modules
assert "matplotlib.pyplot" not in sys.modules
"""


def load(name):
    """A module of docs/, which is no package."""
    folder = str(ROOT / "docs")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])

    return sys.modules[name]


def parabola(x):
    """3x² - 4x + 5: minimum 11/3 at 2/3, slope 6x - 4."""
    return 3 * x**2 - 4 * x + 5


def pieces(axes):
    """The curves of a panel, as pairs of lists: what is longer than a dot or a zero line."""
    lines = [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()]

    return [(xs, ys) for xs, ys in lines if len(xs) > 2]


def dots(axes):
    """The points that are marked in a panel."""
    return [
        (line.get_xdata()[0], line.get_ydata()[0])
        for line in axes.get_lines()
        if line.get_marker() == "o"
    ]


def labels(axes):
    """The texts in a panel."""
    return [text.get_text() for text in axes.texts]


# -- curves ---------------------------------------------------------------------------------------


def test_each_panel_holds_what_opgrad_computes():
    """The function above, its derivatives below, at every sample."""
    figure = opgrad.plot(parabola, -3, 3, order=2)
    ((xs, heights),), ((_, slopes),), ((_, bends),) = [pieces(axes) for axes in figure.axes]

    assert (xs[0], xs[-1]) == (-3.0, 3.0)
    assert heights == [parabola(x) for x in xs]
    assert slopes == [opgrad.grad(parabola)(x) for x in xs]
    assert bends == [6.0] * len(xs)


def test_panels_are_named_after_the_function():
    """With as many primes as derivatives; a lambda is f."""
    named = opgrad.plot(parabola, 0, 1, order=1)
    anonymous = opgrad.plot(lambda x: x**6, 0, 1, order=4)

    assert [axes.get_title("left") for axes in named.axes] == ["parabola(x)", "parabola′(x)"]
    assert [axes.get_title("left") for axes in anonymous.axes] == [
        "f(x)", "f′(x)", "f″(x)", "f‴(x)", "f⁽⁴⁾(x)",
    ]  # fmt: skip


def test_order_zero_draws_the_function_alone():
    """One panel, minima included."""
    figure = opgrad.plot(parabola, -3, 3, order=0)

    assert len(figure.axes) == 1
    assert len(dots(figure.axes[0])) == 1


def by_branch(x):
    """A Python `if`: arrays could not run this."""
    return x * x if x > 0 else -x


def closed_over(x, w=Value(2.0)):  # noqa: B008 -- a parameter of a model
    """A function of a Value that is not its argument."""
    return w * x


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (by_branch, 4.0),
        (np.sin, math.cos(2.0)),
        (lambda x: (x * 0.5).tanh(), 0.5 * (1 - math.tanh(1.0) ** 2)),
        (lambda x: ops.sum(np.ones(2) * x), 2.0),
        (lambda x: np.dot(np.ones(2), np.ones(2)) * x, 2.0),
        (closed_over, 2.0),
        (opgrad.grad(lambda x: x**3), 12.0),
    ],
    ids=["if", "numpy", "method", "reduction", "array inside", "closure", "gradient"],
)
def test_any_function_of_one_number_is_drawn(f, slope):
    """However it is written: it is called with one number at a time."""
    known = portrait(f, 1.5, 2.5, tangent=2.0)

    assert known.tangent[2] == pytest.approx(slope, rel=1e-15)


def test_slope_is_not_joined_across_a_kink():
    """Two lines, which end at the kink; the dot there is opgrad's derivative, declared or not."""
    for f in (ops.abs, lambda x: abs(x) + 1.0):
        axes = opgrad.plot(f, -2, 1.5).axes[1]
        (left, left_slopes), (right, right_slopes) = pieces(axes)

        assert set(left_slopes) == {-1.0}
        assert set(right_slopes) == {1.0}
        assert max(left) <= 0.0 <= min(right) < 1e-9
        assert (0.0, 0.0) in dots(axes)


def test_function_is_not_joined_across_a_jump():
    """hardshrink leaves zero at ±0.5, and says so."""
    figure = opgrad.plot(ops.activations.hardshrink, -2, 2)

    assert len(pieces(figure.axes[0])) == 3
    assert labels(figure.axes[0]) == ["jump at −0.5", "jump at 0.5"]


def test_kinks_are_found_where_an_attribute_moves_them():
    """Declared kinks are those of the defaults; here the slope gives them away."""
    softshrink = functools.partial(ops.activations.softshrink, lambd=2.0)
    kinks = portrait(softshrink, -5, 5).kinks

    assert [(kink.x, kink.slope, kink.kind) for kink in kinks] == [
        (-2.0, 0.0, "kink"),
        (2.0, 0.0, "kink"),
    ]


@pytest.mark.parametrize("kinks", [(0.0, 1.0), {0.0: 0.25, 1.0: 0.5}], ids=["points", "mapping"])
def test_declared_kinks_are_marked_even_where_nothing_is_seen(kinks):
    """As the op declares them, as points or with the derivative there."""

    @opgrad.elementwise
    def smooth(x):
        """x."""
        return x * 1.0

    @smooth.derivative
    def smooth_derivative(x):
        return 0.0 * x + 1.0

    object.__setattr__(smooth, "kinks", kinks)

    assert [kink.x for kink in portrait(smooth, -2, 2).kinks] == [0.0, 1.0]


def test_steep_is_no_kink():
    """What a smaller step resolves is a slope, however steep."""
    assert portrait(lambda x: ops.tanh(1e6 * x), -1, 1.3).kinks == []


def test_rounding_is_no_kink():
    """sin² + cos² is 1 but for the last digit."""
    known = portrait(lambda x: np.sin(x) ** 2 + np.cos(x) ** 2, -9, 9, order=2)

    assert known.kinks == []
    assert known.minima == []


@pytest.mark.parametrize(
    ("f", "start"), [(ops.log, 0.0), (np.sqrt, 0.0), (ops.asin, -1.0), (lambda x: x**0.5, 0.0)]
)
def test_edge_of_the_domain_leaves_a_gap(f, start):
    """The curve starts at the edge itself; nothing warns, and the slope has the same gap."""
    figure = opgrad.plot(f, -2, 0.9)
    ((xs, _),) = pieces(figure.axes[0])
    ((below, _),) = pieces(figure.axes[1])

    assert xs[0] == pytest.approx(start, abs=1e-9)
    assert below[0] == pytest.approx(start, abs=1e-9)


def test_poles_are_not_crossed():
    """tan goes up to one side and comes from below on the other, and its usual values fill it."""
    axes = opgrad.plot(np.tan, -4, 4).axes[0]
    bottom, top = axes.get_ylim()

    assert len(pieces(axes)) == 3
    assert -30.0 < bottom < 0.0 < top < 30.0


def test_pole_at_an_end_does_not_flatten_the_picture():
    """Next to pi / 2 the tangent is 1e16, and all else would be a straight line."""
    figure = opgrad.plot(ops.tan, -math.pi / 2, math.pi / 2)

    assert all(max(map(abs, axes.get_ylim())) < 1000.0 for axes in figure.axes)


def test_every_sample_is_shown_where_there_is_no_pole():
    """A tall peak is no reason to cut it off."""
    axes = opgrad.plot(lambda x: x**40, -1, 1).axes[0]

    assert axes.get_ylim()[1] > 1.0


# -- minima and tangents --------------------------------------------------------------------------


def test_parabola_has_its_minimum_at_two_thirds():
    """To the last digit; the dot stands there, and the label says so."""
    figure = opgrad.plot(parabola, -3, 3)
    ((x, y),) = minima(parabola, -3, 3)

    assert x == pytest.approx(2 / 3, rel=1e-15)
    assert y == pytest.approx(11 / 3, rel=1e-15)
    assert dots(figure.axes[0]) == [(x, y)]
    assert labels(figure.axes[0]) == ["minimum 3.667 at 0.6667"]
    assert dots(figure.axes[1]) == [(x, 0.0)]


@pytest.mark.parametrize(
    ("f", "lo", "hi", "expected"),
    [
        (np.cos, -7, 14, [-math.pi, math.pi, 3 * math.pi]),
        (lambda x: abs(x - 0.3), -2, 1.7, [0.3]),
        (lambda x: (x - 0.3) ** 4, -2, 2, [0.3]),
        (lambda x: x * ops.log(x), -1, 3, [1 / math.e]),
        (lambda x: -(x**4) + x**2, -1, 1, [0.0]),
        (lambda x: 1e-30 * (x - 1e9) ** 2, 0, 3e9, [1e9]),
    ],
    ids=["several", "kink", "flat", "edge of domain", "between maxima", "scale"],
)
def test_minima_are_where_the_hand_finds_them(f, lo, hi, expected):
    """Each once, from left to right."""
    found = [x for x, _ in minima(f, lo, hi)]

    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("f", "lo", "hi"),
    [
        (lambda x: x, -1, 1),
        (parabola, 1, 3),
        (ops.relu, -2, 3),
        (lambda x: x**3, -1, 1),
        (lambda x: x - ops.floor(x), -2.5, 2.5),
        (lambda x: -1.0 / x**2, -1, 1.3),
        (lambda x: -(x**2), -1, 1),
        (ops.sigmoid, -50, 50),
    ],
    ids=["line", "outside", "flat", "inflection", "jumps", "pole", "maximum", "saturated"],
)
def test_what_is_no_minimum_is_not_marked(f, lo, hi):
    """Ends of the interval, flat stretches, jumps and poles."""
    assert minima(f, lo, hi) == []


def test_labels_give_way_where_minima_are_many():
    """Twenty dots, and no text on top of text."""
    axes = opgrad.plot(lambda x: np.sin(20 * x), 0, 2 * math.pi).axes[0]

    assert len(dots(axes)) == 20
    assert labels(axes) == []


def test_tangent_touches_with_opgrads_slope():
    """At 2 the parabola is 9 high and rises by 8."""
    figure = opgrad.plot(parabola, -3, 3, tangent=2.0)
    (start, end), (low, high) = next(
        (line.get_xdata(), line.get_ydata())
        for line in figure.axes[0].get_lines()
        if len(line.get_xdata()) == 2 and line.get_ydata()[0] != line.get_ydata()[1]
    )

    assert (high - low) / (end - start) == pytest.approx(8.0)
    assert low + 8.0 * (2.0 - start) == pytest.approx(9.0)
    assert "slope 8" in labels(figure.axes[0])
    assert (2.0, 8.0) in dots(figure.axes[1])


# -- the figure -----------------------------------------------------------------------------------


def test_figure_shows_itself_in_a_notebook_and_saves_itself(tmp_path):
    """A PNG for a cell, and every format of matplotlib's by its suffix."""
    figure = opgrad.plot(parabola, -3, 3)
    figure.savefig(tmp_path / "parabola.svg")

    assert figure._repr_png_().startswith(b"\x89PNG")
    assert ET.parse(tmp_path / "parabola.svg").getroot().tag.endswith("svg")  # noqa: S314 -- ours


def test_figure_without_a_window_says_how_it_is_seen():
    """Not that pyplot should have made it."""
    with pytest.raises(CallError, match=r"no window; write it with \.savefig"):
        opgrad.plot(parabola, -3, 3).show()


def test_matplotlib_waits_for_the_first_picture():
    """Neither `import opgrad` nor minima imports it, and pyplot with its windows never is."""
    subprocess.run([sys.executable, "-c", INTACT], check=True)


def test_missing_matplotlib_names_the_extra(monkeypatch):
    """And what the pictures are drawn by."""
    monkeypatch.delitem(sys.modules, "opgrad.plotting.figure", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(ImportError, match=r"drawn by matplotlib.*pip install 'opgrad\[plot\]'"):
        opgrad.plot(parabola, -3, 3)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((3.0, 0, 1), {}, r"a function of one number, and 3\.0 is none"),
        ((parabola, 1, 1), {}, "lo=1 is not below hi=1"),
        ((parabola, 2, -2), {}, "lo=2 is not below hi=-2"),
        ((parabola, 0, math.inf), {}, "hi is a finite number, and inf was given"),
        ((parabola, "0", 1), {}, "lo is a finite number, and '0' was given"),
        ((parabola, -1e308, 1e308), {}, r"lo=-1e\+308 and hi=1e\+308 are too far apart"),
        ((ops.log, -3, -1), {}, "log is no finite number at any of the 401 points from -3 to -1"),
        ((parabola, 0, 1), {"order": 9}, "order is the highest derivative to draw, 0 to 8"),
        ((parabola, 0, 1), {"order": -1}, "order is the highest derivative"),
        ((parabola, 0, 1), {"order": True}, "order is the highest derivative"),
        ((parabola, 0, 1), {"tangent": 2}, "tangent=2 lies outside"),
        ((parabola, 0, 1), {"tangent": math.nan}, "tangent is a finite number"),
        ((ops.sqrt, 0, 1), {"tangent": 0}, "no tangent to sqrt at 0: .* 0 there, its slope inf"),
        (
            (ops.reciprocal, -1, 1),
            {"tangent": 0},
            "no tangent to reciprocal at 0: its value is inf",
        ),
        ((lambda x: x * np.ones(3), 0, 1), {}, r"f returned .*\(3,\).*one real number"),
        ((lambda _: None, 0, 1), {}, "f returned .*one real number"),
        ((lambda x: x + 1j, 0, 1), {}, "f returned complex.*one real number"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, options, message):
    """With what was given."""
    with pytest.raises(CallError, match=message):
        opgrad.plot(*arguments, **options)


def test_error_of_the_function_says_where_it_was_evaluated():
    """The traceback alone would not tell at which number."""

    def picky(x):
        if x > 0.5:
            message = "too far"
            raise ValueError(message)
        return x

    with pytest.raises(ValueError, match="too far") as caught:
        opgrad.plot(picky, 0, 1)

    assert re.search(r"evaluated picky at x = 0\.50\d+", caught.value.__notes__[0])


def test_slope_of_data_taken_out_of_a_value_is_not_drawn_in_silence():
    """Zero everywhere, since the argument does not reach the result."""
    with pytest.warns(OpgradWarning, match="does not reach: the slope is zero"):
        opgrad.plot(lambda x: x.data * 2.0, 0, 1)


def test_piece_that_is_constant_warns_of_nothing():
    """Its slope is zero by right."""
    assert portrait(lambda x: x if x > 0 else 0.0, -1, 1.3).kinks[0].slope == 0.0


# -- training -------------------------------------------------------------------------------------

CORNERS, TWO = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 0, 0, 1]


def regions(figure):
    """For each filled area, its colour and what lies in it of the four corners."""
    found = {}
    for area in figure.axes[0].collections:
        if not area.filled:
            continue
        inside = [
            any(path.contains_point(corner) for path in area.get_paths()) for corner in CORNERS
        ]
        found[tuple(area.get_facecolor()[0][:3])] = inside

    return found


def colours(figure):
    """The colour of the points of each class, in the order of the labels."""
    from matplotlib.colors import to_rgb

    return [to_rgb(line.get_color()) for line in figure.axes[0].get_lines()]


def test_loss_curves_hold_the_losses():
    """One a step, counted from one; Values are taken for their data."""
    figure = losses([4.0, Value(2.0), 1.0], unit="epoch")
    ((xs, ys),) = pieces(figure.axes[0])

    assert (xs, ys) == ([1, 2, 3], [4.0, 2.0, 1.0])
    assert figure.axes[0].get_xlabel() == "epoch"


def test_several_loss_curves_differ_in_more_than_colour():
    """By name, and by their dashes for those who see no colours."""
    lines = losses({"training": [1.0, 0.5], "test": [2.0, 1.0]}).axes[0].get_lines()

    assert [line.get_label() for line in lines] == ["training", "test"]
    assert len({line.get_linestyle() for line in lines}) == 2


@pytest.mark.parametrize("history", [[], {}, {"training": []}, 0.5, {"training": 0.5}])
def test_no_loss_is_no_curve(history):
    """There is nothing to draw."""
    with pytest.raises(CallError, match="a loss curve is drawn of one loss a step"):
        losses(history)


def of_rows(rows):
    """A score for each row of an array."""
    return rows @ np.ones(2) - 1.5


def of_a_point(point):
    """A score for one point, which no array of points can be."""
    x, y = point
    return x + y - 1.5 if x > -1e9 else 0.0


@pytest.mark.parametrize(
    "predict",
    [
        of_rows,
        of_a_point,
        lambda rows: of_rows(rows)[:, None],
        lambda rows: np.stack([-of_rows(rows), of_rows(rows)], axis=1),
        lambda rows: (of_rows(rows) > 0).astype(int),
        lambda point: Value(2.0) * (point[0] + point[1] - 1.5),
    ],
    ids=["rows", "one point", "column", "a score a class", "labels", "Value"],
)
def test_classifier_may_be_written_any_way(predict):
    """The area of a class has the colour of its points; the corner alone lies in one of them."""
    figure = decision_boundary(predict, CORNERS, TWO)
    areas = regions(figure)

    assert [areas[colour] for colour in colours(figure)] == [
        [True, True, True, False],
        [False, False, False, True],
    ]


def test_three_classes_are_told_apart_by_the_highest_score():
    """An area for each label."""

    def scores(rows):
        x, y = rows.T
        return np.stack([1.0 - x - y, x, y], axis=1)

    figure = decision_boundary(scores, [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], ["a", "b", "c"])

    assert list(regions(figure).values()) == [
        [True, False, False, False],
        [False, False, True, True],
        [False, True, False, True],
    ]
    assert [line.get_label() for line in figure.axes[0].get_lines()] == ["a", "b", "c"]


def test_classifier_records_no_graph():
    """Thousands of points, none of which wants a gradient."""
    asked = []

    def predict(point):
        x, y = point
        asked.append(Value(1.0) * x - y)
        return asked[-1]

    decision_boundary(predict, CORNERS, TWO)

    assert not any(score.requires_grad for score in asked)


def test_probabilities_are_not_taken_for_scores_in_silence():
    """Their sign tells nothing."""
    with pytest.warns(OpgradWarning, match="return p - 0.5"):
        decision_boundary(lambda rows: 1 / (1 + np.exp(-of_rows(rows))), CORNERS, TWO)


@pytest.mark.parametrize(
    ("points", "given", "predict", "message"),
    [
        ([[0.0, 1.0, 2.0]], [0], of_rows, r"pairs of coordinates.*\(1, 3\)"),
        (CORNERS, [0, 1], of_rows, r"one label a pair.*labels of shape \(2,\)"),
        (CORNERS, [0, 1, 2, 1], of_rows, "of 3 classes.*one score a class is needed"),
    ],
)
def test_what_does_not_fit_is_refused(points, given, predict, message):
    """With the shapes."""
    with pytest.raises(CallError, match=message):
        decision_boundary(predict, points, given)


def test_error_of_a_classifier_tells_how_it_was_called():
    """With rows first, then with one point; both failed."""

    def broken(point):
        return point.missing

    with pytest.raises(AttributeError) as caught:
        decision_boundary(broken, CORNERS, TWO)

    assert "given rows of points, it raised AttributeError" in caught.value.__notes__[0]


# -- the command line -----------------------------------------------------------------------------


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """Run `opgrad plot` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    return lambda *arguments: CliRunner().invoke(cli, ["plot", *arguments])


def test_command_draws_an_installed_op(invoke, tmp_path):
    """Into OP.png, and says what is marked in it."""
    result = invoke("activations.gelu")

    assert (result.exit_code, result.stderr) == (FINE, "")
    assert result.stdout == "minimum -0.169971 at x = -0.751792\nwrote gelu.png\n"
    assert [path.name for path in tmp_path.iterdir()] == ["gelu.png"]


def test_json_says_what_was_written_and_marked(invoke, tmp_path):
    """Kinks around which the picture reaches, and the derivative there."""
    result = invoke("relu6", "--json", "--out", "six.svg")

    assert json.loads(result.stdout) == {
        "op": "activations.relu6",
        "attributes": {},
        "lo": -5.0,
        "hi": 9.0,
        "order": 1,
        "file": "six.svg",
        "minima": [],
        "kinks": [
            {"kind": "kink", "x": 0.0, "derivative": 0.0},
            {"kind": "kink", "x": 6.0, "derivative": 0.0},
        ],
    }
    assert (tmp_path / "six.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_attributes_and_ends_are_given_by_option(invoke):
    """swish with beta 2 has its minimum half as far out as with 1."""
    one, two = (
        json.loads(invoke("swish", "--attribute", f"beta={beta}", "--lo", "-3", "--json").stdout)
        for beta in (1, 2)
    )

    assert two["attributes"] == {"beta": 2}
    assert two["lo"] == -3.0
    assert two["minima"][0]["x"] == pytest.approx(one["minima"][0]["x"] / 2)


def test_word_is_an_attribute_too(invoke):
    """approximate=tanh needs no quotes."""
    result = invoke("gelu", "--attribute", "approximate=tanh", "--json")

    assert json.loads(result.stdout)["attributes"] == {"approximate": "tanh"}


@pytest.mark.parametrize(
    ("name", "interval"),
    [("tanh", (-5, 5)), ("log", (0, 5)), ("asin", (-1, 1)), ("acosh", (1, 6)), ("relu6", (-5, 9))],
)
def test_picture_reaches_over_the_domain_and_every_kink(invoke, name, interval):
    """Unless asked otherwise."""
    facts = json.loads(invoke(name, "--json").stdout)

    assert (facts["lo"], facts["hi"]) == interval


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("matmul",), "is not a differentiable elementwise op of one operand, so it has no curve"),
        (("isnan",), "is not a differentiable elementwise op of one operand"),
        (("add",), "hold the others: opgrad.plot(lambda x: opgrad.ops.add(x, 1.0), -5, 5)"),
        (("prelu",), "opgrad.plot(lambda x: opgrad.ops.activations.prelu(x, 1.0), -5, 5)"),
        (("polygamma",), "has no default for it: give --attribute n=1, or another value"),
        (("log", "--lo", "-3", "--hi", "-1"), "log is no finite number at any of"),
        (("tanh", "--order", "9"), "9 is not in the range 0<=x<=8"),
        (("tanh", "--out", "no/where.png"), "no/where.png cannot be written: No such file"),
        (("geluu",), "no installed plugin provides op 'geluu'"),
        (("gelu", "--out", "gelu.txt"), "gelu.txt is none of the pictures it can write: png"),
        (("gelu", "--lo", "3", "--hi", "2"), "lo=3 is not below hi=2"),
        (("snake", "--attribute", "b=1"), "'b=1' is no NAME=VALUE of an attribute of"),
        (("snake", "--attribute", "a"), "snake(x, *, a=1.0)"),
        (("snake", "--attribute", "a=-1"), "a must be positive, got -1"),
        (("scipy.wofz",), "returned complex"),
    ],
)
def test_what_the_command_cannot_draw_is_a_mistake_in_the_usage(
    invoke, tmp_path, arguments, message
):
    """Exit code 2, the reason, and no file."""
    result = invoke(*arguments)

    assert result.exit_code == USAGE
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_command_without_matplotlib_names_the_extra(invoke, monkeypatch):
    """As from Python."""
    monkeypatch.delitem(sys.modules, "opgrad.plotting.figure", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = invoke("tanh")

    assert result.exit_code == USAGE
    assert "pip install 'opgrad[plot]'" in result.stderr


# -- the docs -------------------------------------------------------------------------------------


def test_gallery_shows_every_activation_of_one_number():
    """Each with its formula, a picture, and its kinks; here two pictures are drawn, not all."""
    gallery, generate = load("gallery"), load("generate")
    shown = gallery.drawn(generate.first_party())
    few = [op for op in shown if op.name in {"gelu", "hardshrink"}]
    page, images = gallery.page(few)

    assert len(shown) > 20
    assert {op.name for op in shown} >= {"gelu", "silu", "leaky_relu", "hardtanh", "snake"}
    assert sorted(images) == ["activations/gelu.svg", "activations/hardshrink.svg"]
    assert "Return x Phi(x)" in page
    assert "At x = 0.5 is a jump; the derivative there is 0." in page
    assert all(f"]({image})" in page for image in images)


def test_pictures_of_the_site_have_colours_for_dark_pages():
    """No colour of the figure is left as it was, and the SVG is well formed."""
    pictures = load("pictures")
    svg = pictures.svg_of(opgrad.plot(parabola, -3, 3, order=2, tangent=2.0))
    style = ET.fromstring(svg.encode())[0]  # noqa: S314 -- ours

    assert "prefers-color-scheme: dark" in style.text
    assert not re.findall(r"#[0-9a-f]{6}\b", svg.partition("</style>")[2])


def test_pictures_of_the_how_to_are_drawn_by_its_blocks():
    """Every link into pictures/ follows a block that ends in a picture."""
    pages = load("pages")
    drawn = pages.run(ROOT / "docs/howto/plot_functions.md").pictures

    assert len(drawn) == 4
    assert all("<svg" in content for content in drawn.values())


def test_example_prints_what_its_picture_marks(tmp_path, capsys):
    """Minimum 11/3 at 2/3, slope 8 at 2."""
    example = runpy.run_path(str(ROOT / "examples/plot_parabola.py"))
    example["main"](tmp_path / "parabola.png")
    minimum, tangent, _ = capsys.readouterr().out.splitlines()

    assert re.findall(r"[\d.]+\d", minimum) == ["0.666667", "3.666667"]
    assert re.findall(r"[\d.]+\d", tangent) == ["2.000000", "8.000000"]
    assert (tmp_path / "parabola.png").read_bytes().startswith(b"\x89PNG")
