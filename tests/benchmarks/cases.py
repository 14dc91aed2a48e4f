"""The cases of the speed table: the same work for opgrad and for a peer, as plain as it gets.

Each case is a function without arguments that returns the lines of its table; `run.py` calls
it in a process of its own, so a case pays for no other case's imports.
"""

from __future__ import annotations

import gc
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from forty import forty_plugins
from measure import (
    Contender,
    Result,
    below,
    installed,
    interleaved,
    readable_time,
    resident_bytes,
    times_faster,
    times_the_time,
    without_peer,
)

# --- scalar chain -------------------------------------------------------------------------------

CHAIN_STEPS = 500


def mul_add_chain(x: Any, b: Any, c: Any, steps: int = CHAIN_STEPS) -> Any:
    """`x = x * b + c`, over and over; x, b and c are leaves: two nodes a step."""
    for _ in range(steps):
        x = x * b + c
    return x


def scalar_chain() -> Iterator[Result]:
    """`x*b + c` on scalar Values, forward and forward+backward, a time an op (two a step)."""
    import opgrad

    chains = 20
    make = {"opgrad": opgrad.Value}
    if installed("micrograd"):
        from micrograd.engine import Value as MicrogradValue

        sys.setrecursionlimit(10_000)  # micrograd's backward() recurses once a node
        make["micrograd"] = MicrogradValue

    def forward(value: Callable[[float], Any]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(chains):
                mul_add_chain(value(0.5), value(0.999), value(0.001))

        return run

    def both(value: Callable[[float], Any]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(chains):
                mul_add_chain(value(0.5), value(0.999), value(0.001)).backward()

        return run

    for work, runner, bar in (("forward", forward, 4.0), ("forward+backward", both, 3.0)):
        seconds = interleaved(
            *(
                Contender(name, runner(value), chains * 2 * CHAIN_STEPS)
                for name, value in make.items()
            ),
            repeats=15,
        )
        title = f"scalar x*b+c chain, {work}, per op"
        if "micrograd" in seconds:
            yield times_faster(title, seconds, "micrograd", bar=bar)
        else:
            yield without_peer(title, readable_time(seconds["opgrad"]), "micrograd")


# --- micrograd's demo ---------------------------------------------------------------------------


class ScalarNetwork:
    """A multi-layer perceptron of scalar Values of any library with `+`, `*` and `.relu()`."""

    def __init__(self, value: Callable[[float], Any], sizes: Sequence[int], seed: int) -> None:
        rng = random.Random(seed)
        self.layers = [
            [
                ([value(rng.uniform(-1, 1)) for _ in range(inputs)], value(0.0))
                for _ in range(outputs)
            ]
            for inputs, outputs in pairwise(sizes)
        ]
        self.parameters = [
            parameter
            for layer in self.layers
            for weights, bias in layer
            for parameter in (*weights, bias)
        ]

    def __call__(self, signals: Sequence[Any]) -> Any:
        """Return the score of one point."""
        last = self.layers[-1]
        for layer in self.layers:
            sums = [
                sum((w * x for w, x in zip(weights, signals, strict=True)), bias)
                for weights, bias in layer
            ]
            signals = sums if layer is last else [total.relu() for total in sums]
        return signals[0]


def demo_step(
    network: ScalarNetwork,
    points: Sequence[tuple[float, float]],
    labels: Sequence[int],
    learning_rate: float,
) -> float:
    """One step of micrograd's demo: max-margin loss, L2, backward, descent."""
    scores = [network(point) for point in points]
    losses = [(1 + -label * score).relu() for label, score in zip(labels, scores, strict=True)]
    data_loss = sum(losses) * (1.0 / len(losses))
    regularisation = 1e-4 * sum(p * p for p in network.parameters)
    total = data_loss + regularisation
    for parameter in network.parameters:
        parameter.grad = 0
    total.backward()
    for parameter in network.parameters:
        parameter.data -= learning_rate * parameter.grad
    return float(total.data)


def two_moons(count: int, seed: int) -> tuple[list[tuple[float, float]], list[int]]:
    """Two interleaved half circles with noise 0.1, labels -1 and 1."""
    rng = random.Random(seed)
    points, labels = [], []
    for index in range(count):
        angle = math.pi * (index // 2) / (count // 2 - 1)
        x, y = math.cos(angle), math.sin(angle)
        if index % 2:
            x, y = 1.0 - x, 0.5 - y
        points.append((x + rng.gauss(0, 0.1), y + rng.gauss(0, 0.1)))
        labels.append(2 * (index % 2) - 1)
    return points, labels


def moons() -> Iterator[Result]:
    """micrograd's demo step: 2-16-16-1 on 100 points of two moons, scalar Values, data as floats.

    The learning rate is tiny, so that every sample does the same work: the pattern of dead
    ReLUs stays what it was.
    """
    import opgrad

    make = {"opgrad": opgrad.Value}
    if installed("micrograd"):
        from micrograd.engine import Value as MicrogradValue

        make["micrograd"] = MicrogradValue
    points, labels = two_moons(100, seed=1)
    networks = {name: ScalarNetwork(value, (2, 16, 16, 1), seed=2) for name, value in make.items()}
    losses = {name: demo_step(network, points, labels, 0.0) for name, network in networks.items()}
    if len(losses) > 1 and not math.isclose(*losses.values(), rel_tol=1e-9):
        raise AssertionError(f"the two libraries disagree: {losses}")

    def steps(network: ScalarNetwork) -> Callable[[], None]:
        def run() -> None:
            for _ in range(2):
                demo_step(network, points, labels, 1e-9)

        return run

    seconds = interleaved(
        *(Contender(name, steps(network), 2) for name, network in networks.items()), repeats=7
    )
    title = "micrograd's demo step, 2-16-16-1, 100 moons"
    if "micrograd" in seconds:
        yield times_faster(title, seconds, "micrograd", bar=7.0)
    else:
        yield without_peer(title, readable_time(seconds["opgrad"]), "micrograd")


# --- small arrays -------------------------------------------------------------------------------


def small_arrays() -> Iterator[Result]:
    """A chain of add, mul, tanh on (16,) float64, a time an op; backward from its sum."""
    import numpy as np

    import opgrad

    rounds, chains = 100, 10  # 300 ops a chain
    units = rounds * chains * 3
    data = [np.linspace(-1, 1, 16), np.linspace(0.1, 0.5, 16), np.linspace(0.9, 1.1, 16)]

    def chain(x: Any, b: Any, c: Any, tanh: Callable[[Any], Any]) -> Any:
        for _ in range(rounds):
            x = tanh((x + b) * c)
        return x

    leaves = [opgrad.Value(array) for array in data]
    one = np.ones(16)

    def opgrad_forward() -> None:
        for _ in range(chains):
            chain(*leaves, opgrad.ops.tanh)

    def opgrad_both() -> None:
        for _ in range(chains):
            for leaf in leaves:
                leaf.grad = None
            chain(*leaves, opgrad.ops.tanh).backward(one)

    forward = [Contender("opgrad", opgrad_forward, units)]
    both = [Contender("opgrad", opgrad_both, units)]
    if installed("torch"):
        import torch

        torch.set_num_threads(1)
        tensors = [torch.tensor(array, requires_grad=True) for array in data]
        torch_one = torch.ones(16, dtype=torch.float64)

        def torch_forward() -> None:
            for _ in range(chains):
                chain(*tensors, torch.tanh)

        def torch_both() -> None:
            for _ in range(chains):
                for tensor in tensors:
                    tensor.grad = None
                chain(*tensors, torch.tanh).backward(torch_one)

        forward.append(Contender("torch", torch_forward, units))
        both.append(Contender("torch", torch_both, units))

    for work, contenders in (("forward", forward), ("forward+backward", both)):
        seconds = interleaved(*contenders, repeats=15)
        title = f"add, mul, tanh on (16,) float64, {work}, per op"
        if "torch" in seconds:
            yield times_faster(title, seconds, "torch", bar=1.5)
        else:
            yield without_peer(title, readable_time(seconds["opgrad"]), "torch")


def large_arrays() -> Iterator[Result]:
    """As `small_arrays` on (256, 256), forward and backward from the sum: bound by memory."""
    import numpy as np

    import opgrad

    rounds = 111  # 333 ops
    rng = np.random.default_rng(0)
    data = [rng.uniform(low, 1.0, (256, 256)) for low in (-1.0, 0.0, 0.9)]

    def chain(x: Any, b: Any, c: Any, tanh: Callable[[Any], Any]) -> Any:
        for _ in range(rounds):
            x = tanh((x + b) * c)
        return x

    leaves = [opgrad.Value(array) for array in data]
    one = np.ones((256, 256))

    def run_opgrad() -> None:
        for leaf in leaves:
            leaf.grad = None
        chain(*leaves, opgrad.ops.tanh).backward(one)

    def run_ufuncs() -> None:
        """The ufuncs alone, and no graph: what any engine on NumPy pays."""
        x, b, c = data
        kept = []
        for _ in range(rounds):
            s = x + b
            x = np.tanh(s * c)
            kept.append((s, x))
        g, of_b, of_c = one, 0.0, 0.0
        for s, y in reversed(kept):
            g = g * (1.0 - y * y)
            of_c = of_c + g * s
            g = g * c
            of_b = of_b + g

    contenders = [
        Contender("opgrad", run_opgrad, rounds * 3),
        Contender("numpy by hand", run_ufuncs, rounds * 3),
    ]
    if installed("torch"):
        import torch

        torch.set_num_threads(1)
        tensors = [torch.tensor(array, requires_grad=True) for array in data]
        torch_one = torch.ones((256, 256), dtype=torch.float64)

        def run_torch() -> None:
            for tensor in tensors:
                tensor.grad = None
            chain(*tensors, torch.tanh).backward(torch_one)

        contenders.append(Contender("torch", run_torch, rounds * 3))
    seconds = interleaved(*contenders, repeats=9)
    title = f"add, mul, tanh on (256,256) float64, forward+backward, per op{warm()}"
    if "torch" in seconds:
        yield times_the_time(title, seconds, "torch", bar=1.3)
    yield times_the_time(title, seconds, "numpy by hand", bar=1.3)


def warm() -> str:
    """What to add to a title where the C library keeps freed memory."""
    return ", warm memory" if "MALLOC_TRIM_THRESHOLD_" in os.environ else ""


# --- second derivatives -------------------------------------------------------------------------


def hessian_vector() -> Iterator[Result]:
    """Hessian-vector product of the loss of a 784-64-10 tanh network, batch 128, float64."""
    import numpy as np

    import opgrad
    from opgrad import ops

    rng = np.random.default_rng(0)
    inputs, target = rng.standard_normal((128, 784)), rng.standard_normal((128, 10))
    weights = [rng.standard_normal((784, 64)) / 28, rng.standard_normal((64, 10)) / 8]
    along = [rng.standard_normal(w.shape) for w in weights]

    def loss(w1: Any, w2: Any) -> Any:
        difference = ops.tanh(inputs @ w1) @ w2 - target
        return ops.mean(difference * difference)

    def run_opgrad() -> Any:
        return opgrad.hvp(loss, weights, along)

    def by_hand() -> Any:
        (w1, w2), (v1, v2) = weights, along
        h = np.tanh(inputs @ w1)
        slope = 1 - h * h
        dh = slope * (inputs @ v1)  # tangents, forward
        e, de = h @ w2 - target, dh @ w2 + h @ v2
        scale = 2 / e.size
        g, dg = scale * e, scale * de  # gradients and their tangents, backward
        back, dback = g @ w2.T, dg @ w2.T + g @ v2.T
        hessian_1 = inputs.T @ (dback * slope + back * (-2 * h * dh))
        return hessian_1, h.T @ dg + dh.T @ g

    for ours, theirs in zip(run_opgrad(), by_hand(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    contenders = [Contender("opgrad", run_opgrad), Contender("numpy by hand", by_hand)]
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        def autograd_loss(w1: Any, w2: Any) -> Any:
            difference = anp.dot(anp.tanh(anp.dot(inputs, w1)), w2) - target
            return anp.mean(difference * difference)

        def directional(ws: Any) -> Any:
            gradients = autograd.grad(autograd_loss, argnum=(0, 1))(*ws)
            return sum(anp.sum(g * v) for g, v in zip(gradients, along, strict=True))

        product = autograd.grad(directional)
        contenders.append(Contender("autograd", lambda: product(tuple(weights))))
    seconds = interleaved(*contenders, repeats=25)
    title = f"HVP, 784-64-10, batch 128{warm()}"
    yield times_the_time(title, seconds, "numpy by hand", bar=1.6)
    if "autograd" in seconds:
        yield times_faster(title, seconds, "autograd", bar=3)


def rosenbrock_hessian() -> Iterator[Result]:
    """The Hessian of the Rosenbrock function of 200 variables."""
    import numpy as np

    import opgrad

    def rosenbrock(x: Any) -> Any:
        return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()

    at = np.linspace(-1.0, 2.0, 200)
    hessian = opgrad.hessian(rosenbrock)
    contenders = [Contender("opgrad", lambda: hessian(at))]
    title = "Hessian of Rosenbrock, n = 200"
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        def autograd_rosenbrock(x: Any) -> Any:
            return anp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

        theirs = autograd.hessian(autograd_rosenbrock)
        np.testing.assert_allclose(hessian(at), theirs(at), rtol=1e-9)
        contenders.append(Contender("autograd", lambda: theirs(at)))
    seconds = interleaved(*contenders, repeats=9)
    if "autograd" in seconds:
        yield times_faster(title, seconds, "autograd", bar=3)
    else:
        yield without_peer(title, readable_time(seconds["opgrad"]), "autograd")


# --- a step of a network ------------------------------------------------------------------------


def network_step() -> Iterator[Result]:
    """MLP step 784-256-128-10, batch 128, float32: forward, loss, backward, SGD update.

    The loss is the mean softmax cross-entropy of integer labels. `by hand` is the same
    arithmetic in NumPy with the backward pass written out.
    """
    import numpy as np

    import opgrad
    from opgrad import ops

    rng = np.random.default_rng(0)
    sizes, batch, rate = (784, 256, 128, 10), 128, 1e-4
    inputs = rng.standard_normal((batch, sizes[0]), dtype=np.float32)
    labels = rng.integers(0, sizes[-1], batch)
    rows = np.arange(batch)

    def parameters() -> list[Any]:
        made = np.random.default_rng(1)
        result = []
        for fan_in, fan_out in pairwise(sizes):
            weight = made.standard_normal((fan_in, fan_out), dtype=np.float32)
            result += [weight * np.float32((2 / fan_in) ** 0.5), np.zeros(fan_out, np.float32)]
        return result

    def loss(w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any) -> Any:
        h1 = ops.relu(inputs @ w1 + b1)
        h2 = ops.relu(h1 @ w2 + b2)
        logits = h2 @ w3 + b3
        return ops.mean(ops.logsumexp(logits, axis=1) - logits[rows, labels])

    gradient = opgrad.value_and_grad(loss, argnums=tuple(range(6)))
    ours, theirs, leaves = parameters(), parameters(), [opgrad.Value(p) for p in parameters()]
    check_gradients_agree(gradient(*ours), by_hand(np, inputs, labels, theirs), np)

    def functional() -> None:
        for _ in range(5):
            _, grads = gradient(*ours)
            for parameter, grad in zip(ours, grads, strict=True):
                parameter -= rate * grad

    def with_values() -> None:
        for _ in range(5):
            for leaf in leaves:
                leaf.grad = None
            loss(*leaves).backward()
            for leaf in leaves:
                leaf.data -= rate * leaf.grad

    def numpy_step() -> None:
        for _ in range(5):
            _, grads = by_hand(np, inputs, labels, theirs)
            for parameter, grad in zip(theirs, grads, strict=True):
                parameter -= rate * grad

    for work, run in (("value_and_grad", functional), ("Value.backward", with_values)):
        seconds = interleaved(
            Contender("opgrad", run, 5), Contender("numpy by hand", numpy_step, 5), repeats=25
        )
        memory = warm()
        title = f"MLP step 784-256-128-10, batch 128, {work}{memory}"
        yield times_the_time(title, seconds, "numpy by hand", bar=1.1)


def by_hand(np: Any, inputs: Any, labels: Any, parameters: list[Any]) -> tuple[Any, list[Any]]:
    """Loss and gradients of `network_step`, forward and backward written out."""
    w1, b1, w2, b2, w3, b3 = parameters
    rows, batch = np.arange(len(labels)), len(labels)
    h1 = np.maximum(inputs @ w1 + b1, 0)
    h2 = np.maximum(h1 @ w2 + b2, 0)
    logits = h2 @ w3 + b3
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    totals = exponentials.sum(axis=1, keepdims=True)
    value = (np.log(totals[:, 0]) - shifted[rows, labels]).mean()
    g = exponentials / totals
    g[rows, labels] -= 1
    g /= batch
    grad_w3, grad_b3 = h2.T @ g, g.sum(axis=0)
    g = (g @ w3.T) * (h2 > 0)
    grad_w2, grad_b2 = h1.T @ g, g.sum(axis=0)
    g = (g @ w2.T) * (h1 > 0)
    grad_w1, grad_b1 = inputs.T @ g, g.sum(axis=0)
    return value, [grad_w1, grad_b1, grad_w2, grad_b2, grad_w3, grad_b3]


def check_gradients_agree(ours: Any, theirs: Any, np: Any) -> None:
    """Refuse to time two programs that do not compute the same thing."""
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5)
    for our, their in zip(ours[1], theirs[1], strict=True):
        if our.dtype != np.float32:
            raise AssertionError(f"float32 became {our.dtype}")
        np.testing.assert_allclose(our, their, rtol=1e-3, atol=1e-6)


# --- a million nodes ----------------------------------------------------------------------------

MILLION_STEPS = 500_000


def million_nodes() -> Iterator[Result]:
    """A chain of 1,000,000 scalar nodes: build, backward, delete; memory; freed by `del`.

    Three Values take part in `x = x*b + c`, so the sweep visits every node and two shared leaves.
    Memory is measured before PyTorch is imported; the recursion limit is the default one.
    """
    from opgrad import Value

    nodes = 2 * MILLION_STEPS
    mul_add_chain(Value(0.5), Value(0.999), Value(0.001)).backward()
    yield from memory_of_a_chain(Value, nodes)

    phases: dict[str, list[tuple[float, float, float]]] = {"opgrad": []}
    make: dict[str, Callable[[float], Any]] = {"opgrad": Value}
    if installed("torch"):
        import torch

        torch.set_num_threads(1)
        make["torch"] = lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True)
        phases["torch"] = []
    for _ in range(3):
        for name, value in make.items():
            gc.collect()
            phases[name].append(time_of_a_chain(value))
    seconds = {name: statistics.median(map(sum, times)) for name, times in phases.items()}
    split = {
        name: " + ".join(f"{statistics.median(p):.2f}" for p in zip(*times, strict=True))
        for name, times in phases.items()
    }
    title = f"chain of 1e6 nodes, build+backward+delete (opgrad {split['opgrad']} s"
    if "torch" in seconds:
        title += f", torch {split['torch']} s)"
        yield times_the_time(title, seconds, "torch", bar=0.35)
    else:
        yield without_peer(title + ")", readable_time(seconds["opgrad"]), "torch")


def time_of_a_chain(value: Callable[[float], Any]) -> tuple[float, float, float]:
    """Seconds of process time to build, to differentiate and to delete one chain."""
    start = time.process_time()
    out = mul_add_chain(value(0.5), value(0.999), value(0.001), MILLION_STEPS)
    built = time.process_time()
    out.backward()
    swept = time.process_time()
    del out
    return built - start, swept - built, time.process_time() - swept


def memory_of_a_chain(value: Callable[[float], Any], nodes: int) -> Iterator[Result]:
    """Bytes a node, before and after the sweep, and what `del` leaves with the collector off."""
    resident_bytes()  # once, so that what it leaves behind is not counted
    gc.collect()
    gc.disable()
    try:
        blocks, start = sys.getallocatedblocks(), resident_bytes()
        out = mul_add_chain(value(0.5), value(0.999), value(0.001), nodes // 2)
        built = resident_bytes()
        out.backward()
        swept = resident_bytes()
        del out
        left = sys.getallocatedblocks() - blocks
    finally:
        gc.enable()
    yield below("chain of 1e6 nodes, memory a node, built", (built - start) / nodes, "B", bar=300)
    yield below("chain of 1e6 nodes, memory a node, swept", (swept - start) / nodes, "B", bar=300)
    yield below("chain of 1e6 nodes, blocks left by `del`, no collector", left, "blocks", bar=1000)


# --- import -------------------------------------------------------------------------------------

FIRST_OP = """
import sys, opgrad
assert (opgrad.Value(2.0) * 3.0).data == 6.0
assert "numpy" not in sys.modules, "NumPy was imported"
"""


def import_time() -> Iterator[Result]:
    """`import opgrad` and a first scalar op, over a bare interpreter; wall time of processes."""
    programs = {"bare": "import sys", "opgrad": FIRST_OP, "attrs+pluggy": "import attrs, pluggy"}
    samples: dict[str, list[float]] = {name: [] for name in programs}
    # With bytecode, as pip installs it: kept apart, in case the tree cannot be written to.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp()
    for round_ in range(21):
        for name, program in programs.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True, env=environment)
            if round_:
                samples[name].append(1e3 * (time.perf_counter() - start))
    median = {name: statistics.median(times) for name, times in samples.items()}
    floor = median["attrs+pluggy"] - median["bare"]
    yield below(
        "import opgrad and a first scalar op, over bare Python",
        median["opgrad"] - median["bare"],
        "ms",
        bar=60,
        peer=f"attrs+pluggy alone {floor:.1f} ms",
    )


# glibc keeps what was freed, so no array costs fresh pages: the same step without its luck.
WARM = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "8589934592"}
ENVIRONMENTS = {"large-warm": WARM, "mlp-warm": WARM}

CASES: dict[str, Callable[[], Iterator[Result]]] = {
    "scalar": scalar_chain,
    "moons": moons,
    "small": small_arrays,
    "large": large_arrays,
    "large-warm": large_arrays,
    "hvp": hessian_vector,
    "hessian": rosenbrock_hessian,
    "mlp": network_step,
    "mlp-warm": network_step,
    "million": million_nodes,
    "import": import_time,
    "forty": forty_plugins,
}
