"""`Finding`: one thing that is wrong, with the way out."""

from __future__ import annotations

import attrs

KINDS = {
    "conflict": "two distributions, or two plugins, claim one name",
    "name": "a namespace that no plugin may have",
    "failure": "a plugin that raises, or hands over what opgrad refuses",
    "hang": "a plugin that does not come to an end",
    "crash": "a plugin that a signal ended, with the process it was in",
    "exit": "a plugin that ended its process",
    "other opgrad": "a plugin built for another version of opgrad",
    "requirement": "a plugin whose requirements are not met",
    "slow": "a plugin whose import takes long",
    "noise": "a plugin that prints a lot while it is imported",
    "side effect": "a plugin that changes its surroundings by being imported",
    "variable": "a variable that opgrad does not read, or that names what is not there",
    "preference": "a preference for a plugin that is not there",
    "editable": "an editable install that no longer fits its folder",
    "stale": "an installation that is damaged, doubled or out of date",
}
"""Every kind of finding, and what it means."""


@attrs.frozen
class Finding:
    """One thing that is wrong with what is installed here, or with how it is switched.

    >>> Finding("variable", "OPGRAD_PLUGIN", "opgrad reads no such variable", "unset it")
    Finding(kind='variable', subject='OPGRAD_PLUGIN', ...)
    """

    kind: str = attrs.field(validator=attrs.validators.in_(KINDS))
    subject: str
    """The namespace, distribution or variable it is about."""
    problem: str
    remedy: str
    """The way out, as something one can do."""
    place: str = ""
    """`file:line` in the plugin, where it is known."""
    printed: str = ""
    """The last that the plugin printed, where that may be the reason."""
