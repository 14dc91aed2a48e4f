"""Every kernel that plugins offer, and what comes of it: whether it fits, and whether it runs."""

from __future__ import annotations

import attrs

from opgrad.errors import OpgradError, UnknownOpError
from opgrad.kernels import Kernel
from opgrad.op import Op
from opgrad.plugins import PLUGINS
from opgrad.preferring import PREFERENCES


@attrs.frozen
class Candidate:
    """A kernel that a loaded plugin offers, and what comes of it."""

    kernel: Kernel
    op: Op | None
    """The kernel as an op; None where it cannot run, or its op is of no plugin that is here."""
    problem: str = ""
    chosen_by: str | None = None
    """Who prefers it, "" for a `with` block; None where it does not run."""


def candidates(name: str | None = None) -> list[Candidate]:
    """Every kernel that a loaded plugin offers, or those for one op, by op and data."""
    kernels = [kernel for kernel in PREFERENCES.offers if name in {None, kernel.op}]

    return [_candidate(kernel) for kernel in sorted(kernels, key=lambda k: (k.op, k.data))]


def _candidate(kernel: Kernel) -> Candidate:
    offers = PREFERENCES.offers
    try:
        PLUGINS.load(kernel.op.rpartition(".")[0])
        owner = offers.owner(kernel)
        made = offers.fit(kernel, owner) if owner is not None else None
    except UnknownOpError:  # no such plugin is installed, or it is switched off
        owner = made = None
    except OpgradError as error:
        return Candidate(kernel, None, str(error))
    if owner is None or made is None:
        return Candidate(kernel, None)

    return Candidate(kernel, made, "", dict(PREFERENCES.running(owner).values()).get(made))
