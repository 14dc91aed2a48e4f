"""The exception tree. Each exception is also the builtin kind that fits it.

```
OpgradError
├── OpDefinitionError        TypeError            a malformed op, refused when it is made
├── CallError                TypeError            wrong operands or attributes in a call
├── UnknownOpError           AttributeError,      no such op, or its plugin is not there
│                            LookupError
├── MissingRuleError         NotImplementedError  an op without the rule this sweep needs
├── RuleError                ValueError           a rule returned the wrong thing
├── NotDifferentiableError   TypeError            a gradient was asked of what has none
├── NonFiniteError           ArithmeticError      the first NaN or inf, under opgrad.debug()
├── InPlaceError             RuntimeError         data changed between forward and backward
├── ConversionError          TypeError            a conversion that would lose the gradient
├── ScaffoldError            ValueError           `opgrad new` cannot write what was asked for
└── PluginError              ImportError          a plugin that cannot be used
    └── ConflictError                             two plugins claim one name
```
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class OpgradWarning(UserWarning):
    """Something that is allowed and likely a mistake."""


class OpgradError(Exception):
    """Everything opgrad raises on purpose."""


class OpDefinitionError(OpgradError, TypeError):
    """An op or a rule is malformed; raised where it is defined."""


class CallError(OpgradError, TypeError):
    """An op was called with operands or attributes it does not take."""


class UnknownOpError(OpgradError, AttributeError, LookupError):
    """No installed plugin provides the op, or the plugin that should is not available."""


class MissingRuleError(OpgradError, NotImplementedError):
    """An op has no rule for the mode that was asked for."""


class RuleError(OpgradError, ValueError):
    """A rule returned a wrong count, shape, dtype, or nothing at all."""


class NotDifferentiableError(OpgradError, TypeError):
    """A gradient was asked of integers, booleans, strings or objects, or of a non-scalar."""


class NonFiniteError(OpgradError, ArithmeticError):
    """The first NaN or inf that an op or a rule made, under `opgrad.debug()`."""


class InPlaceError(OpgradError, RuntimeError):
    """The data of a Value changed after an op had used it."""


class ConversionError(OpgradError, TypeError):
    """A Value that is being differentiated was about to lose its gradient silently."""


class ScaffoldError(OpgradError, ValueError):
    """The files of a new plugin or op cannot be written; nothing was."""


class PluginError(OpgradError, ImportError):
    """A plugin failed to import, to load, or breaks the rules of the registry."""


class ConflictError(PluginError):
    """Two distributions, or two ops, claim one name."""


def did_you_mean(name: str, known: Iterable[str], count: int = 1, cutoff: float = 0.6) -> str:
    """`; did you mean 'sin'?` with the nearest known names, or `;` where none is near."""
    near = difflib.get_close_matches(name, list(known), count, cutoff)

    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ";"
