# ruff: noqa: D103 -- the names of wrong rules say what is wrong of them
"""The conformance suite, tested itself: what each check is for, and that it finds it.

Every op below is right, and passes every check. Each wrong one is a right one with a single thing
changed, and is found by the check that is meant for it.
"""

import itertools
import math
import subprocess
import sys
import textwrap
import time

import attrs
import numpy as np
import pytest

import opgrad
from opgrad import namespaces, ops
from opgrad.errors import CallError, MissingRuleError, UnknownOpError
from opgrad.testing import CHECKS, TIERS, check_op, ops_named, reproduce
from opgrad.testing.checks.compare import hold
from opgrad.testing.outcomes import EXPECTED, FAILED, PASSED, SKIPPED
from opgrad.testing.strict import EXTRAS

MATRIX = opgrad.uniform((2, 3))
SQUARE = opgrad.uniform((3, 3), seed=1)


# -- ops that are right ---------------------------------------------------------------------------


@opgrad.elementwise(samples=(opgrad.sample(0.5), opgrad.sample(MATRIX), opgrad.sample(0.5, k=2.0)))
def bump(xp, x, *, k=1.0):
    """x e^(-k x²)."""
    return x * xp.exp(-k * x * x)


@bump.derivative
def bump_derivative(xp, x, *, k):
    """(1 - 2 k x²) e^(-k x²)."""
    return (1.0 - 2.0 * k * x * x) * xp.exp(-k * x * x)


@opgrad.elementwise(kinks={0.0: 0.0}, samples=(opgrad.sample(0.5), opgrad.sample([-1.0, 0.0, 2.0])))
def ramp(xp, x):
    """max(x, 0)."""
    return xp.where(x > 0.0, 1.0 * x, 0.0)


@ramp.derivative
def ramp_derivative(xp, x):
    """1 above 0, else 0."""
    return xp.where(x > 0.0, xp.ones_like(x), 0.0)


@opgrad.elementwise(samples=(opgrad.sample(1.0, 2.0), opgrad.sample(MATRIX, [0.5, -1.0, 0.25])))
def larger(xp, a, b):
    """The larger of two."""
    return xp.maximum(a, b)


@larger.derivative("a")
def larger_derivative_a(xp, a, b):
    """1 where a is larger, half at a tie."""
    return xp.where(a > b, xp.ones_like(a + b), xp.where(a == b, 0.5, 0.0 * (a + b)))


@larger.derivative("b")
def larger_derivative_b(xp, a, b):
    """1 where b is larger, half at a tie."""
    return xp.where(b > a, xp.ones_like(a + b), xp.where(a == b, 0.5, 0.0 * (a + b)))


@opgrad.elementwise(domain=(0.0, math.inf), samples=(opgrad.sample(0.5), opgrad.sample([1.0, 2.5])))
def entropy(xp, x):
    """x log x, and 0 at 0."""
    return xp.xlogy(x, x)


@entropy.derivative
def entropy_derivative(xp, x):
    """1 + log x; -inf at 0."""
    return 1.0 + xp.log(x)


@opgrad.op(samples=(opgrad.sample([1.0, 2.0, 4.0]), opgrad.sample(MATRIX)))
def centred(xp, x):
    """x less its mean."""
    return x - xp.mean(x)


@centred.backward
def centred_backward(xp, g):
    """g less its mean."""
    return g - xp.mean(g)


@centred.jvp
def centred_jvp(xp, t):
    """t less its mean."""
    return t - xp.mean(t)


@opgrad.op(
    linear=True,
    broadcasts=True,
    samples=(opgrad.sample(SQUARE, SQUARE), opgrad.sample(opgrad.uniform((2, 3, 3)), SQUARE)),
)
def product(xp, a, b):
    """a @ b, of matrices."""
    return xp.matmul(a, b)


@product.backward("a")
def product_backward_a(xp, g, b):
    """g bᵀ."""
    return xp.matmul(g, xp.matrix_transpose(b))


@product.backward("b")
def product_backward_b(xp, g, a):
    """aᵀ g; the engine sums over a batch."""
    return xp.matmul(xp.matrix_transpose(a), g)


@opgrad.op(samples=(opgrad.sample(MATRIX, [1.0, -2.0, 0.5]),))
def shifted(xp, x, b):
    """Every row of x, plus b."""
    return x + b


@shifted.backward("x")
def shifted_backward_x(g):
    """g."""
    return g


@shifted.backward("b")
def shifted_backward_b(xp, g):
    """g, summed over the rows."""
    return xp.sum(g, axis=0)


@opgrad.op(linear=True, nondiff=("mask",), samples=(opgrad.sample([1.0, 2.0], [True, False]),))
def kept(xp, x, mask):
    """x where the mask is true, else 0."""
    return xp.where(mask, x, 0.0)


@kept.backward("x")
def kept_backward(xp, g, mask):
    """g there."""
    return xp.where(mask, g, 0.0)


@opgrad.composite(elementwise=True, samples=(opgrad.sample(0.5), opgrad.sample([-1.0, 2.0])))
def gate(xp, x):
    """x sigmoid(x)."""
    return x * xp.sigmoid(x)


@gate.derivative
def gate_derivative(xp, x, y):
    """y + sigmoid(x) (1 - y)."""
    return y + xp.sigmoid(x) * (1.0 - y)


@opgrad.op(outputs=2, samples=(opgrad.sample([1.0, -2.0, 0.5]),))
def both(xp, x):
    """The sine and the cosine."""
    return xp.sin(x), xp.cos(x)


@both.backward
def both_backward(xp, g, y):
    """g₀ cos x - g₁ sin x."""
    return g[0] * y[1] - g[1] * y[0]


@opgrad.op(nondiff=True, samples=(opgrad.sample([1.0, -2.0, 0.5]),))
def signs(x):
    """Which entries are above 0."""
    return x > 0.0


@opgrad.elementwise(domain=(1.0, 3.0))
def unsampled(xp, x):
    """log(x - 1), with a domain and no samples."""
    return xp.log(x - 1.0)


@unsampled.derivative
def unsampled_derivative(xp, x):
    """1 / (x - 1)."""
    return xp.divide(1.0, x - 1.0)


@opgrad.elementwise(nondiff="sharpness", samples=(opgrad.sample([0.5, 2.0], 3.0),))
def rounded(xp, x, sharpness):
    """x, whatever the sharpness; its sign counts."""
    return x * xp.sign(sharpness)


@rounded.derivative("x")
def rounded_derivative(xp, sharpness):
    """Its sign."""
    return xp.sign(sharpness)


@opgrad.elementwise(samples=(opgrad.sample(0.5), opgrad.sample([1.0, -2.5])))
def same(x):
    """x."""
    return 1.0 * x


@same.derivative
def same_derivative(xp, x):
    """1."""
    return xp.ones_like(x)


@opgrad.op(saves=True, samples=(opgrad.sample([1.0, -2.5]),))
def kept_power(xp, x):
    """x³, which keeps x²."""
    square = x * x
    return x * square, square


@kept_power.backward
def kept_power_backward(g, saved):
    """3 x² g."""
    return 3.0 * g * saved


@opgrad.op(linear="jointly", samples=(opgrad.sample([1.0, 2.0], [3.0, 4.0], [0.5, 6.0]),))
def total(*xs):
    """The sum of all operands."""
    y = xs[0]
    for x in xs[1:]:
        y = y + x
    return y


@total.backward
def total_backward(g, xs):
    """g for each."""
    return (g,) * len(xs)


@total.arguments
def total_arguments(*xs):
    """One by one, or in a list."""
    return (tuple(xs[0]) if isinstance(xs[0], list) else xs), {}


@opgrad.elementwise(
    samples=(opgrad.sample(2.0), opgrad.sample(2.0, 3.0), opgrad.sample([1.0, 2.0], [0.5, -1.0])),
)
def times(x, by=None):
    """x, or x times another."""
    return 1.0 * x if by is None else x * by


@times.derivative("x")
def times_derivative_x(xp, x, by):
    """The other, if there is one."""
    return xp.ones_like(x) if by is None else by


@times.derivative("by")
def times_derivative_by(x):
    """x."""
    return x


RIGHT = [
    bump, ramp, larger, entropy, centred, product, shifted, kept, gate, both, signs, unsampled,
    rounded, same, kept_power, total, times,
]  # fmt: skip


@pytest.mark.parametrize("op", RIGHT, ids=lambda op: op.name)
def test_a_right_op_passes_every_check(op):
    """In the fullest tier, and at least one of them tells of its derivative if it has one."""
    report = check_op(op, tier="full")

    assert [it.reason for it in report.outcomes if it.status == FAILED] == []
    assert report.vacuous == ""
    assert (report.gradient_checks > 0) == op.differentiable


# -- ops that are wrong ---------------------------------------------------------------------------


def changed(right, rules=None, **declared):
    """A right op with another forward, other declarations or other rules."""
    op = attrs.evolve(right, **declared)
    op.rules.update({**right.rules, **(rules or {})})

    return op


def negative(xp, x, *, k):
    return -bump_derivative(xp, x, k=k)


def without_a_term(xp, x, *, k):
    return xp.exp(-k * x * x)


def not_summed(g):
    return g


def in_double(xp, x, *, k):
    d = bump_derivative(xp, x, k=k)
    return xp.astype(d, ops.float64) if getattr(d, "dtype", None) == ops.float32 else d


def with_g_twice(xp, g):
    return g * g - xp.mean(g * g)


def by_size_of_g(xp, g):
    return xp.abs(g) - xp.mean(xp.abs(g))


def offset(xp, g):
    return g - xp.mean(g) + 1e-3


def into_g(xp, g):
    g -= xp.mean(g)
    return g


def into_t(xp, t):
    t -= xp.mean(t)
    return t


def into_x(xp, x):
    y = x - xp.mean(x)
    x *= 1.0 + 1e-9
    return y


def into_y(xp, g, y):
    y += 0.5
    return g - xp.mean(g)


def counted_twice_a(xp, a, b):
    return xp.where(a >= b, xp.ones_like(a + b), 0.0 * (a + b))


def counted_twice_b(xp, a, b):
    return xp.where(b >= a, xp.ones_like(a + b), 0.0 * (a + b))


def not_between(xp, x):
    return xp.where(x > 0.0, xp.ones_like(x), xp.where(x == 0.0, 2.0, 0.0 * x))


def nan_at_the_edge(xp, x, y):
    return 1.0 + xp.divide(y, x)


def half_a_tangent(xp, t):
    return 0.5 * (t - xp.mean(t))


def overflowing(xp, x):
    return xp.log(1.0 + xp.exp(x))


def overflowing_derivative(xp, x):
    return xp.divide(xp.exp(x), 1.0 + xp.exp(x))


NOISE = itertools.count(1)


def noisy(xp, x, *, k=1.0):
    return x * xp.exp(-k * x * x) + 1e-15 * next(NOISE)


def by_numpy(x, *, k=1.0):
    return x * np.exp(-k * x * x) if hasattr(x, "dtype") else x * math.exp(-k * x * x)


def by_numpy_name(xp, x, *, k=1.0):
    return x * xp.exp(-k * xp.absolute(x) ** 2) if hasattr(x, "dtype") else by_numpy(x, k=k)


def rule_by_numpy(x):
    return np.ones_like(x) if hasattr(x, "dtype") and not isinstance(x, opgrad.Value) else 1.0


def itself(x):
    return x


def refusing():
    message = "there is no function for it"
    raise MissingRuleError(message)


BUFFER = np.empty((2, 3))


def in_a_buffer(xp, x):
    if x.shape != BUFFER.shape:
        return x - xp.mean(x)
    BUFFER[...] = x - xp.mean(x)
    return BUFFER


def with_one_lost(xp, x, *, k):
    return (1.0 - 2.0 * k * opgrad.stop_gradient(x) * x) * xp.exp(-k * x * x)


SHARED = {}


def by_a_global(xp, x, *, k=1.0):
    SHARED["x"] = x
    time.sleep(0)
    return SHARED["x"] * xp.exp(-k * SHARED["x"] * SHARED["x"])


def other_for_floats(xp, x, *, k=1.0):
    y = x * xp.exp(-k * x * x)
    return y if hasattr(x, "dtype") else y + 1e-9


def always_wide(xp, x, *, k=1.0):
    y = x * xp.exp(-k * x * x)
    return xp.astype(y, xp.float64) if hasattr(x, "dtype") else y


def by_memory(xp, x):
    return x - xp.mean(x) * (1.0 if x.flags.c_contiguous else 1.001)


def mean_over_a_batch(xp, g, a):
    d = xp.matmul(xp.matrix_transpose(a), g)
    return xp.mean(d, axis=0) if d.ndim == 3 else d


def moves_smoothly(x, sharpness):
    return x * sharpness


def moves_smoothly_derivative(sharpness):
    return sharpness


def near_enough(xp, x, y):
    return (1.0 + 1e-9) * (y + xp.sigmoid(x) * (1.0 - y))


def beyond_five(xp, x):
    return xp.where(x > 5.0, 2.0 * xp.ones_like(x), xp.ones_like(x))


def conjugated(xp, g, b):
    return xp.matmul(g, xp.conj(xp.matrix_transpose(b)))


def by_one_number(g):
    return g * (1.0 if any(getattr(g, "strides", (8,))) else 1.001)


def cut_to_whole(xp, x):
    return x + xp.full_like(x, 0.5) - 0.5


def complex_for_real(g):
    return (1.0 + 1.0j) * g


def nothing_at_all():
    return None


def whole_numbers(xp, g):
    return xp.astype(xp.sign(g), xp.int64)


def of_another_shape(xp, g):
    return xp.sum(g)


def wants_a_pair(g):
    return (g, g)


SLOPE, BACK, PUSH = ("derivative", "x"), ("backward", "x"), ("jvp", "x")
TIES = {("derivative", "a"): counted_twice_a, ("derivative", "b"): counted_twice_b}
SMOOTH = {"forward": moves_smoothly, "wants_xp": False}
SOFT = {"forward": overflowing, "kinks": {}}

FIRST = ("backward", "forward", "jacobian")
"""What a wrong derivative fails by differences, in any mode."""

WRONG = {
    "sign": (changed(bump, {SLOPE: negative}), "backward", (*FIRST, "ties")),
    "missing term": (changed(bump, {SLOPE: without_a_term}), "backward", (*FIRST, "ties")),
    "of each output": (changed(centred, {BACK: offset}), "jacobian", None),
    "forgotten broadcast": (
        changed(shifted, {("backward", "b"): not_summed}),
        "space",
        ("space", "backward"),
    ),
    "wrong dtype": (changed(bump, {SLOPE: in_double}), "space", ("space",)),
    "complex": (changed(shifted, {BACK: complex_for_real}), "space", ("space",)),
    "none": (changed(shifted, {BACK: nothing_at_all}), "space", ("space", "backward")),
    "integers": (changed(centred, {BACK: whole_numbers}), "space", None),
    "another shape": (changed(centred, {BACK: of_another_shape}), "space", None),
    "two for one": (changed(centred, {BACK: wants_a_pair}), "space", None),
    "g used twice": (changed(centred, {BACK: with_g_twice}), "linearity", None),
    "by the size of g": (changed(centred, {BACK: by_size_of_g}), "linearity", None),
    "not zero for zero": (changed(centred, {BACK: offset}), "linearity", None),
    "mutates g": (
        changed(centred, {BACK: into_g}),
        "mutation",
        ("mutation", "determinism", "layout"),
    ),
    "mutates t": (changed(centred, {PUSH: into_t}), "mutation", ("mutation",)),
    "mutates y": (changed(centred, {BACK: into_y}), "mutation", ("mutation",)),
    "mutates its operand": (changed(centred, forward=into_x), "mutation", None),
    "wrong at ties": (changed(larger, TIES), "ties", ("ties",)),
    "not between the slopes": (
        changed(ramp, {SLOPE: not_between}),
        "kinks",
        ("kinks", "domain", *FIRST),
    ),
    "not between them, undeclared": (
        changed(ramp, {SLOPE: not_between}, kinks={}),
        "backward",
        ("domain", *FIRST),
    ),
    "another convention": (changed(ramp, kinks={0.0: 1.0}), "kinks", ("kinks",)),
    "no kink at all": (changed(ramp, kinks={1.0: None}), "kinks", ("kinks",)),
    "nan at the edge": (changed(entropy, {SLOPE: nan_at_the_edge}), "edges", ("edges",)),
    "no domain": (changed(entropy, domain={}), "edges", ("edges",)),
    "overflow on the way": (
        changed(ramp, {SLOPE: overflowing_derivative}, **SOFT),
        "edges",
        ("edges",),
    ),
    "wrong in forward mode": (
        changed(centred, {PUSH: half_a_tangent}),
        "forward",
        ("forward", "agreement", "second-order"),
    ),
    "modes apart": (
        changed(centred, {PUSH: half_a_tangent}),
        "agreement",
        ("forward", "agreement", "second-order"),
    ),
    "not deterministic": (changed(bump, forward=noisy), "determinism", None),
    "numpy for xp": (
        changed(bump, forward=by_numpy, wants_xp=False),
        "array-api",
        ("array-api",),
    ),
    "a name of numpy's": (changed(bump, forward=by_numpy_name), "array-api", ("array-api",)),
    "numpy in a rule": (changed(same, {SLOPE: rule_by_numpy}), "array-api", ("array-api",)),
    "its operand handed back": (changed(same, forward=itself), "aliasing", ("aliasing",)),
    "a buffer kept": (changed(centred, forward=in_a_buffer), "aliasing", None),
    "wrong second order": (
        changed(bump, {SLOPE: with_one_lost}),
        "second-order",
        ("second-order",),
    ),
    "one state for all": (changed(bump, forward=by_a_global), "threads", ("threads",)),
    "floats apart from arrays": (
        changed(bump, forward=other_for_floats),
        "value",
        ("value", "edges"),
    ),
    "always double": (changed(bump, forward=always_wide), "float32", None),
    "always double, from half": (changed(bump, forward=always_wide), "float16", None),
    "read by its layout": (changed(centred, forward=by_memory), "layout", None),
    "mean over a batch": (
        changed(product, {("backward", "b"): mean_over_a_batch}),
        "broadcasting",
        None,
    ),
    "a derivative declared away": (
        changed(rounded, {SLOPE: moves_smoothly_derivative}, **SMOOTH),
        "nondiff",
        ("nondiff",),
    ),
    "a rule that is near": (changed(gate, {SLOPE: near_enough}), "composite", ("composite",)),
    "right at the samples alone": (changed(same, {SLOPE: beyond_five}), "domain", ("domain",)),
    "right for real data alone": (
        changed(product, {("backward", "a"): conjugated}),
        "calls",
        ("calls",),
    ),
    "read by the layout of g": (changed(shifted, {BACK: by_one_number}), "layout", ("layout",)),
    "other for whole numbers": (
        changed(same, forward=cut_to_whole, wants_xp=True),
        "value",
        ("value",),
    ),
    "not found by its name": (changed(bump), "pickling", ()),
}
"""What is wrong: the op, the check meant for it, and every check that may blame it (None: any).

No changed op is found by its name, so `pickling` blames each.
"""


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_op_is_found_by_the_check_that_is_meant_for_it(name):
    """One thing is wrong of it; that check says so, and none says so that has no reason to."""
    op, meant, others = WRONG[name]
    report = check_op(op, tier="full")
    failed = {it.check for it in report.outcomes if it.status == FAILED}

    assert meant in failed
    assert others is None or failed == {"pickling", *others}


def test_every_check_finds_something():
    """A check that no wrong op fails could be left out; `coverage` tells of samples, not of ops."""
    assert {check for _, check, _ in WRONG.values()} == set(CHECKS) - {"coverage"}


def test_the_extras_of_the_standard_are_in_every_namespace():
    """What an author may use of `xp` beside the standard: on floats, arrays and Values."""
    assert [n for n in EXTRAS if not hasattr(namespaces.scalar, n)] == []
    assert [n for n in EXTRAS if not hasattr(namespaces.of_type(np.ndarray), n)] == []
    assert [n for n in EXTRAS if not hasattr(ops, n)] == []


# -- what a failure says --------------------------------------------------------------------------


def failures(op, *checks):
    """The outcomes of these checks that are failures."""
    return [it for it in check_op(op, checks=checks).outcomes if it.status == FAILED]


def test_a_failure_names_op_provider_place_check_sample_and_numbers():
    """All that one needs to find the line, and the two numbers side by side."""
    _, failure = failures(changed(bump, {SLOPE: negative}), "backward")[:2]
    lines = [" ".join(line.split()) for line in failure.reason.splitlines()]
    place = f"{__file__}:{bump.forward.__code__.co_firstlineno}"

    assert lines[0].startswith(f"local.bump (defined here, not in a plugin) at {place} fails")
    assert "'backward'" in lines[0]
    assert lines[1].startswith("sample 1, arrays bump(np.array([0.5]))")
    assert lines[3].startswith("worst x[0], reverse mode")
    assert [line.split()[0] for line in lines[4:]] == ["got", "wanted", "relative"]


def test_a_failure_at_a_kink_has_both_slopes():
    """Anything between them would have done."""
    failure = failures(changed(ramp, {SLOPE: not_between}), "kinks")[0]

    assert "got 2" in " ".join(failure.reason.split())
    assert "0 on the left, 1 on the right" in failure.reason


def test_a_convention_that_is_not_kept_is_told_with_both_slopes():
    """What the op states, and what its rule gives."""
    failure = failures(changed(ramp, kinks={0.0: 1.0}), "kinks")[0]
    told = " ".join(failure.reason.split())

    assert "at the kink 0 the derivative is not the one stated" in told
    assert "got 0 wanted 1 left 0.0 right 1.0" in told


def test_an_error_of_the_op_is_a_failure_with_its_place():
    """Told once for a case: what else would meet it is skipped, and says so."""

    def broken(x):
        return x.no_such_thing

    report = check_op(changed(same, forward=broken))
    of_arrays = [it for it in report.outcomes if it.case == "sample 2, arrays"]
    failed = [it for it in of_arrays if it.status == FAILED]

    assert [it.check for it in failed] == ["value"]
    assert "'numpy.ndarray' object has no attribute 'no_such_thing'" in failed[0].reason
    assert f"raised at {__file__}:" in failed[0].reason
    assert {it.reason for it in of_arrays if it.status == SKIPPED} == {
        "the call or the sweep fails, as in 'value'",
    }


WRONG_FILE = """
    import opgrad

    @opgrad.elementwise(samples=(opgrad.sample(0.5), opgrad.sample([1.0, 2.0], k=3.0)))
    def cube(xp, x, *, k=1.0):
        return k * x * x * x

    @cube.derivative
    def cube_derivative(x, k):
        return 2.0 * k * x * x
"""


def run(program, cwd):
    """Another interpreter on a program, in a folder of its own."""
    return subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=cwd
    )


@pytest.mark.parametrize("check", ["backward", "ties", "edges"])
def test_the_script_of_a_failure_shows_it_again(tmp_path, check):
    """By itself, in another process, on the same data and with the same numbers."""
    file = tmp_path / "cubes.py"
    slope = "x / x * k" if check == "edges" else "2.0 * k"  # 0 / 0 there
    file.write_text(textwrap.dedent(WRONG_FILE).replace("2.0 * k", slope))
    scope = {"__name__": "cubes_of_a_notebook", "__file__": str(file)}
    exec(compile(file.read_text(), file, "exec"), scope)  # noqa: S102 -- the file just written
    failure = failures(scope["cube"], check)[-1]

    done = run(failure.script, tmp_path)
    facts = failure.reason.splitlines()[2 if failure.case else 1 :]

    assert done.returncode == 1
    assert len(facts) > 1
    assert [line for line in facts if line not in done.stderr] == []


def test_a_script_finds_a_registered_op_by_its_name(tmp_path):
    """The op that is installed there; here it is right, so the script ends well."""
    wrong = changed(ops.tanh, {SLOPE: ramp_derivative})
    object.__setattr__(wrong, "provider", ops.tanh.provider)
    script = failures(wrong, "backward")[0].script

    assert "(op,) = ops_named('core.tanh')" in script
    assert run(script, tmp_path).returncode == 0


def test_reproduce_passes_where_nothing_is_wrong():
    """On operands, on a sample by its name, and for a check of the whole op."""
    reproduce(bump, "backward", operands=(0.5,), attributes={"k": 2.0})
    reproduce(bump, "float32", case="sample 2, arrays")
    reproduce(bump, "pickling")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"check": "backwards"}, "there is no check 'backwards'; did you mean 'backward'"),
        ({"check": "value", "case": "sample 9, arrays"}, "did you mean 'sample . arrays'"),
    ],
)
def test_reproduce_names_what_is_near(arguments, message):
    """A misspelled check or case."""
    with pytest.raises(CallError, match=message.replace(" . ", " ., ")):
        reproduce(bump, **arguments)


# -- what is told of an op ------------------------------------------------------------------------


def test_outcomes_come_one_by_one():
    """For a bar that moves: the same outcomes, in the same order."""
    seen = []
    report = check_op(bump, report=seen.append)

    assert tuple(seen) == report.outcomes
    assert report.passed == len(seen)
    assert report.ok
    assert report.seconds > 0.0


def test_tiers_contain_each_other():
    """Quick has the first derivative, full has all checks."""
    ran = [{it.check for it in check_op(gate, tier=tier).outcomes} for tier in TIERS]

    assert ran[0] < ran[1] < ran[2]
    assert {"value", "backward", "forward", "agreement"} <= ran[0]
    assert "jacobian" in ran[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tier": "fulll"}, "there is no tier 'fulll'; did you mean 'full'"),
        ({"checks": ["edge"]}, "there is no check 'edge'; did you mean 'edges'"),
    ],
)
def test_an_unknown_tier_or_check_is_refused(arguments, message):
    """The nearest is named."""
    with pytest.raises(CallError, match=message):
        check_op(bump, **arguments)


@pytest.mark.parametrize(
    ("target", "name"),
    [("tanh", "core.tanh"), ("core.tanh", "core.tanh"), ("linalg.det", "linalg.det")],
)
def test_a_name_names_one_op(target, name):
    """Qualified, or built in."""
    assert [op.qualname for op in ops_named(target)] == [name]


def test_a_namespace_names_all_its_ops():
    """It is loaded for that."""
    found = {op.qualname for op in ops_named("fft")}

    assert {"fft.fft", "fft.irfft"} <= found
    assert all(name.startswith("fft.") for name in found)


@pytest.mark.parametrize("target", ["core.tanhh", "tanhh", "no_such.thing"])
def test_an_unknown_name_is_refused(target):
    """As everywhere."""
    with pytest.raises(UnknownOpError):
        ops_named(target)


# -- nothing was checked --------------------------------------------------------------------------


def test_an_op_without_samples_is_vacuous():
    """Nothing ran, so it must not look right."""
    report = check_op(changed(centred, samples=()))

    assert not report.ok
    assert report.gradient_checks == 0
    assert "add samples=(opgrad.sample(...),)" in report.vacuous


def test_samples_of_an_elementwise_op_are_made_from_its_domain():
    """And an attribute that has no default is asked for."""
    cases = {it.case for it in check_op(unsampled).outcomes if it.case}
    needing = changed(unsampled, attributes={"n": attrs.NOTHING})

    assert cases == {"made from the domain, floats", "made from the domain, arrays"}
    assert "needs the attribute 'n'" in check_op(needing).vacuous


def test_samples_that_tell_nothing_of_a_derivative_are_vacuous():
    """Empty arrays alone."""
    empty = changed(kept, samples=(opgrad.sample([], []),))
    report = check_op(empty)

    assert not report.ok
    assert "there is nothing to check" in report.vacuous


def test_an_op_without_derivative_is_not_vacuous():
    """It is declared so, and its result is held to be constant."""
    report = check_op(signs)

    assert report.ok
    assert [it.status for it in report.outcomes if it.check == "nondiff"] == [PASSED]


def test_who_asks_for_no_gradient_check_misses_none():
    """`--check mutation` of an op is not vacuous."""
    assert check_op(changed(centred, samples=()), checks=["mutation"]).vacuous == ""


def test_an_operand_whose_rule_refuses_is_held():
    """The others are checked; a rule that says it has none is no failure."""
    op = changed(larger, {("derivative", "b"): refusing})
    report = check_op(op, checks=["backward", "forward", "second-order", "space"])

    assert report.ok
    assert report.gradient_checks > 0


def test_an_operand_without_a_rule_is_a_finding():
    """The others are right, and the op is none that a plugin could register."""

    @opgrad.elementwise(samples=(opgrad.sample(2.0, 3.0),))
    def half(a, b):
        return a * b

    half.derivative("a")(lambda b: b)
    (failure,) = [it for it in failures(half, "backward") if it.check == "declarations"]

    assert "is half-defined, and no plugin can register it: there is no rule for b" in (
        failure.reason
    )


def test_a_sample_that_is_no_array_is_a_finding():
    """Not an error of the checker."""
    (failure,) = failures(changed(same, samples=(opgrad.sample([[1.0], [2.0, 3.0]]),)), "value")

    assert "has a sample that cannot be made an array" in failure.reason


# -- two results side by side ---------------------------------------------------------------------

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize("kind", [float, np.float64, lambda x: np.array([0.5, x])])
@pytest.mark.parametrize("number", [1.0, INF, -INF, NAN, 0.0, 5e-324])
def test_what_is_the_same_agrees(kind, number):
    """NaN and the same infinity among it."""
    hold(kind(number), kind(number), "differs")


@pytest.mark.parametrize("kind", [float, np.float64, lambda x: np.array([0.5, x])])
@pytest.mark.parametrize(
    ("got", "wanted"), [(1.0, INF), (INF, 1.0), (INF, -INF), (NAN, 1.0), (1.0, NAN), (1.0, 1.1)]
)
def test_what_differs_is_refused(kind, got, wanted):
    """However much is allowed of a number, infinity and NaN are none."""
    with pytest.raises(AssertionError, match="differs"):
        hold(kind(got), kind(wanted), "differs", relative=0.01, absolute=0.01)


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (np.ones(2), np.ones(3)),
        (np.ones(2), np.ones(2, np.float32)),
        ([1.0], [1.0, 2.0]),
        (np.array([True, False]), np.array([True, True])),
    ],
)
def test_another_shape_dtype_count_or_truth_is_refused(got, wanted):
    """Before any entry is looked at."""
    with pytest.raises(AssertionError, match="differs"):
        hold(got, wanted, "differs")


def test_the_entry_that_differs_most_is_named():
    """With both numbers."""
    with pytest.raises(AssertionError, match=r"entry \[1, 0\]\n *got +9.0\n *wanted +3.0"):
        hold(np.array([[1.0, 2.5], [9.0, 4.0]]), np.array([[1.0, 2.0], [3.0, 4.0]]), "differs")


# -- failures that are expected -------------------------------------------------------------------


def test_an_expected_failure_is_told_apart_and_is_no_failure():
    """With the reason that the op gives."""
    reason = "ties are counted twice, as in another library"
    op = changed(larger, TIES, expected_failures={"ties": reason})
    report = check_op(op, checks=["ties", "backward"])
    expected = {(it.check, it.reason) for it in report.outcomes if it.status == EXPECTED}

    assert report.ok
    assert (report.expected, report.failed) == (2, 0)
    assert expected == {("ties", reason)}


def test_an_expected_failure_that_passes_is_a_failure():
    """Strict: the declaration is to be taken out."""
    op = changed(larger, expected_failures={"ties": "long repaired"})
    (failure,) = failures(op, "ties")

    assert failure.check == "ties"
    assert "declares that it fails 'ties' (long repaired), and it passes" in failure.reason


def test_an_expected_failure_that_did_not_run_is_not_missed():
    """Of a check that was not asked for, nothing is known."""
    op = changed(larger, expected_failures={"ties": "long repaired"})

    assert check_op(op, checks=["backward"]).ok


def test_an_expected_failure_of_no_check_is_refused():
    """With the nearest name."""
    op = changed(larger, expected_failures={"tie": "misspelled"})
    (failure,) = failures(op, "backward")

    assert "'tie', which is no check; did you mean 'ties'" in failure.reason


# -- without NumPy --------------------------------------------------------------------------------

PRINTED = """
    import sys
    sys.modules["numpy"] = None
    from opgrad.testing import check_op
    for it in check_op(cube, tier="full").outcomes:
        why = it.reason.partition(",")[0].replace("\\n", " ")
        print(it.case, it.check, it.status, why, sep="|")
"""


def test_without_numpy_the_float_cases_run(tmp_path):
    """Arrays are skipped, and say why."""
    done = run(textwrap.dedent(WRONG_FILE) + textwrap.dedent(PRINTED), tmp_path)
    assert done.returncode == 0, done.stderr
    found = [line.split("|") for line in done.stdout.splitlines()]
    arrays = {(status, why) for case, _, status, why in found if case.endswith("arrays")}
    wrong = {check for case, check, status, _ in found if case and status == "failed"}

    assert arrays == {("skipped", "NumPy is not installed")}
    assert wrong == set(FIRST)


def test_the_checks_import_no_array_library():
    """`opgrad.testing` is had without it."""
    program = "import sys, opgrad.testing; print('numpy' in sys.modules)"

    assert run(program, None).stdout.strip() == "False"
