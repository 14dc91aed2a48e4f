"""What calls of NumPy mean in ops: names, argument names and orders where NumPy has others.

Loaded when NumPy first hands a call over (`opgrad.methods`), so NumPy is there already. A function
is found by what it *is* (the `tanh` of the module `numpy`), never by its bare name. It has a line
in `_ROWS`, a function in `opgrad.numpy_functions` written in ops, or a place in `_PLAIN`; else the
op of that name runs. What has none of these raises: nothing ever loses the gradient.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from opgrad.errors import CallError, ConversionError, UnknownOpError
from opgrad.families import BUILT_IN, members
from opgrad.namespaces import numpy as xp
from opgrad.numpy_functions import BY_NAME
from opgrad.numpy_functions.operands import array, operand, ops
from opgrad.op import Op
from opgrad.plugins import PLUGINS
from opgrad.types import shape as shape_of
from opgrad.value import Value

# -- the table ------------------------------------------------------------------------------------

_HARMLESS: dict[str, tuple[Any, ...]] = {
    "out": (None,),
    "where": (True,),
    "initial": (None,),
    "dtype": (None,),
    "casting": ("same_kind",),
    "order": (None, "C"),
    "subok": (True, False),
    "norm": (None,),
    "stable": (None,),
    "mode": ("raise",),
    "shape": (None,),
    "device": (None, "cpu"),
    "mean": (None,),
    "axes": (None,),
    "signature": (None,),
}
"""Settings of NumPy's that ask for nothing: they are left out of the call of the op."""

_OVER = "a>x axis -out keepdims -initial -where"
_SPREAD = "a>x axis -dtype -out ddof>correction keepdims -where -mean correction"
_RUN = "a>x axis dtype -out"
_FFT, _FFTN = "a>x n axis norm -out", "a>x s axes norm -out"

_ROWS = {
    # NumPy's name: the op, then NumPy's parameters in their order. `a>x` is the op's operand or
    # attribute x; `-out` has no meaning here and is refused; `~kind` changes nothing and is
    # dropped; `*arrays` is a sequence of operands.
    "all": f"all {_OVER}",
    "any": f"any {_OVER}",
    "argmax": "argmax a>x axis -out keepdims",
    "argmin": "argmin a>x axis -out keepdims",
    "amax": f"max {_OVER}",
    "amin": f"min {_OVER}",
    "broadcast_to": "broadcast_to array>x shape -subok",
    "clip": "clip a>x a_min>min a_max>max -out min max -dtype -where",
    "copy": "positive a>x ~order ~subok",
    "count_nonzero": "count_nonzero a>x axis keepdims",
    "cumprod": f"cumulative_prod {_RUN}",
    "cumsum": f"cumulative_sum {_RUN}",
    "cumulative_prod": "cumulative_prod x axis dtype -out include_initial",
    "cumulative_sum": "cumulative_sum x axis dtype -out include_initial",
    "diff": "diff a>x n axis prepend append",
    "empty_like": "zeros_like prototype>x dtype ~order ~subok -shape device",
    "expand_dims": "expand_dims a>x axis",
    "fix": "trunc x -out",
    "flip": "flip m>x axis",
    "imag": "imag val>x",
    "isin": "isin element>x1 test_elements>x2 ~assume_unique invert ~kind",
    "max": f"max {_OVER}",
    "mean": "mean a>x axis -dtype -out keepdims -where",
    "min": f"min {_OVER}",
    "moveaxis": "moveaxis a>x source destination",
    "nonzero": "nonzero a>x",
    "ones_like": "ones_like a>x dtype ~order ~subok -shape device",
    "pad": "pad array>x pad_width mode constant_values",
    "prod": "prod a>x axis dtype -out keepdims -initial -where",
    "real": "real val>x",
    "repeat": "repeat a>x repeats axis",
    "roll": "roll a>x shift axis",
    "searchsorted": "searchsorted a>x1 v>x2 side sorter",
    "squeeze": "squeeze a>x axis",
    "stack": "stack *arrays axis -out -dtype -casting",
    "std": f"std {_SPREAD}",
    "sum": "sum a>x axis dtype -out keepdims -initial -where",
    "swapaxes": "swapaxes a>x axis1 axis2",
    "take": "take a>x indices axis -out -mode",
    "tensordot": "tensordot a b axes",
    "tile": "tile A>x reps>repetitions",
    "transpose": "transpose a>x axes",
    "tril": "tril m>x k",
    "triu": "triu m>x k",
    "var": f"var {_SPREAD}",
    "zeros_like": "zeros_like a>x dtype ~order ~subok -shape device",
    # methods of ufuncs
    "add.reduce": "sum array>x axis dtype keepdims -initial -where",
    "multiply.reduce": "prod array>x axis dtype keepdims -initial -where",
    "maximum.reduce": "max array>x axis -dtype keepdims -initial -where",
    "minimum.reduce": "min array>x axis -dtype keepdims -initial -where",
    "logaddexp.reduce": "logsumexp array>x axis -dtype keepdims -initial -where",
    "logical_and.reduce": "all array>x axis -dtype keepdims -initial -where",
    "logical_or.reduce": "any array>x axis -dtype keepdims -initial -where",
    "add.accumulate": "cumulative_sum array>x axis dtype",
    "multiply.accumulate": "cumulative_prod array>x axis dtype",
    # numpy.linalg
    "linalg.cholesky": "linalg.cholesky a>x upper",
    "linalg.cross": "linalg.cross x1>a x2>b axis",
    "linalg.det": "linalg.det a>x",
    "linalg.diagonal": "linalg.diagonal x offset",
    "linalg.eigvalsh": "linalg.eigvalsh a>x ~UPLO",
    "linalg.inv": "linalg.inv a>x",
    "linalg.matmul": "matmul x1>a x2>b",
    "linalg.matrix_power": "linalg.matrix_power a>x n",
    "linalg.outer": "outer x1>a x2>b",
    "linalg.solve": "linalg.solve a b",
    "linalg.tensordot": "tensordot x1>a x2>b axes",
    "linalg.trace": "linalg.trace x offset dtype",
    "linalg.vecdot": "vecdot x1>a x2>b axis",
    # numpy.fft
    **{f"fft.{name}": f"fft.{name} {_FFT}" for name in ("fft", "ifft", "rfft", "irfft")},
    **{f"fft.{name}": f"fft.{name} {_FFT}" for name in ("hfft", "ihfft")},
    **{f"fft.{name}": f"fft.{name} {_FFTN}" for name in ("fftn", "ifftn", "rfftn", "irfftn")},
    "fft.fftshift": "fft.fftshift x axes",
    "fft.ifftshift": "fft.ifftshift x axes",
}

_PLAIN = frozenset(
    [
        "allclose",
        "argpartition",
        "argwhere",
        "array2string",
        "array_equal",
        "array_equiv",
        "array_repr",
        "array_str",
        "can_cast",
        "common_type",
        "diag_indices_from",
        "digitize",
        "einsum_path",
        "flatnonzero",
        "isclose",
        "iscomplex",
        "iscomplexobj",
        "isreal",
        "isrealobj",
        "lexsort",
        "linalg.matrix_rank",
        "may_share_memory",
        "min_scalar_type",
        "ndim",
        "ravel_multi_index",
        "result_type",
        "shape",
        "shares_memory",
        "size",
        "tril_indices_from",
        "triu_indices_from",
        "unravel_index",
    ]
)
"""Functions whose result never carries a derivative: NumPy runs them on the data."""

_WRITES = frozenset({"copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"})
"""Functions that change an array, and those that call them (`numpy.full` calls `copyto`)."""

# -- from a function to a call --------------------------------------------------------------------

_HOMES = {"numpy": "", "numpy.linalg": "linalg.", "numpy.fft": "fft."}
_SHARED = frozenset({"cbrt", "erf", "erfc", "exp2", "expm1", "log1p", "xlogy"})
"""Functions of `scipy.special` that are built-in ops too, for where the plugin is not installed."""


def call_of(function: Any, declared: Mapping[str, Op]) -> Callable[..., Any]:
    """What runs where NumPy would run `function` on a Value.

    Args:
        function: A ufunc, or a function that NumPy hands over; of NumPy or a library built on it.
        declared: NumPy's names, as ops declare them.

    Raises:
        UnknownOpError: Nothing does, so the call would lose the gradient.
        PluginError: The plugin that should have the op cannot be used.
    """
    name = function.__name__
    for module, prefix in _HOMES.items():
        if vars(sys.modules.get(module, object)).get(name) is function:
            return _of_numpy(prefix, name, declared, function)

    return _of_library(function, declared)


def _of_numpy(
    prefix: str, name: str, declared: Mapping[str, Op], function: Any
) -> Callable[..., Any]:
    key = prefix + name
    op = declared.get(name)
    namespace = op.provider.namespace if op is not None and op.provider is not None else ""
    if op is not None and namespace not in PLUGINS.built_in:
        return op  # a plugin that says it means NumPy's function
    if key in _ROWS:
        return _row(key, _ROWS[key])
    if key in BY_NAME:
        return _checked(key, BY_NAME[key])
    if key in _PLAIN:
        return _plainly(function)
    if prefix:
        PLUGINS.load(prefix[:-1])
        tables = map(PLUGINS.registry.table, (prefix[:-1], BUILT_IN))
        op = next((table[name] for table in tables if name in table), None)
    elif namespace != BUILT_IN:
        op = None
    found = op or getattr(members(BUILT_IN).get(name), name, None)
    if found is None:
        hint = ", which writes into an array" if key in _WRITES else ""
        raise UnknownOpError(_unknown(f"numpy.{key}{hint}", ""))

    return found if isinstance(function, xp.ufunc) else _checked(key, found)


def _of_library(function: Any, declared: Mapping[str, Op]) -> Callable[..., Any]:
    """The op of that name in the plugin whose namespace is the name of the library.

    `scipy.special.gammaln` is `scipy.gammaln`. The plugin need not be loaded before.
    """
    name = function.__name__
    libraries = sorted(_libraries_of(function) - {"numpy", "__main__"})
    for library in libraries:
        if library in PLUGINS.sources():
            PLUGINS.load(library)
            op = PLUGINS.registry.table(library).get(name) or declared.get(name)
            if op is not None and op.provider is not None and op.provider.namespace == library:
                return op
    if "scipy" in libraries and name in _SHARED:
        return PLUGINS.registry.table(BUILT_IN)[name]
    missing = [repr(it) for it in libraries if it not in PLUGINS.sources()]
    hint = f" (no plugin {' or '.join(missing)} is installed)" if missing else ""
    where = " and ".join(libraries) or getattr(function, "__module__", None) or "NumPy"
    raise UnknownOpError(_unknown(f"{where}'s {name}", hint))


def _libraries_of(function: Any) -> frozenset[str]:
    """The imported packages that have this very function under its name.

    A ufunc does not tell where it is from, so they are searched: once a function, 2 ms.
    """
    name = function.__name__
    modules = [(key, getattr(module, "__dict__", {})) for key, module in [*sys.modules.items()]]

    return frozenset(key.partition(".")[0] for key, held in modules if held.get(name) is function)


def _unknown(what: str, hint: str) -> str:
    return (
        f"opgrad has no op for {what}{hint}, so this call would lose the gradient; "
        "write it with functions that have one, define an op (opgrad.op), or call it on v.data"
    )


# -- ufuncs with keywords, and their methods ------------------------------------------------------


def call_ufunc(
    function: Any, method: str, call: Callable[..., Any] | None, inputs: Any, keywords: Any
) -> Any:
    """A ufunc with keywords, or a method of it: `numpy.add.reduce(v, axis=1)`.

    Raises:
        UnknownOpError: The method has no op.
        CallError: A keyword has no meaning for the op.
        ConversionError: The result is to be written into an array.
    """
    name = function.__name__
    out = keywords.pop("out", None)
    if out is not None and any([it is not None for it in _sequence(out)]):
        raise ConversionError(_refused(name, "out"))
    if method == "__call__" and call is not None:
        taken = getattr(call, "attributes", {})
        given = _settings(f"numpy.{name}", keywords, taken)
        return call(*map(operand, inputs), **given)
    if method == "outer" and call is not None:
        a, b = map(operand, inputs)
        spread = ops.reshape(a, shape=(*shape_of(a), *(1,) * len(shape_of(b))))
        return call(spread, b, **_settings(f"numpy.{name}.outer", keywords, ()))
    row = _ROWS.get(f"{name}.{method}")
    if row is None or getattr(xp, name, None) is not function:
        raise UnknownOpError(_unknown(f"numpy.{name}.{method}", ""))

    return _row(f"{name}.{method}", row)(*inputs, **{"axis": 0, **keywords})


def _settings(what: str, keywords: Mapping[str, Any], taken: Iterable[str]) -> dict[str, Any]:
    """The keywords that the op takes; those that ask for nothing are dropped.

    Raises:
        CallError: Another one is left.
    """
    kept = {k: v for k, v in keywords.items() if not _harmless(k, v)}
    for keyword in kept:
        if keyword not in taken:
            raise CallError(_refused(what.removeprefix("numpy."), keyword))

    return kept


def _refused(name: str, keyword: str) -> str:
    ways = {
        "out": "would write a Value into an array and lose its gradient (`array += v` does that "
        "too); write `array = array + v`",
        "where": "has no meaning for its op; write numpy.where(mask, result, other)",
        "dtype": "has no meaning for its op; convert the operand with v.astype(dtype)",
        "initial": "has no meaning for its op; add it to the result",
    }
    way = ways.get(keyword, "has no meaning for its op; leave it out, or call it on v.data")

    return f"the argument {keyword!r} of numpy.{name} {way}"


# -- calls of functions ---------------------------------------------------------------------------


def _row(key: str, row: str) -> Callable[..., Any]:
    """The call that a line of the table describes."""
    path, *parameters = row.split()
    op: Any = ops
    for part in path.split("."):
        op = getattr(op, part)
    names = [parameter.lstrip("-~*").partition(">")[0] for parameter in parameters]
    targets = {
        name: parameter if parameter[0] in "-~*" else parameter.partition(">")[2] or parameter
        for name, parameter in zip(names, parameters, strict=True)
    }
    operands = set(op.operands)

    def made(target: str, value: Any) -> Any:
        if target not in operands:
            return _frozen(value)
        return array(operand(value)) if target == "x" else operand(value)

    def call(*args: Any, **keywords: Any) -> Any:
        given = _named(key, names, args, keywords)
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for name, value in given.items():
            target = targets[name]
            if target[0] == "-":
                kind = ConversionError if name == "out" else CallError
                raise kind(_refused(key, name))
            if target[0] == "*":
                positional.append([array(operand(x)) for x in value])
            elif target[0] != "~":
                named[target] = made(target, value)

        return op(*positional, **named)

    return call


def _named(
    key: str, names: Sequence[str], args: Sequence[Any], keywords: Mapping[str, Any]
) -> dict[str, Any]:
    """Arguments by NumPy's names, without those that ask for nothing.

    Raises:
        CallError: Too many, one twice, or one that NumPy has not.
    """
    if len(args) > len(names):
        message = f"numpy.{key} takes {len(names)} arguments ({', '.join(names)}), got {len(args)}"
        raise CallError(message)
    given = dict(zip(names, args, strict=False))
    for name, value in keywords.items():
        if name not in names or name in given:
            twice = "was given twice" if name in given else "is unknown here"
            message = f"the argument {name!r} of numpy.{key} {twice}; it has {', '.join(names)}"
            raise CallError(message)
        given[name] = value

    return {name: value for name, value in given.items() if not _harmless(name, value)}


def _checked(key: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose arguments are bound first, so that a wrong one is named as NumPy's."""
    signature = None if isinstance(function, Op) else inspect.signature(function)
    known: Any = signature.parameters if signature else (*function.operands, *function.attributes)  # type: ignore[attr-defined]

    def call(*args: Any, **keywords: Any) -> Any:
        left = {k: v for k, v in keywords.items() if not _harmless(k, v)}
        for name in left:
            if name not in known:
                kind = ConversionError if name == "out" else CallError
                raise kind(_refused(key, name))
        if signature is not None:
            try:
                signature.bind(*args, **left)
            except TypeError as error:
                message = f"numpy.{key} was called wrongly: {error}"
                raise CallError(message) from error

        return function(*args, **left)

    return call


def _plainly(function: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's own function, on the data."""

    def call(*args: Any, **keywords: Any) -> Any:
        if keywords.get("out") is not None:
            raise ConversionError(_refused(function.__name__, "out"))
        return function(*_data(args), **_data(keywords))

    return call


def _harmless(name: str, value: Any) -> bool:
    if type(value).__name__ == "_NoValueType":
        return True

    return any(
        [value is it or (type(value) is str and value == it) for it in _HARMLESS.get(name, ())]
    )


def _data(x: Any) -> Any:
    if isinstance(x, list | tuple):
        return type(x)([_data(part) for part in x]) if type(x) in {list, tuple} else x
    if isinstance(x, dict):
        return {name: _data(part) for name, part in x.items()}

    return x.data if type(x) is Value else x


def _frozen(x: Any) -> Any:
    """A setting as ops take it: plain and hashable."""
    if isinstance(x, xp.ndarray | xp.generic):
        x = x.tolist()
    if isinstance(x, list | tuple):
        return tuple([_frozen(part) for part in x])

    return x


def _sequence(x: Any) -> Sequence[Any]:
    return x if isinstance(x, list | tuple) else (x,)
