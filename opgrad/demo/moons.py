"""A network of scalar Values on two moons: Python floats alone, no array library.

The network is 2-16-16-1 with ReLU, trained by gradient descent on a max-margin loss with a
little L2: the demonstration of micrograd, written for opgrad.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs

from opgrad import Value, ops
from opgrad.demo.progress import Progress

if TYPE_CHECKING:
    from opgrad.demo.census import Census

NAME = "moons"
SIZES = (2, 16, 16, 1)
L2 = 1e-4

Neuron = tuple[list[Any], Any]
"""Weights and bias: Values while training, floats for prediction."""
Layers = list[list[Neuron]]
Point = tuple[float, float]


@attrs.frozen
class Settings:
    """How many points the network sees, and how often."""

    points: int = 100
    test_points: int = 200
    steps: int = 60


FULL = Settings()
QUICK = Settings(points=40, steps=25)


def train(settings: Settings, *, seed: int, census: Census) -> Iterator[Progress]:
    """Train on full batches; yield after each step.

    The same seed gives the same floats on every machine of the same C library.
    """
    rng = random.Random(seed)  # noqa: S311 -- data and weights, no secret
    train_points, train_labels = two_moons(settings.points, rng)
    test_points, test_labels = two_moons(settings.test_points, rng)
    layers = make_layers(rng)
    values = parameters(layers)
    for step in range(1, settings.steps + 1):
        scores = [score(layers, point) for point in train_points]
        loss = margin_loss(scores, train_labels) + L2 * sum(p * p for p in values)
        for value in values:
            value.grad = None
        loss.backward()
        rate = 1.0 - 0.9 * step / settings.steps
        for value in values:
            value.data -= rate * value.grad
        census.count(NAME, loss)
        # Plain numbers in, plain numbers out: a prediction records nothing.
        plain = without_values(layers)
        yield Progress(
            network=NAME,
            step=step,
            steps=settings.steps,
            loss=loss.data,
            train_accuracy=accuracy([s.data for s in scores], train_labels),
            test_accuracy=accuracy([score(plain, p) for p in test_points], test_labels),
        )


def two_moons(count: int, rng: random.Random) -> tuple[list[Point], list[int]]:
    """`count` noisy points on two interleaved half circles, with labels -1 and 1."""
    points: list[Point] = []
    labels = []
    for index in range(count):
        angle = rng.uniform(0.0, math.pi)
        x, y = math.cos(angle), math.sin(angle)
        if index % 2:
            x, y = 1.0 - x, 0.5 - y
        points.append((x + rng.gauss(0.0, 0.1), y + rng.gauss(0.0, 0.1)))
        labels.append(1 if index % 2 else -1)
    return points, labels


def make_layers(rng: random.Random) -> Layers:
    """Layers of leaf Values, weights uniform in (-1, 1), biases 0."""
    return [
        [
            ([Value(rng.uniform(-1.0, 1.0)) for _ in range(inputs)], Value(0.0))
            for _ in range(outputs)
        ]
        for inputs, outputs in pairwise(SIZES)
    ]


def parameters(layers: Layers) -> list[Any]:
    """Every weight and bias."""
    return [value for layer in layers for weights, bias in layer for value in (*weights, bias)]


def without_values(layers: Layers) -> Layers:
    """Return the same layers as plain floats."""
    return [
        [([weight.data for weight in weights], bias.data) for weights, bias in layer]
        for layer in layers
    ]


def score(layers: Layers, signals: Sequence[Any]) -> Any:
    """Run one point through the network; positive means the second moon."""
    *hidden, (output,) = layers
    for layer in hidden:
        signals = [ops.relu(weigh(neuron, signals)) for neuron in layer]
    return weigh(output, signals)


def weigh(neuron: Neuron, signals: Sequence[Any]) -> Any:
    """Return bias + sum of weight * signal."""
    weights, total = neuron
    for weight, signal in zip(weights, signals, strict=True):
        total = total + weight * signal
    return total


def margin_loss(scores: Sequence[Any], labels: Sequence[int]) -> Any:
    """Mean over the points of relu(1 - label * score)."""
    losses = [ops.relu(1.0 - label * value) for label, value in zip(labels, scores, strict=True)]
    return sum(losses) * (1.0 / len(losses))


def accuracy(scores: Sequence[float], labels: Sequence[int]) -> float:
    """Share of the scores whose sign is the label's."""
    right = sum((value > 0) == (label > 0) for value, label in zip(scores, labels, strict=True))
    return right / len(labels)
