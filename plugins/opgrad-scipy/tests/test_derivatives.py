"""Value and first three derivatives against mpmath, over the domain of each op."""

from __future__ import annotations

import functools

import mpmath
import pytest
from mpmath import mpf

import opgrad

sp = opgrad.ops.scipy
ULP = mpf(2) ** -52


def normal_cdf(x):
    """The normal distribution function."""
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def normal_quantile(p):
    """Its inverse."""
    return mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1)


def dawson(x):
    """Dawson's integral."""
    return mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-x * x) * mpmath.erfi(x)


def log_multigamma(a, d):
    """The logarithm of the multivariate gamma function."""
    parts = [mpmath.loggamma(a - mpf(j) / 2) for j in range(d)]

    return mpf(d * (d - 1)) / 4 * mpmath.log(mpmath.pi) + sum(parts)


def upper_gamma(a, x):
    """The incomplete gamma function from x on, regularised."""
    return mpmath.gammainc(a, x, regularized=True)


def lower_gamma(a, x):
    """The incomplete gamma function up to x, regularised."""
    return mpmath.gammainc(a, 0, x, regularized=True)


def lower_beta(a, b, x):
    """The incomplete beta function up to x, regularised."""
    return mpmath.betainc(a, b, 0, x, regularized=True)


def log_beta(a, b):
    """The logarithm of the beta function."""
    return mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)


def rounded_huber(delta, r):
    """The pseudo-Huber loss."""
    return delta**2 * (mpmath.sqrt(1 + (r / delta) ** 2) - 1)


# How many ulp value and derivatives may be off, besides what a change of the operand by one ulp
# makes of them: good functions; those of many terms; and those whose docstring warns.
GOOD = (4, 8, 10, 60)
FAIR = (4, 25, 150, 400)
WARNED = (10, 40, 1000, 3e4)

UNARY = [
    ("erf", mpmath.erf, (-3.0, 1e-5, 0.5, 5.0), GOOD),
    ("erfc", mpmath.erfc, (-3.0, 1e-5, 0.5, 6.0), GOOD),
    (
        "erfcx",
        lambda x: mpmath.exp(x * x) * mpmath.erfc(x),
        (-5.0, 1e-5, 1.4, 1.6, 30.0, 1e6),
        GOOD,
    ),
    ("erfi", mpmath.erfi, (-3.0, 1e-5, 0.5, 20.0), GOOD),
    ("erfinv", mpmath.erfinv, (-0.99, 1e-5, 0.49, 0.51, 0.9999), GOOD),
    ("erfcinv", lambda x: mpmath.erfinv(1 - x), (1e-12, 0.3, 0.99, 1.99), GOOD),
    ("dawsn", dawson, (-0.5, 1e-5, 1.5, 30.0, -1e3), GOOD),
    ("dawsn-middle", dawson, (3.0, 6.4, 6.6), WARNED),
    ("ndtr", normal_cdf, (-8.0, -0.5, 0.5, 7.0), GOOD),
    ("log_ndtr", lambda x: mpmath.log(normal_cdf(x)), (-20.0, -0.5, 0.5, 7.0), GOOD),
    ("ndtri", normal_quantile, (1e-12, 0.2, 0.26, 0.5, 0.99), GOOD),
    ("ndtri_exp", lambda x: normal_quantile(mpmath.exp(x)), (-30.0, -3.0, -0.5, -1e-3), GOOD),
    ("expit", lambda x: 1 / (1 + mpmath.exp(-x)), (-30.0, -3.0, 0.5, 30.0), GOOD),
    ("logit", lambda x: mpmath.log(x / (1 - x)), (1e-9, 0.1, 0.5, 0.999), GOOD),
    ("log_expit", lambda x: -mpmath.log1p(mpmath.exp(-x)), (-20.0, -3.0, 0.5, 30.0), GOOD),
    ("gamma", mpmath.gamma, (-1.5, 1e-3, 1.46, 5.0, 100.0), GOOD),
    ("gammaln", mpmath.loggamma, (1e-3, 1.2, 20.5, 1e8), GOOD),
    ("loggamma", mpmath.loggamma, (1e-3, 1.2, 20.5, 1e8), GOOD),
    ("rgamma", mpmath.rgamma, (-5.5, -3.0, -1e-9, 0.0, 0.7, 20.5), GOOD),
    ("digamma", mpmath.digamma, (-1.5, 1e-3, 1.2, 20.5, 1e8), GOOD),
    ("entr", lambda x: -x * mpmath.log(x), (1e-9, 0.1, 30.0), GOOD),
    ("expi", mpmath.ei, (-20.0, -0.5, 1e-3, 30.0), GOOD),
    ("exp1", mpmath.e1, (1e-3, 0.5, 30.0), GOOD),
    ("exprel", lambda x: mpmath.expm1(x) / x, (-500.0, -1.5, -0.9, 1e-6, 0.9, 30.0), GOOD),
    ("cosm1", lambda x: mpmath.cos(x) - 1, (1e-6, 0.3, 10.0), GOOD),
    ("spence", lambda x: mpmath.polylog(2, 1 - x), (0.3, 0.76, 1.0001, 1.26), GOOD),
]

# Functions of several operands, along one of them, and those with attributes.
ALONG = [
    ("polygamma", lambda x: sp.polygamma(2, x), lambda x: mpmath.polygamma(2, x), (0.1, 5.0, 1e4)),
    ("multigammaln", lambda a: sp.multigammaln(a, 4), lambda a: log_multigamma(a, 4), (1.6, 20.0)),
    ("beta", lambda b: sp.beta(2.5, b), lambda b: mpmath.beta(2.5, b), (0.1, 9.0, 50.0)),
    ("betaln", lambda a: sp.betaln(a, 2.0), lambda a: log_beta(a, 2), (0.1, 9.9, 10.1, 50.0)),
    ("gammainc", lambda x: sp.gammainc(0.5, x), lambda x: lower_gamma(mpf(0.5), x), (1e-3, 3.0)),
    ("gammaincc", lambda x: sp.gammaincc(17.0, x), lambda x: upper_gamma(17, x), (1.0, 40.0)),
    ("zeta", lambda q: sp.zeta(2.5, q), lambda q: mpmath.zeta(mpf(2.5), q), (0.1, 100.0)),
    ("expn", lambda x: sp.expn(3, x), lambda x: mpmath.expint(3, x), (0.1, 1.0, 30.0)),
    ("expn-0", lambda x: sp.expn(0, x), lambda x: mpmath.expint(0, x), (0.1, 30.0)),
    ("xlogy-b", lambda b: sp.xlogy(2.5, b), lambda b: 2.5 * mpmath.log(b), (1e-9, 10.0)),
    ("xlog1py-b", lambda b: sp.xlog1py(2.5, b), lambda b: 2.5 * mpmath.log1p(b), (-0.9, 1e-9, 9.0)),
    ("xlog1py-a", lambda a: sp.xlog1py(a, 0.1), lambda a: a * mpmath.log1p(mpf(0.1)), (-0.9, 9.0)),
    ("rel_entr-a", lambda a: sp.rel_entr(a, 2.5), lambda a: a * mpmath.log(a / 2.5), (1e-9, 10.0)),
    ("rel_entr-b", lambda b: sp.rel_entr(2.5, b), lambda b: mpmath.log(2.5 / b) * 2.5, (1e-3, 9.0)),
    (
        "kl_div-a",
        lambda a: sp.kl_div(a, 2.5),
        lambda a: a * mpmath.log(a / 2.5) - a + 2.5,
        (1e-9, 10.0),
    ),
    (
        "kl_div-b",
        lambda b: sp.kl_div(2.5, b),
        lambda b: 2.5 * mpmath.log(2.5 / b) - 2.5 + b,
        (1e-3, 10.0),
    ),
    (
        "pseudo_huber-r",
        lambda r: sp.pseudo_huber(2.5, r),
        lambda r: rounded_huber(mpf(2.5), r),
        (1e-6, -1.0, 1e5),
    ),
    (
        "pseudo_huber-delta",
        lambda d: sp.pseudo_huber(d, 2.5),
        lambda d: rounded_huber(d, mpf(2.5)),
        (1e-6, 1.0, 1e3),
    ),
    ("sici-0", lambda x: sp.sici(x)[0], mpmath.si, (1e-6, 1.0, 10.0)),
    ("sici-1", lambda x: sp.sici(x)[1], mpmath.ci, (1e-6, 1.0, 10.0)),
    ("shichi-0", lambda x: sp.shichi(x)[0], mpmath.shi, (1e-6, 0.9, 1.1, 10.0)),
    ("shichi-1", lambda x: sp.shichi(x)[1], mpmath.chi, (1e-6, 1.0, 10.0)),
]
ROUGH = [
    (
        "gammainc-large",
        lambda x: sp.gammainc(1e3, x),
        lambda x: lower_gamma(1000, x),
        (990.0, 1100.0),
    ),
    (
        "betainc",
        lambda x: sp.betainc(200.0, 150.0, x),
        lambda x: lower_beta(200, 150, x),
        (0.4, 0.6),
    ),
    (
        "betaincc",
        lambda x: sp.betaincc(2.5, 1.5, x),
        lambda x: lower_beta(mpf(1.5), mpf(2.5), 1 - x),
        (0.01, 0.9),
    ),
]

CASES = [
    *[pytest.param(getattr(sp, n.partition("-")[0]), *rest, id=n) for n, *rest in UNARY],
    *[pytest.param(*rest, GOOD, id=name) for name, *rest in ALONG],
    *[pytest.param(*rest, FAIR, id=name) for name, *rest in ROUGH],
]


def derivatives(f, count):
    """F and its first derivatives."""
    found = [f]
    for _ in range(count):
        found.append(opgrad.grad(found[-1]))

    return found


def assert_close(got, exact, following, x, limit):
    """Within `limit` ulp of the exact value, and of what one ulp of x makes of it."""
    scale = abs(exact) + abs(following * x)

    assert abs(mpf(got) - exact) <= limit * ULP * scale + mpf(10) ** -320


@pytest.mark.parametrize(("f", "reference", "points", "limits"), CASES)
def test_value_and_three_derivatives_agree_with_mpmath(f, reference, points, limits):
    """In units of the last place, at the points where the form of a rule changes too."""
    ours = derivatives(f, 3)
    for x in points:
        with mpmath.workdps(40):
            exact = mpmath.taylor(reference, mpf(x), 4)
        exact = [mpmath.re(c) * mpmath.factorial(k) for k, c in enumerate(exact)]
        for k, limit in enumerate(limits):
            assert_close(ours[k](x), exact[k], exact[k + 1], x, limit)


# -- Bessel functions -----------------------------------------------------------------------------


def of_order(function, sign):
    """The k-th derivative of a Bessel function by its neighbours: DLMF 10.6.7, 10.29.5."""

    def derivative(v, x, k):
        terms = [sign**j * mpmath.binomial(k, j) * function(v - k + 2 * j, x) for j in range(k + 1)]
        return mpmath.fsum(terms) / mpf(2) ** k

    return derivative


def scaled_growing(v, x, k):
    """The k-th derivative of e^-x I_v."""
    terms = [mpmath.binomial(k, j) * (-1) ** (k - j) * I(v, x, j) for j in range(k + 1)]

    return mpmath.exp(-x) * mpmath.fsum(terms)


def decaying(v, x, k, shift=0):
    """The k-th derivative of e^(shift x) K_v, by the trapezoidal rule on its integral: 10.32.9.

    The integrand falls off twice exponentially: so few steps give 40 digits.
    """
    step = 1 / (10 * mpmath.sqrt(1 + x))
    count = int(mpmath.acosh(1 + 90 / x) / step) + 2
    rates = [(i * step, mpmath.cosh(i * step) - shift) for i in range(count)]
    terms = [mpmath.cosh(v * t) * (-r) ** k * mpmath.exp(-x * r) for t, r in rates]

    return (mpmath.fsum(terms) - terms[0] / 2) * step


def scaled_decaying(v, x, k):
    """The k-th derivative of e^x K_v."""
    return decaying(v, x, k, 1)


J = of_order(mpmath.besselj, -1)
Y = of_order(mpmath.bessely, -1)
I = of_order(mpmath.besseli, 1)  # noqa: E741 -- its name in every book
POINTS = (1e-3, 0.5, 10.0, 50.0)
NEAR = (0.5, 1.0)
MIDDLE = (29.0, 39.0)
FAR = (60.0, 1e3, 1e5)


def at_order(name, v):
    """The op at a fixed order."""
    return functools.partial(getattr(sp, name), v)


UNSCALED = (("j", J), ("y", Y), ("i", I), ("k", decaying))
REGIONS = (("near", NEAR, GOOD), ("middle", MIDDLE, WARNED), ("far", FAR, GOOD))
BESSEL = [
    *[
        (f"{letter}{v}", getattr(sp, f"{letter}{v}"), reference, v, POINTS, GOOD)
        for letter, reference in UNSCALED
        for v in (0, 1)
    ],
    *[
        (f"{letter}v-{v}", at_order(f"{letter}v", v), reference, v, POINTS, GOOD)
        for letter, reference in UNSCALED
        for v in (2.5, 3, 0.0)
    ],
    *[
        (f"i{v}e-{region}", getattr(sp, f"i{v}e"), scaled_growing, v, *rest)
        for v in (0, 1)
        for region, *rest in REGIONS
    ],
    *[
        (f"{name}-{v}-{region}", at_order(name, v), reference, v, *rest)
        for name, reference in (("ive", scaled_growing), ("kve", scaled_decaying))
        for v in (2.5, 1)
        for region, *rest in REGIONS
    ],
]


@pytest.mark.parametrize(
    ("f", "reference", "v", "points", "limits"),
    [pytest.param(*rest, id=name) for name, *rest in BESSEL],
)
def test_bessel_function_and_three_derivatives_agree_with_mpmath(f, reference, v, points, limits):
    """The scaled ones near 0, far out, and where their docstring warns."""
    ours = derivatives(f, 3)
    for x in points:
        with mpmath.workdps(45):
            exact = [reference(v, mpf(x), k) for k in range(5)]
        for k, limit in enumerate(limits):
            assert_close(ours[k](float(x)), exact[k], exact[k + 1], x, limit)


# -- two operands at once -------------------------------------------------------------------------


@pytest.mark.parametrize("a", [0.5, 9.9, 10.1, 1e4, 1e8, 1e12])
@pytest.mark.parametrize("b", [0.1, 2.0, 300.0])
def test_gradient_of_betaln_keeps_its_digits_where_one_operand_is_large(a, b):
    """digamma(a) - digamma(a + b) taken as it stands has none left at 1e12."""
    found = opgrad.grad(sp.betaln, argnums=(0, 1))(a, b)
    second = opgrad.grad(opgrad.grad(sp.betaln))(a, b)
    with mpmath.workdps(50):
        total = mpf(a) + mpf(b)
        expected = [float(mpmath.digamma(x) - mpmath.digamma(total)) for x in (a, b)]
        expected_second = float(mpmath.polygamma(1, a) - mpmath.polygamma(1, total))

    assert found == pytest.approx(expected, rel=2e-15)
    assert second == pytest.approx(expected_second, rel=2e-14)


def test_mixed_derivative_where_the_first_order_one_is_unavailable():
    """d/da of the density is known, though d/da of its integral is not."""
    mixed = opgrad.grad(lambda a: opgrad.grad(lambda x: sp.gammainc(a, x))(1.5))(2.5)
    with mpmath.workdps(30):
        expected = mpmath.diff(
            lambda a: mpf(1.5) ** (a - 1) * mpmath.exp(-1.5) / mpmath.gamma(a), 2.5
        )

    assert mixed == pytest.approx(float(expected), rel=1e-14)
