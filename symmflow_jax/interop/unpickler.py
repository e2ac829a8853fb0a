"""An unpickler of PyTorch's files that runs nothing of what a file names.

A pickle can name any function and have it called. Here every name is either one of the few that
tensors need, or gives a `PassedOver`: an object that stands for whatever the file would make, takes
all instructions and does nothing. No module is imported, no function is called and no attribute is
set for the file.
"""

import dataclasses
import pickle
import struct
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import ml_dtypes
import numpy as np


@dataclasses.dataclass(frozen=True, slots=True)
class Storage:
    """Numbers that one or more tensors share: key in the file, dtype and count."""

    key: str
    dtype: np.dtype
    size: int


@dataclasses.dataclass(frozen=True, slots=True)
class Tensor:
    """A view of a storage; offset and strides count elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self):
        numbers = (self.offset, *self.shape, *self.strides)
        if len(self.shape) != len(self.strides) or not all(
            isinstance(number, int) and number >= 0 for number in numbers
        ):
            raise ValueError("a tensor has an impossible shape")
        last = self.offset + sum(
            (count - 1) * stride for count, stride in zip(self.shape, self.strides, strict=True)
        )
        if 0 not in self.shape and last >= self.storage.size:
            raise ValueError("a tensor reaches beyond its storage")

    def view(self, numbers: np.ndarray) -> np.ndarray:
        """The tensor as a read-only array, from all numbers of its storage."""
        if 0 in self.shape:
            return np.empty(self.shape, self.storage.dtype)
        strides = tuple(stride * numbers.itemsize for stride in self.strides)
        return np.lib.stride_tricks.as_strided(
            numbers[self.offset :], self.shape, strides, writeable=False
        )


class PassedOver:
    """Stands for a class, a function or an object of a pickle that is no tensor.

    Attributes:
        kind: the name in the pickle, such as "argparse.Namespace".
        entries: what the pickle stores in it by key, if it is a kind of dictionary.
    """

    def __init__(self, kind: str):
        self.kind = kind
        self.entries: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"<{self.kind}>"


class Unpickler(pickle._Unpickler):  # noqa: SLF001
    """An unpickler of containers, plain values and tensors.

    It is the one that is written in Python. That in C allocates whatever size of the memo a file
    asks for, and overflows the stack for a key that is a deeply nested tuple.

    Args:
        file: the open file.

    Attributes:
        storages: every storage by its key.
        passed_over: the names in the file that are neither of tensors nor of plain values.
    """

    dispatch: ClassVar[dict[int, Callable[[Any], None]]]

    def __init__(self, file: Any):
        super().__init__(file, encoding="utf-8", errors="surrogateescape")
        self.storages: dict[str, Storage] = {}
        self.passed_over: dict[str, None] = {}

    def find_class(self, module: str, name: str) -> Any:
        """What a name of the file stands for; nothing is imported."""
        if (module, name) in _CONSTRUCTORS:
            return _CONSTRUCTORS[module, name]
        if module == "torch" and name in _STORAGE_DTYPES:
            return _STORAGE_DTYPES[name]
        kind = _printable(f"{module}.{name}")
        if module != "torch" or name not in _PLAIN:
            self.passed_over[kind] = None
        return PassedOver(kind)

    def persistent_load(self, pid: Any) -> Storage | PassedOver:
        """The storage that an entry of the pickle refers to."""
        kind, dtype, key, _, size, *rest = pid
        if isinstance(dtype, PassedOver):
            return dtype
        if kind != "storage" or dtype not in _STORAGE_DTYPES.values() or any(rest):
            raise ValueError("a storage of an unknown kind; re-save the file with PyTorch")
        storage = Storage(str(key), np.dtype(getattr(ml_dtypes, dtype, dtype)), int(size))
        self.storages[storage.key] = storage
        return storage


class _Constructor:
    """A function that the pickle may call."""

    def __init__(self, make: Callable[..., Any]):
        self.make = make


def _tensor(storage: Any, offset: int, shape: Any, strides: Any, *_: Any) -> Any:
    if isinstance(storage, PassedOver):
        return storage
    if not isinstance(storage, Storage):
        raise ValueError("a tensor without a storage")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


def _wrapped(tensor: Any, *_: Any) -> Any:
    return tensor


def _of_type(constructor: Any, kind: Any, arguments: Any, *_: Any) -> Any:
    """A tensor of a subclass, with attributes of its own."""
    del kind
    return _call(constructor, arguments)


def _dictionary(pairs: Iterable[Any] = (), *_: Any) -> dict[Any, Any]:
    entries: dict[Any, Any] = {}
    for key, value in pairs:
        entries[_key(key)] = value
    return entries


def _call(function: Any, arguments: Any) -> Any:
    """The result of a known function, or a stand-in for that of an unknown one."""
    if isinstance(function, PassedOver):
        return PassedOver(function.kind)
    if not isinstance(function, _Constructor) or not isinstance(arguments, tuple):
        raise ValueError("a call of what is no function")
    return function.make(*arguments)


def _key(value: Any) -> Any:
    """A key for a dictionary.

    Any other value than a plain one is replaced, because the hash of nested tuples has no end.
    """
    parts = value if isinstance(value, tuple) else (value,)
    if all(isinstance(part, _SCALARS) for part in parts):
        return value
    return PassedOver(type(value).__name__)


def _entries(target: Any) -> dict[Any, Any]:
    entries = target.entries if isinstance(target, PassedOver) else target
    if not isinstance(entries, dict):
        raise ValueError("an entry of what is no dictionary")
    return entries


def _printable(name: str, most: int = 80) -> str:
    """A name of the file for messages: one line of limited length."""
    name = name.encode("unicode_escape").decode("ascii")
    return name if len(name) <= most else f"{name[:most]}..."


# What the instructions of a pickle do. The machine has a stack; its memo and its plain values are
# left to the class of the standard library.


def _reduce(machine: Any) -> None:
    arguments = machine.stack.pop()
    machine.append(_call(machine.stack.pop(), arguments))


def _reduce_with_names(machine: Any) -> None:
    machine.stack.pop()
    _reduce(machine)


def _construct(machine: Any) -> None:
    function, *arguments = machine.pop_mark()
    machine.append(_call(function, tuple(arguments)))


def _construct_by_name(machine: Any) -> None:
    module, name = (machine.readline()[:-1].decode("ascii") for _ in range(2))
    machine.append(_call(machine.find_class(module, name), tuple(machine.pop_mark())))


def _build(machine: Any) -> None:
    """Passes over the attributes of an object."""
    machine.stack.pop()


def _append(machine: Any) -> None:
    value = machine.stack.pop()
    _extend(machine.stack[-1], [value])


def _append_many(machine: Any) -> None:
    values = machine.pop_mark()
    _extend(machine.stack[-1], values)


def _extend(target: Any, values: list[Any]) -> None:
    if isinstance(target, list):
        target.extend(values)
    elif not isinstance(target, PassedOver):
        raise ValueError("an item of what is no list")


def _set_item(machine: Any) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    _entries(machine.stack[-1])[_key(key)] = value


def _set_items(machine: Any) -> None:
    items = machine.pop_mark()
    entries = _entries(machine.stack[-1])
    for key, value in zip(items[::2], items[1::2], strict=True):
        entries[_key(key)] = value


def _make_dictionary(machine: Any) -> None:
    items = machine.pop_mark()
    machine.append(_dictionary(zip(items[::2], items[1::2], strict=True)))


def _make_set(machine: Any) -> None:
    machine.append(PassedOver("set"))


def _add_items(machine: Any) -> None:
    machine.pop_mark()


def _make_frozen_set(machine: Any) -> None:
    machine.pop_mark()
    machine.append(PassedOver("frozenset"))


def _byte_array(machine: Any) -> None:
    (size,) = struct.unpack("<Q", machine.read(8))
    machine.read(size)
    machine.append(PassedOver("bytearray"))


_SCALARS = (str, bytes, int, float, complex, type(None), PassedOver)

_CONSTRUCTORS = {
    ("collections", "OrderedDict"): _Constructor(_dictionary),
    ("collections", "defaultdict"): _Constructor(lambda *_: {}),
    ("_codecs", "encode"): _Constructor(lambda *_: PassedOver("bytes")),
    ("torch._utils", "_rebuild_tensor"): _Constructor(_tensor),
    ("torch._utils", "_rebuild_tensor_v2"): _Constructor(_tensor),
    ("torch._utils", "_rebuild_parameter"): _Constructor(_wrapped),
    ("torch._utils", "_rebuild_parameter_with_state"): _Constructor(_wrapped),
    ("torch._tensor", "_rebuild_from_type_v2"): _Constructor(_of_type),
}

_STORAGE_DTYPES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}

# Names of PyTorch that settings have, and that nobody misses.
_PLAIN = {"Size", "device", "float", "double", "half", "int", "long", *_STORAGE_DTYPES.values()}

# Instructions that make or move plain values. What is in neither table is an error, such as buffers
# outside of the file.
_KEPT = (
    *(pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.POP, pickle.POP_MARK),
    *(pickle.DUP, pickle.GET, pickle.BINGET, pickle.LONG_BINGET, pickle.PUT, pickle.BINPUT),
    *(pickle.LONG_BINPUT, pickle.MEMOIZE, pickle.PERSID, pickle.BINPERSID, pickle.GLOBAL),
    *(pickle.STACK_GLOBAL, pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.INT),
    *(pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG, pickle.LONG1, pickle.LONG4),
    *(pickle.FLOAT, pickle.BINFLOAT, pickle.STRING, pickle.BINSTRING, pickle.SHORT_BINSTRING),
    *(pickle.UNICODE, pickle.BINUNICODE, pickle.SHORT_BINUNICODE, pickle.BINUNICODE8),
    *(pickle.BINBYTES, pickle.SHORT_BINBYTES, pickle.BINBYTES8, pickle.EMPTY_TUPLE),
    *(pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3, pickle.EMPTY_LIST),
    *(pickle.LIST, pickle.EMPTY_DICT),
)

_OWN: dict[bytes, Callable[[Any], None]] = {
    pickle.REDUCE: _reduce,
    pickle.NEWOBJ: _reduce,
    pickle.NEWOBJ_EX: _reduce_with_names,
    pickle.OBJ: _construct,
    pickle.INST: _construct_by_name,
    pickle.BUILD: _build,
    pickle.APPEND: _append,
    pickle.APPENDS: _append_many,
    pickle.SETITEM: _set_item,
    pickle.SETITEMS: _set_items,
    pickle.DICT: _make_dictionary,
    pickle.EMPTY_SET: _make_set,
    pickle.ADDITEMS: _add_items,
    pickle.FROZENSET: _make_frozen_set,
    pickle.BYTEARRAY8: _byte_array,
}

_STANDARD: dict[int, Any] = pickle._Unpickler.dispatch  # noqa: SLF001
Unpickler.dispatch = {code[0]: _STANDARD[code[0]] for code in _KEPT} | {
    code[0]: function for code, function in _OWN.items()
}
