"""Every example runs in a process of its own and prints the answer that is known beforehand."""

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


def run(name):
    """Return what an example prints, by the first word of each line."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / name],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "error"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [line for line in done.stdout.splitlines() if line]


def numbers(text):
    """Return the numbers in a text."""
    return [float(found) for found in NUMBER.findall(text)]


def test_parabola_is_walked_down_to_two_thirds():
    """From -2, where the slope is -16, to the minimum at 2/3."""
    start, end, expected = run("minimise_parabola.py")

    assert numbers(start) == [-2.0, 25.0, -16.0]
    assert numbers(end) == numbers(expected) == [0.666667, 3.666667, 0.0]


def test_every_gradient_of_the_expression_equals_its_finite_difference_and_the_hand():
    """L = (a·b + c)·f: seven names, three ways to the same number."""
    _, *rows = run("expression_by_hand.py")
    printed = {row.split()[0]: [float(cell) for cell in row.split()[1:]] for row in rows}

    assert {name: cells[1:] for name, cells in printed.items()} == {
        "a": [6.0, 6.0, 6.0],
        "b": [-4.0, -4.0, -4.0],
        "c": [-2.0, -2.0, -2.0],
        "f": [4.0, 4.0, 4.0],
        "e": [-2.0, -2.0, -2.0],
        "d": [-2.0, -2.0, -2.0],
        "L": [1.0, 1.0, 1.0],
    }
    assert printed["L"][0] == -8.0


def test_scalar_network_learns_exclusive_or():
    """Each answer is within 0.2 of the truth table."""
    count, loss, *rows = run("scalar_mlp.py")
    answers = [numbers(row)[2:] for row in rows]

    assert numbers(count) == [17.0]
    assert numbers(loss)[-1] < 0.02
    assert [expected for _, expected in answers] == [-1.0, 1.0, 1.0, -1.0]
    assert all(abs(answer - expected) < 0.2 for answer, expected in answers)


def test_op_of_ones_own_has_the_slope_of_the_formula():
    """On floats and on arrays, once and twice differentiated."""
    checked, scalar, array, second = run("own_op.py")
    th = math.tanh(1.0)
    value, slope = round(20 * th, 6), round(1 - th**2, 6)

    assert checked.split() == ["checked", "floats", "and", "arrays"]
    assert numbers(scalar)[1:] == [value, slope]
    assert numbers(array) == [0.0, value, 1.0, slope]
    assert numbers(second)[-1] == pytest.approx(-2 * th * (1 - th**2) / 20, abs=1e-6)
