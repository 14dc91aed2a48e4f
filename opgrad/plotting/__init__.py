"""Pictures of functions and of training: matplotlib, imported by the first one that is drawn."""

from __future__ import annotations

from opgrad.plotting.functions import plot
from opgrad.plotting.minima import minima
from opgrad.plotting.training import decision_boundary, losses

__all__ = ["decision_boundary", "losses", "minima", "plot"]
