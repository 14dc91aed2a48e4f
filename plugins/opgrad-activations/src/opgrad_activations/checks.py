"""Checks of attribute values.

opgrad has compared each attribute with the type of its default before a forward sees it; what
only the author knows (a slope that must be positive, a word from a short list) is checked here.
A forward checks, and the rules after it trust.
"""

from __future__ import annotations

from opgrad.errors import CallError


def check_positive(op: str, **attributes: float) -> None:
    """Refuse an attribute that is not above zero."""
    for name, value in attributes.items():
        if not value > 0:
            raise CallError(f"{op}: {name} must be positive, got {value!r}")


def check_not_negative(op: str, **attributes: float) -> None:
    """Refuse an attribute below zero."""
    for name, value in attributes.items():
        if not value >= 0:
            raise CallError(f"{op}: {name} must not be negative, got {value!r}")


def check_choice(op: str, choices: tuple[str, ...], **attributes: str) -> None:
    """Refuse an attribute that is not one of the words."""
    for name, value in attributes.items():
        if value not in choices:
            words = " or ".join(map(repr, choices))
            raise CallError(f"{op}: {name} must be {words}, got {value!r}")
