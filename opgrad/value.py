"""`Value`: data, its gradient, and the op and operands that made it.

Values are the nodes of the graph. They hold their operands and nothing that points back, so a
graph is freed by `del`; serial numbers rise from operand to result, so every walk is a loop over
nodes in the order of their serials.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from opgrad import namespaces
from opgrad.errors import ConversionError, NotDifferentiableError
from opgrad.op import Op

serials = itertools.count(1)
next_serial: Callable[[], int] = serials.__next__

paused: ContextVar[float] = ContextVar("opgrad_paused", default=0)
"""How many `no_grad` blocks are open in this thread or task: 0 records.

Half of one more stands for `opgrad.debug()`: one look at this tells the short road of a call
whether there is anything to do but to record.
"""
WATCHING = 0.5


@contextmanager
def no_grad() -> Iterator[None]:
    """Record nothing within: results are constants, in this thread or task alone.

    Examples:
        >>> import opgrad
        >>> w = opgrad.Value(2.0)
        >>> with opgrad.no_grad():
        ...     y = w * 3.0
        >>> y.requires_grad
        False
    """
    paused.set(paused.get() + 1)
    try:
        yield
    finally:  # counted, not restored: generators may leave such blocks in any order
        paused.set(paused.get() - 1)


@contextmanager
def recorded(*, on: bool) -> Iterator[None]:
    """Switch recording on or off within, for this thread or task: for sweeps, not for users."""
    token = paused.set(paused.get() % 1 + (0 if on else 1))
    try:
        yield
    finally:
        paused.reset(token)


MANY: Any = ("the operands are the tuple in `first`",)


class Value:
    """A Python number or an array that remembers how it was made.

    Args:
        data: A Python number or an array; never another Value.
        requires_grad: False for a constant. Default: True where `data` can have a gradient
            (real and complex numbers), False for integer and boolean arrays.

    Raises:
        NotDifferentiableError: `data` is neither number nor numeric array, or `requires_grad=True`
            was asked of integers or booleans.

    Examples:
        >>> a, b = Value(2.0), Value(-3.0)
        >>> c = a * b
        >>> c.backward()
        >>> c, a.grad, b.grad
        (Value(data=-6.0), -3.0, 2.0)
    """

    # serial: 0 for a constant; else the place in the topological order. It is renewed when the
    # data of a leaf is assigned, and negative once the data of a computed Value was.
    # first, second: the operands where there are at most two, which saves a tuple a node (a third
    # of its memory, half of the collector's work); else first is a tuple and second MANY.
    __slots__ = (
        "__weakref__", "_attributes", "_data", "_grad", "_label", "_saved", "first", "op", "second",
        "serial",
    )  # fmt: skip

    op: Op | None
    first: Any
    second: Any
    serial: int
    _data: Any
    _grad: Any
    _attributes: Mapping[str, Any]  # unset where the op has none
    _saved: Any  # unset where the op saves nothing; of a constant: when its data was assigned
    _label: str  # unset until the Value is named

    def __init__(self, data: Any, requires_grad: bool | None = None) -> None:  # noqa: FBT001 -- as in the ecosystem
        kind = namespaces.kind_of(data)
        if kind is None or (requires_grad and kind is namespaces.DISCRETE):
            raise NotDifferentiableError(_refusal(data))
        self._data = data
        self._grad = self._saved = None
        self.op = self.first = self.second = None
        wanted = kind is namespaces.REAL if requires_grad is None else requires_grad
        self.serial = next_serial() if wanted else 0

    def __init_subclass__(cls, **keywords: Any) -> None:
        message = "Value is final: an op tells Values by their exact type; hold a Value instead"
        raise TypeError(message)

    # -- what it holds ------------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The number or array. Assigning it makes older results of this Value stale."""
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        kind = namespaces.kind_of(data)
        if kind is None or (self.serial and kind is namespaces.DISCRETE):
            raise NotDifferentiableError(_refusal(data))
        self._data = data
        if not self.serial:
            self._saved = next_serial()
        else:
            self.serial = next_serial() if self.op is None else -next_serial()

    @property
    def grad(self) -> Any:
        """The gradient `backward` left here; zeros before.

        Raises:
            NotDifferentiableError: The data are integers or booleans.
        """
        try:
            grad = self._grad
        except AttributeError:
            grad = None
        if grad is not None:
            return grad
        if namespaces.kind_of(self._data) is not namespaces.REAL:
            raise NotDifferentiableError(_refusal(self._data))
        if type(self._data) in (int, float, complex):
            return 0.0

        return namespaces.of_type(type(self._data)).zeros_like(self._data)

    @grad.setter
    def grad(self, grad: Any) -> None:
        shape = getattr(grad, "shape", ())
        if shape not in {(), self.shape}:
            message = f"a gradient of {self.described} has its shape; got one of shape {shape}"
            raise NotDifferentiableError(message)
        self._grad = grad

    @property
    def label(self) -> str:
        """What pictures and trees call this Value; empty until it is named."""
        return getattr(self, "_label", "")

    @label.setter
    def label(self, label: str) -> None:
        self.named(label)

    def named(self, name: str) -> Value:
        """Give this Value a name for pictures and trees; returns itself.

        Examples:
            >>> w = Value(2.0).named("w1")
            >>> w.label
            'w1'
        """
        if not isinstance(name, str):
            message = f"a Value is named by a text, not by {name!r}"  # type: ignore[unreachable]  # in typed code
            raise TypeError(message)
        self._label = name

        return self

    @property
    def operands(self) -> tuple[Any, ...]:
        """What the op was called with: Values and plain constants; empty for a leaf."""
        if self.second is MANY:
            return self.first  # type: ignore[no-any-return]
        if self.op is None:
            return ()
        if self.second is None and len(self.op.operands) != 2:  # noqa: PLR2004 -- one operand
            return (self.first,)

        return (self.first, self.second)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The attributes the op was called with."""
        return MappingProxyType(getattr(self, "_attributes", {}))

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient can flow to or through this Value."""
        return self.serial != 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the data; `()` for a number."""
        return getattr(self._data, "shape", ())

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of entries."""
        count = 1
        for length in self.shape:
            count *= length

        return count

    @property
    def dtype(self) -> Any:
        """The dtype of the data; the Python type of a number."""
        return getattr(self._data, "dtype", type(self._data))

    @property
    def device(self) -> Any:
        """Where the data are: "cpu" for numbers and NumPy arrays."""
        return getattr(self._data, "device", "cpu")

    @property
    def described(self) -> str:
        """Type, dtype and shape in a few words: how messages name a Value."""
        return f"Value({namespaces.describe(self._data)})"

    @property
    def _prev(self) -> set[Value]:
        """The operands that are Values, under the name that from-scratch tutorials use."""
        return {operand for operand in self.operands if type(operand) is Value}

    @property
    def _op(self) -> str:
        """The symbol of the op, under the name that from-scratch tutorials use."""
        return self.op.symbol if self.op is not None else ""

    def backward(self, cotangent: Any = None, *, record: bool = False) -> None:
        """Set `grad` on every Value this one was made of.

        Leaves add up over calls; a computed Value holds the gradient of this call.

        Args:
            cotangent: The gradient of this Value, of its shape; may be left out for a scalar.
            record: Record the sweep, so that the gradients are Values to differentiate again.

        Raises:
            NotDifferentiableError: This Value is a constant, or no scalar and has no cotangent.
            InPlaceError: Data changed since the forward.

        Examples:
            >>> import opgrad
            >>> x = opgrad.Value(3.0)
            >>> (x * x).backward()
            >>> x.grad
            6.0
        """
        _backward[0](self, cotangent, record)

    # -- the Array API ------------------------------------------------------------------------

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        """`opgrad.ops`: the functions of the Array API standard, on Values.

        Raises:
            ValueError: The functions of another version of the standard are asked for.
        """
        ops = sys.modules["opgrad.ops"]  # which `import opgrad` has imported, from above this file
        versions = ("2021.12", "2022.12", "2023.12", ops.__array_api_version__)
        if api_version not in (None, *versions):
            message = f"opgrad.ops follows the Array API {ops.__array_api_version__}, not"
            raise ValueError(f"{message} {api_version!r}")

        return ops

    def to_device(self, device: Any, /, *, stream: Any = None) -> Value:
        """The Value itself where its data are on that device already.

        Raises:
            ValueError: They are on another, or a stream is given, which the CPU has none of.
        """
        if device != self.device or stream is not None:
            where = f"{device!r}{f' in stream {stream!r}' if stream is not None else ''}"
            message = (
                f"{self.described} is on the device {self.device!r} and does not go to {where}"
            )
            raise ValueError(message)

        return self

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None,
        copy: bool | None = None,
    ) -> Any:  # fmt: skip
        self._refuse_conversion("from_dlpack(v)")
        settings = {"max_version": max_version, "dl_device": dl_device, "copy": copy}

        return self._exchanged().__dlpack__(stream=stream, **settings)

    def __dlpack_device__(self) -> Any:
        return self._exchanged().__dlpack_device__()

    def _exchanged(self) -> Any:
        """The data as an array that DLPack knows: numbers of NumPy are none."""
        if hasattr(self._data, "__dlpack__") or not hasattr(self._data, "dtype"):
            return self._data

        return namespaces.of_type(type(self._data)).asarray(self._data)

    # -- Python's protocols -------------------------------------------------------------------

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"Value(data={self._data!r})"

    def __format__(self, specification: str) -> str:
        return format(self._data, specification) if specification else repr(self)

    def __len__(self) -> int:
        if not self.shape:
            message = f"{self.described} has no axes, hence no len()"
            raise TypeError(message)

        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            message = f"{self.described} has no axes, so there is nothing to iterate over"
            raise TypeError(message)
        return (self[index] for index in range(len(self)))  # type: ignore[index]

    def __setitem__(self, key: Any, value: Any) -> None:
        """Assign entries of a constant array, in a copy: no array outside is written to."""
        of_value = type(value) is Value and value.serial
        if self.serial or of_value or not hasattr(self._data, "dtype"):
            message = (
                f"entries of a Value are not assigned: {self.described}"
                f"{f' is to hold {value.described}' if of_value else ''}. Build the array with "
                "opgrad.ops.where or opgrad.ops.concat, or assign plain data before it becomes a "
                "Value"
            )
            raise ConversionError(message)
        data = namespaces.of_type(type(self._data)).array(self._data)
        data[_plain_key(key)] = value._data if type(value) is Value else value
        self.data = data

    def __contains__(self, item: Any) -> bool:
        message = "`in` on a Value is ambiguous; look in `v.data`"
        raise TypeError(message)

    def __bool__(self) -> bool:
        self._refuse_conversion("bool(v)")

        return bool(self._data)

    def __float__(self) -> float:
        self._refuse_conversion(
            "float(v), which a function such as math.exp(v) calls too (write opgrad.ops.exp(v)),"
        )

        return float(self._data)

    def __int__(self) -> int:
        self._refuse_conversion("int(v)")

        return int(self._data)

    def __round__(self, digits: int | None = None) -> Any:
        self._refuse_conversion("round(v)")

        return round(self._data, digits)

    def __trunc__(self) -> int:
        self._refuse_conversion("math.trunc(v)")

        return int(self._data)

    def __complex__(self) -> complex:
        self._refuse_conversion("complex(v)")

        return complex(self._data)

    def __index__(self) -> int:
        self._refuse_conversion("using v as an index")

        return int(self._data.__index__())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:  # noqa: FBT001 -- NumPy's protocol
        self._refuse_conversion("numpy.asarray(v), or an array of Values (make it by numpy.stack),")

        return sys.modules["numpy"].array(self._data, dtype=dtype, copy=copy)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles of a leaf are leaves of their own."""
        if self.op is not None:
            message = (
                f"{self.described} is a result of {self.op.described}, and its history cannot be "
                "copied or pickled; take v.data, or copy the leaves and run the forward again"
            )
            raise ConversionError(message)

        label = (self.label,) if self.label else ()

        return _leaf, (self._data, self._grad, self.serial != 0, *label)

    def _refuse_conversion(self, what: str) -> None:
        if self.serial:
            message = (
                f"{what} would lose the gradient of {self.described}; "
                "write v.data for the plain data, or opgrad.stop_gradient(v) for a constant"
            )
            raise ConversionError(message)


def _plain_key(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(map(_plain_key, key))

    return key._data if type(key) is Value else key


def _leaf(data: Any, grad: Any, requires_grad: bool, label: str = "") -> Value:  # noqa: FBT001 -- for pickle, by place
    value = Value(data, requires_grad)
    value.grad = grad

    return value.named(label) if label else value


def _refusal(data: Any) -> str:
    if isinstance(data, Value):
        return "a Value holds a number or an array, not another Value"
    described = namespaces.describe(data)
    if namespaces.kind_of(data) is namespaces.DISCRETE:
        return f"{described} has no gradient: convert to floats first, e.g. x.astype(float)"
    if isinstance(data, (list, tuple)):
        return f"{described} is not data: write numpy.asarray(...), or a list of Values"

    return f"{described} is not data: a Value holds a Python number or a numeric array"


_new = object.__new__
_backward: list[Callable[[Value, Any, bool], None]] = []  # filled by `backprop`


def hand_over_backward(backward: Callable[[Value, Any, bool], None]) -> None:
    """Tell Values how they are swept; called once, by `opgrad.backprop`."""
    _backward[:] = [backward]


def make_node(
    op: Op, operands: tuple[Any, ...], attributes: Mapping[str, Any], data: Any, saved: Any
) -> Value:
    """The Value an op call gives, unchecked: the caller has checked all there is."""
    node = _new(Value)
    node._data = data
    node.op = op
    if len(operands) == 1:
        (node.first,), node.second = operands, None
    elif len(operands) == 2:  # noqa: PLR2004 -- both find a place
        node.first, node.second = operands
    else:
        node.first, node.second = operands, MANY
    node.serial = next_serial()
    node._attributes = attributes
    node._saved = saved

    return node


def constant(data: Any) -> Value:
    """A Value that records nothing, unchecked."""
    value = _new(Value)
    value._data = data
    value._grad = value._saved = None
    value.op = value.first = value.second = None
    value.serial = 0

    return value
