"""What a training loop says about itself after each step."""

from __future__ import annotations

import attrs


@attrs.frozen
class Progress:
    """One step (moons) or one epoch (digits) of a network's training."""

    network: str
    step: int
    steps: int
    loss: float
    train_accuracy: float
    test_accuracy: float
    unit: str = "step"

    @property
    def last(self) -> bool:
        """Whether the network's training is over."""
        return self.step == self.steps
