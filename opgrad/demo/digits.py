"""A network of arrays on real handwritten digits, with whichever activation is installed.

The data are the 1,797 images of 8 by 8 pixels that scikit-learn carries (a copy of the test set of
"Optical Recognition of Handwritten Digits", UCI, E. Alpaydin and C. Kaynak, 1998). The network is
64-128-64-10, trained on minibatches by Adam with weight decay; the loss is the softmax
cross-entropy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from opgrad import Value, ops
from opgrad.demo.progress import Progress

if TYPE_CHECKING:
    from opgrad.demo.census import Census

NAME = "digits"
SIZES = (64, 128, 64, 10)
TEST_SHARE = 0.25

Activation = Callable[[Any], Any]
Array = np.ndarray[Any, Any]


@attrs.frozen
class Settings:
    """How long and how carefully to train."""

    epochs: int = 30
    batch: int = 32
    rate: float = 1e-2
    decay: float = 0.1


FULL = Settings()
QUICK = Settings(epochs=8)


def train(
    settings: Settings, *, activation: Activation, seed: int, census: Census
) -> Iterator[Progress]:
    """Train on minibatches; yield after each epoch.

    One thread of BLAS: the matrices are small, and the sums then add up in the same order
    whatever else the machine does.
    """
    train_images, test_images, train_labels, test_labels = load(seed)
    rng = np.random.default_rng(seed)
    parameters = make_parameters(rng)
    adam = Adam(parameters)
    batches = math.ceil(len(train_images) / settings.batch)
    for epoch in range(1, settings.epochs + 1):
        with threadpool_limits(1):
            rate = settings.rate * (1.0 - (epoch - 1) / settings.epochs)
            losses = []
            for rows in np.array_split(rng.permutation(len(train_images)), batches):
                scores = network(parameters, train_images[rows], activation)
                loss = cross_entropy(scores, train_labels[rows])
                for parameter in parameters:
                    parameter.grad = None
                loss.backward()
                adam.step(rate, decay=settings.decay)
                census.count(NAME, loss)
                losses.append(float(loss.data))
            # Plain arrays in, plain arrays out: a prediction records nothing.
            plain = [parameter.data for parameter in parameters]
            yield Progress(
                network=NAME,
                step=epoch,
                steps=settings.epochs,
                loss=sum(losses) / len(losses),
                train_accuracy=accuracy(network(plain, train_images, activation), train_labels),
                test_accuracy=accuracy(network(plain, test_images, activation), test_labels),
                unit="epoch",
            )


def load(seed: int) -> tuple[Array, Array, Array, Array]:
    """Images and labels to train on and to test with, each digit in the same proportion."""
    images, labels = load_digits(return_X_y=True)
    split = train_test_split(
        (images / 16.0).astype(np.float32),
        labels,
        test_size=TEST_SHARE,
        stratify=labels,
        random_state=seed,
    )
    train_images, test_images, train_labels, test_labels = split
    return train_images, test_images, train_labels, test_labels


def make_parameters(rng: np.random.Generator) -> list[Value]:
    """Weights of variance 2 / fan-in and biases 0, float32, layer by layer."""
    arrays: list[Array] = []
    for inputs, outputs in pairwise(SIZES):
        weights = rng.standard_normal((inputs, outputs), dtype=np.float32)
        arrays += [weights * np.float32(math.sqrt(2.0 / inputs)), np.zeros(outputs, np.float32)]
    return [Value(array) for array in arrays]


def network(parameters: list[Any], images: Array, activation: Activation) -> Any:
    """Scores of each image for each digit; parameters are Values or plain arrays."""
    w1, b1, w2, b2, w3, b3 = parameters
    hidden = activation(images @ w1 + b1)
    hidden = activation(hidden @ w2 + b2)
    return hidden @ w3 + b3


def cross_entropy(scores: Any, labels: Array) -> Any:
    """Mean over the images of -log softmax(scores)[label]."""
    right = scores[np.arange(len(labels)), labels]
    return ops.mean(ops.logsumexp(scores, axis=1) - right)


def accuracy(scores: Array, labels: Array) -> float:
    """Share of the images whose highest score is the label's."""
    return float((scores.argmax(axis=1) == labels).mean())


class Adam:
    """Descent with momentum, a step size a parameter and decoupled weight decay.

    Kingma and Ba 2014, arXiv:1412.6980; Loshchilov and Hutter 2017, arXiv:1711.05101.
    """

    def __init__(self, parameters: list[Value]) -> None:
        self.parameters = parameters
        self.means = [np.zeros_like(parameter.data) for parameter in parameters]
        self.squares = [np.zeros_like(parameter.data) for parameter in parameters]
        self.steps = 0

    def step(self, rate: float, *, decay: float) -> None:
        """Move each parameter against its gradient, and a little towards zero."""
        keep, keep_square = 0.9, 0.999
        self.steps += 1
        unbiased = rate * math.sqrt(1.0 - keep_square**self.steps) / (1.0 - keep**self.steps)
        for index, parameter in enumerate(self.parameters):
            gradient = parameter.grad
            self.means[index] += (1.0 - keep) * (gradient - self.means[index])
            self.squares[index] += (1.0 - keep_square) * (gradient**2 - self.squares[index])
            step = self.means[index] / (np.sqrt(self.squares[index]) + 1e-8)
            parameter.data -= unbiased * step + rate * decay * parameter.data
