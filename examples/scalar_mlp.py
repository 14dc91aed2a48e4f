"""A multi-layer perceptron of scalar Values, written out by hand, learns exclusive or.

No array library: every weight is one Python float in one Value. Expected: the network's
answers round to the truth table, -1 for equal inputs and 1 for different ones.
"""

import itertools
import random

from opgrad import Value

POINTS = ((-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0))
TARGETS = (-1.0, 1.0, 1.0, -1.0)


class Neuron:
    """tanh(w·x + b): one weight an input, and a bias."""

    def __init__(self, inputs, rng):
        self.weights = [Value(rng.uniform(-1.0, 1.0)) for _ in range(inputs)]
        self.bias = Value(0.0)

    def __call__(self, xs):
        """Return the neuron's activation for one point."""
        total = self.bias
        for w, x in zip(self.weights, xs, strict=True):
            total = total + w * x
        return total.tanh()

    def parameters(self):
        """Return the Values that training changes."""
        return [*self.weights, self.bias]


class MLP:
    """Layers of neurons, each fed with what the layer before it gave."""

    def __init__(self, sizes, rng):
        self.layers = [
            [Neuron(inputs, rng) for _ in range(outputs)]
            for inputs, outputs in itertools.pairwise(sizes)
        ]

    def __call__(self, xs):
        """Return the single output of the network for one point."""
        for layer in self.layers:
            xs = [neuron(xs) for neuron in layer]
        (output,) = xs
        return output

    def parameters(self):
        """Return the Values that training changes."""
        return [p for layer in self.layers for neuron in layer for p in neuron.parameters()]


def loss_of(mlp):
    """Return the mean squared error over the four points."""
    errors = [(mlp(xs) - target) ** 2 for xs, target in zip(POINTS, TARGETS, strict=True)]
    return sum(errors) / len(errors)


def train(mlp, *, steps=300, rate=0.2):
    """Change the parameters against their gradients and yield each step's loss."""
    for _ in range(steps):
        loss = loss_of(mlp)
        for p in mlp.parameters():
            p.grad = 0.0
        loss.backward()
        for p in mlp.parameters():
            p.data -= rate * p.grad
        yield loss.data


def main():
    """Train, then print loss and answers beside the truth table."""
    mlp = MLP((2, 4, 1), random.Random(1))  # noqa: S311 -- repeatable, not secret
    losses = list(train(mlp))
    print(f"parameters {len(mlp.parameters())}")
    print(f"loss       {losses[0]:.4f} -> {losses[-1]:.4f}")
    for xs, target in zip(POINTS, TARGETS, strict=True):
        answer = mlp(xs).data
        print(f"input {xs[0]:+.0f} {xs[1]:+.0f}  answer {answer:+.3f}  expected {target:+.0f}")


if __name__ == "__main__":
    main()
