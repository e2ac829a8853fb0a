"""Tensors from weight files: files of `torch.save` and `.safetensors`.

A PyTorch file is a pickle, and a pickle can run any code. This reader accepts tensors only: the
unpickler knows the few names that tensors need and refuses all others. It makes descriptions of
tensors; the numbers of the requested tensors are read afterwards.
"""

import collections
import dataclasses
import io
import pathlib
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import ml_dtypes
import numpy as np
import safetensors.numpy


class WeightsFileError(ValueError):
    """A file of weights is missing or cannot be read; the message names it and the remedy."""


def read_tensors(path: str | pathlib.Path, within: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """The tensors of a state dict, in the order of the file.

    Args:
        path: a file of `torch.save` (`.pt`, `.pth`, `.ckpt`, `.bin`), in its present or its
            older format, or a file that ends in `.safetensors`.
        within: keys that lead to the state dict in a checkpoint, such as `("model",)` for
            `{"model": {...}, "epoch": 3}`.

    Returns:
        Arrays with the dtypes of the file, including bfloat16; read-only for `torch.save`. Entries
        that are no tensors are omitted. A file of a single tensor gives it the name "".

    Raises:
        WeightsFileError: if the file is missing, damaged or of another kind; if it contains
            anything besides tensors, plain values and their containers; or if there are no
            tensors directly under `within` (the message then lists the keys).
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise WeightsFileError(f"There is no file of weights {path}.")
    try:
        return _read(path, within)
    except WeightsFileError:
        raise
    except Exception as error:  # Damaged bytes may raise any error.
        raise WeightsFileError(
            f"{path} is damaged, cut short or not readable ({type(error).__name__}: {error}). "
            "Copy it or download it again."
        ) from error


def _read(path: pathlib.Path, within: tuple[str, ...]) -> dict[str, np.ndarray]:
    if path.suffix == ".safetensors":
        return _select(path, safetensors.numpy.load_file(path), within)
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04":
        return _read_zip(path, within)
    if start[:1] == b"\x80":
        return _read_stream(path, within)
    raise WeightsFileError(
        f"{path} is no file of torch.save or safetensors. If it is a PyTorch file from before "
        "2018 (a tar archive), open it with PyTorch and save it again with torch.save."
    )


@dataclasses.dataclass(frozen=True)
class _Storage:
    """Numbers that one or more tensors share: key in the file, dtype and count."""

    key: str
    dtype: np.dtype
    size: int


@dataclasses.dataclass(frozen=True)
class _Tensor:
    """A view of a storage; offset and strides count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self):
        numbers = (self.offset, *self.shape, *self.strides)
        if (
            not isinstance(self.storage, _Storage)
            or len(self.shape) != len(self.strides)
            or not all(isinstance(number, int) and number >= 0 for number in numbers)
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


def _read_zip(path: pathlib.Path, within: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Tensors of a zip archive: `<name>/data.pkl` and each storage as `<name>/data/<key>`."""
    with zipfile.ZipFile(path) as archive:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise WeightsFileError(
                f"{path} is a zip archive, but not of torch.save: it has no data.pkl."
            )
        root = pickles[0].removesuffix("data.pkl")
        if _read_member(archive, f"{root}byteorder", b"little") != b"little":
            raise ValueError("not in little-endian order")
        content = _Unpickler(io.BytesIO(archive.read(pickles[0])), path).load()
        tensors = _select(path, content, within)
        return _fill(tensors, lambda storage: archive.read(f"{root}data/{storage.key}"))


def _read_member(archive: zipfile.ZipFile, name: str, default: bytes) -> bytes:
    return archive.read(name) if name in archive.namelist() else default


def _read_stream(path: pathlib.Path, within: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Tensors of the format before PyTorch 1.6: five pickles, then the storages one by one."""
    with path.open("rb") as file:
        if _Unpickler(file, path).load() != _STREAM_MAGIC:
            raise WeightsFileError(f"{path} is a pickle, but not of torch.save.")
        _, machine, content, keys = (_Unpickler(file, path).load() for _ in range(4))
        rest = memoryview(file.read())
    if not machine["little_endian"]:
        raise ValueError("not in little-endian order")
    tensors = _select(path, content, within)
    # A storage is its count, int64, and its numbers; tensors give the dtype.
    storages = {storage.key: storage for storage in _storages(content)}
    blocks: dict[str, memoryview] = {}
    position = 0
    for key in keys:
        (count,) = struct.unpack_from("<q", rest, position)
        end = position + 8 + count * storages[key].dtype.itemsize
        blocks[key] = rest[position + 8 : end]
        position = end
    return _fill(tensors, lambda storage: blocks[storage.key])


def _select(path: pathlib.Path, content: Any, within: tuple[str, ...]) -> dict[str, Any]:
    """The tensors (or their descriptions) directly under the keys `within`."""
    for depth, key in enumerate(within):
        if not isinstance(content, Mapping) or key not in content:
            place = "/".join(within[:depth]) or "its top"
            raise WeightsFileError(f"{path} has no {key!r} at {place}, but {_keys(content)}.")
        content = content[key]
    if isinstance(content, _Tensor):
        content = {"": content}
    tensors = {
        str(name): value
        for name, value in (content.items() if isinstance(content, Mapping) else ())
        if isinstance(value, _Tensor | np.ndarray)
    }
    if not tensors:
        place = "/".join(within) or "its top"
        raise WeightsFileError(
            f"{path} has no tensors at {place}, but {_keys(content)}; name the key that holds "
            "the state dict."
        )
    return tensors


def _keys(content: Any) -> str:
    if not isinstance(content, Mapping):
        return f"a value of type {type(content).__name__}"
    names = [repr(key) for key in list(content)[:_NUM_SHOWN]]
    more = " ..." if len(content) > _NUM_SHOWN else ""
    return f"the keys {', '.join(names)}{more}" if names else "nothing"


def _fill(
    tensors: Mapping[str, _Tensor], read: Callable[[_Storage], bytes | memoryview]
) -> dict[str, np.ndarray]:
    """The tensors with their numbers; every storage is read once."""
    storages: dict[_Storage, np.ndarray] = {}
    for name, tensor in tensors.items():
        storage = tensor.storage
        if storage not in storages:
            block = read(storage)
            if len(block) != storage.size * storage.dtype.itemsize:
                raise ValueError(f"the numbers of {name!r} are not complete")
            storages[storage] = np.frombuffer(block, storage.dtype)
    return {name: tensor.view(storages[tensor.storage]) for name, tensor in tensors.items()}


def _storages(content: Any) -> list[_Storage]:
    """All storages of a checkpoint, found without recursion, because pickles may nest deeply."""
    found: list[_Storage] = []
    open_values, seen = [content], set()
    while open_values:
        value = open_values.pop()
        if isinstance(value, _Storage | _Tensor):
            found.append(value.storage if isinstance(value, _Tensor) else value)
        elif isinstance(value, dict | list | tuple | set) and id(value) not in seen:
            seen.add(id(value))
            open_values.extend(value.values() if isinstance(value, dict) else value)
    return found


class _Unpickler(pickle.Unpickler):
    """An unpickler of containers, plain values and tensors.

    The objects that it returns are immutable or new for each file, because instructions of the
    pickle may set attributes on them.
    """

    def __init__(self, file: Any, path: pathlib.Path):
        super().__init__(file, encoding="utf-8")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        """The object of a name in the pickle; raises WeightsFileError for unknown names."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor_v2", "_rebuild_tensor"):
            return lambda storage, offset, shape, strides, *_: _Tensor(
                storage, offset, tuple(shape), tuple(strides)
            )
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_: tensor
        if module == "torch" and name in _STORAGE_DTYPES:
            return _STORAGE_DTYPES[name]
        if module == "torch" and name in _STORAGE_DTYPES.values():
            return name
        raise WeightsFileError(
            f"{self._path} holds {module}.{name}, which is no tensor, so it is not opened. Save "
            "the state dict alone: torch.save(model.state_dict(), file)."
        )

    def persistent_load(self, pid: Any) -> _Storage:
        """The storage that an entry of the pickle refers to."""
        kind, dtype, key, _, size, *rest = pid
        if kind != "storage" or dtype not in _STORAGE_DTYPES.values() or any(rest):
            raise ValueError("a storage of an unknown kind; re-save the file with PyTorch")
        return _Storage(str(key), np.dtype(getattr(ml_dtypes, dtype, dtype)), int(size))


_NUM_SHOWN = 12
_STREAM_MAGIC = 0x1950A86A20F9469CFC6C  # Magic number of the older format.
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
