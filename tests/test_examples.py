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
        env={
            "PYTHONIOENCODING": "utf-8",
            "PYTHONWARNINGS": "error",
            "OPENBLAS_NUM_THREADS": "1",  # small matrices: threads that wait cost seconds
            "OMP_NUM_THREADS": "1",
        },
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


def test_rosenbrock_is_minimised_at_ones():
    """By three methods of SciPy's; the derivatives are those that SciPy has by hand."""
    pytest.importorskip("scipy")
    gradient, hessian, *rows = run("rosenbrock.py")

    assert numbers(gradient) == numbers(hessian) == [0.0]
    assert [row.split()[0] for row in rows] == ["BFGS", "Newton-CG", "trust-exact"]
    for row in rows:
        height, expected, off = numbers(row.partition("f =")[2])
        assert height == expected == 0.0
        assert off < 0.002


def test_gaussian_process_finds_the_optimum_of_scikit_learn():
    """Likelihood to five digits, hyperparameters to three."""
    pytest.importorskip("sklearn")
    ours, theirs = (numbers(row) for row in run("gaussian_process.py"))

    assert ours[0] == pytest.approx(theirs[0], abs=2e-5)
    assert ours == pytest.approx(theirs, rel=1e-3)
    assert ours[0] == pytest.approx(-157.4758, abs=1e-3)


def test_logistic_regression_equals_that_of_scikit_learn():
    """Ten coefficients and the intercept, to six digits."""
    pytest.importorskip("sklearn")
    loss, *rows = run("logistic_regression.py")
    pairs = [numbers(row)[-2:] for row in rows]

    assert numbers(loss) == [81.640725]
    assert len(pairs) == 11
    assert [ours for ours, _ in pairs] == pytest.approx([peer for _, peer in pairs], abs=2e-6)


def test_parameters_of_the_differential_equation_are_found_again():
    """All four, to six digits, through forty-five steps of RK4."""
    pytest.importorskip("scipy")
    slope, misfit, *rows = run("ode_fit.py")
    ours, difference = numbers(slope)

    assert ours == pytest.approx(difference, rel=1e-5)
    assert numbers(misfit)[0] > 50.0
    assert numbers(misfit)[1] == 0.0
    assert [numbers(row) for row in rows] == [[1.1, 1.1], [0.4, 0.4], [0.1, 0.1], [0.4, 0.4]]


def test_gradient_chooses_the_ridge_penalty_of_the_grid():
    """Within the grid's step, in at most twenty evaluations instead of a thousand."""
    pytest.importorskip("sklearn")
    found, grid, slope = (numbers(row) for row in run("ridge_hyperparameter.py"))

    assert found[0] == pytest.approx(grid[0], abs=0.01)
    assert found[1] <= grid[1]
    assert found[2] <= 20 < grid[2]
    assert slope[1] == pytest.approx(slope[2], abs=2e-3)
