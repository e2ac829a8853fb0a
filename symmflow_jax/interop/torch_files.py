"""Tensors from weight files: files of `torch.save` and `.safetensors`.

A PyTorch file is a pickle, and a pickle can run any code. This reader takes tensors alone: the
unpickler makes descriptions of them and passes over all else, see `unpickler`. The numbers of the
requested tensors are read afterwards.
"""

import contextlib
import io
import logging
import pathlib
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import safetensors.numpy

from symmflow_jax.interop.unpickler import PassedOver, Storage, Tensor, Unpickler
from symmflow_jax.runtime.errors import first_line

_logger = logging.getLogger(__name__)


class WeightsFileError(ValueError):
    """A file of weights is missing or cannot be read; the message names it and the remedy."""


@contextlib.contextmanager
def of_file(path: str | pathlib.Path) -> Iterator[None]:
    """Names the file in errors about its weights."""
    try:
        yield
    except WeightsFileError:
        raise
    except ValueError as error:
        raise WeightsFileError(f"{path}: {error}") from error


Select = Callable[[Any], Mapping[str, Any]]
"""Function from the contents of a file (nested dictionaries with descriptions of tensors, or
arrays) to those of a state dict by name."""


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
        WeightsFileError: if the file is missing, damaged or of another kind; or if there are no
            tensors directly under `within` (the message then lists the keys).
    """
    return read_selected(path, lambda content: _within(pathlib.Path(path), content, within))


def read_selected(path: str | pathlib.Path, select: Select) -> dict[str, np.ndarray]:
    """The tensors that a function selects in the contents of a file; otherwise `read_tensors`.

    Objects of other classes, as settings and optimizers have them, are passed over and named in a
    message. Nothing of them is imported or run.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise _missing(path)
    try:
        return _read(path, select)
    except WeightsFileError:
        raise
    except Exception as error:  # Damaged bytes may raise any error.
        raise WeightsFileError(
            f"{path} is damaged, cut short or not readable ({type(error).__name__}: "
            f"{first_line(error)}). Copy it or download it again."
        ) from error


def _missing(path: pathlib.Path) -> WeightsFileError:
    parts = [f"{path.name}{ending}" for ending in _UNFINISHED]
    found = [name for name in parts if path.with_name(name).exists()]
    advice = (
        f" Its download has not finished: {found[0]} is there; fetch it again." if found else ""
    )
    return WeightsFileError(f"There is no file of weights {path}.{advice}")


def tensors_of(content: Any) -> dict[str, Any]:
    """The tensors directly in a dictionary, by name; a single tensor has the name ""."""
    if _is_tensor(content):
        return {"": content}
    entries = entries_of(content).items()
    return {name: value for name, value in entries if isinstance(name, str) and _is_tensor(value)}


def entries_of(content: Any) -> Mapping[Any, Any]:
    """The entries of a dictionary of any class; none for another value."""
    if isinstance(content, PassedOver):
        return content.entries
    return content if isinstance(content, Mapping) else {}


def described(content: Any) -> str:
    """What a file or a key holds, for messages: its keys, or its class."""
    if isinstance(content, PassedOver) and not content.entries:
        return f"an object of the class {content.kind}"
    if not isinstance(content, PassedOver | Mapping):
        return f"a value of type {type(content).__name__}"
    entries = entries_of(content)
    names = [_named(key, value) for key, value in list(entries.items())[:_NUM_SHOWN]]
    more = " ..." if len(entries) > _NUM_SHOWN else ""
    return f"the keys {', '.join(names)}{more}" if names else "nothing"


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor | np.ndarray)


def _named(key: Any, value: Any) -> str:
    name = repr(key)
    name = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
    return f"{name} (a {value.kind})" if isinstance(value, PassedOver) else name


def _within(path: pathlib.Path, content: Any, within: tuple[str, ...]) -> dict[str, Any]:
    """The tensors (or their descriptions) directly under the keys `within`."""
    for depth, key in enumerate(within):
        if key not in entries_of(content):
            place = "/".join(within[:depth]) or "its top"
            raise WeightsFileError(f"{path} has no {key!r} at {place}, but {described(content)}.")
        content = entries_of(content)[key]
    tensors = tensors_of(content)
    if not tensors:
        place = "/".join(within) or "its top"
        raise WeightsFileError(
            f"{path} has no tensors at {place}, but {described(content)}. {SAVE_STATE_DICT}"
        )
    return tensors


def _read(path: pathlib.Path, select: Select) -> dict[str, np.ndarray]:
    with path.open("rb") as file:
        start = file.read(_LONGEST_START)
    for text, what in _NO_WEIGHTS.items():
        if start.lower().startswith(text):
            raise WeightsFileError(f"{path} is {what}.")
    if path.suffix == ".safetensors":
        return dict(select(safetensors.numpy.load_file(path)))
    if start[:4] == b"PK\x03\x04":
        return _read_zip(path, select)
    if start[:1] == b"\x80":
        return _read_stream(path, select)
    raise WeightsFileError(
        f"{path} is no file of torch.save or safetensors. If it is a PyTorch file from before "
        "2018 (a tar archive), open it with PyTorch and save it again with torch.save."
    )


def _read_zip(path: pathlib.Path, select: Select) -> dict[str, np.ndarray]:
    """Tensors of a zip archive: `<name>/data.pkl` and each storage as `<name>/data/<key>`."""
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        pickles = [name for name in names if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise WeightsFileError(
                f"{path} is a zip archive, but not of torch.save: it has no data.pkl."
            )
        most = path.stat().st_size

        def read(name: str) -> bytes:
            # torch.save does not compress, so that a small file cannot ask for large memory.
            if archive.getinfo(name).file_size > most:
                raise ValueError(f"{name!r} is larger than the file")
            return archive.read(name)

        root = pickles[0].removesuffix("data.pkl")
        if f"{root}byteorder" in names and read(f"{root}byteorder") != b"little":
            raise ValueError("not in little-endian order")
        unpickler = Unpickler(io.BytesIO(read(pickles[0])))
        content = unpickler.load()
        _tell_passed_over(path, unpickler.passed_over)
        return _fill(select(content), lambda storage: read(f"{root}data/{storage.key}"))


def _read_stream(path: pathlib.Path, select: Select) -> dict[str, np.ndarray]:
    """Tensors of the format before PyTorch 1.6: five pickles, then the storages one by one."""
    with path.open("rb") as file:
        if Unpickler(file).load() != _STREAM_MAGIC:
            raise WeightsFileError(f"{path} is a pickle, but not of torch.save.")
        _, machine = (Unpickler(file).load() for _ in range(2))
        unpickler = Unpickler(file)
        content, keys = unpickler.load(), Unpickler(file).load()
        rest = memoryview(file.read())
    if not machine["little_endian"]:
        raise ValueError("not in little-endian order")
    _tell_passed_over(path, unpickler.passed_over)
    tensors = select(content)
    # A storage is its count, int64, and its numbers; tensors give the dtype.
    blocks: dict[str, memoryview] = {}
    position = 0
    for key in keys:
        (count,) = struct.unpack_from("<q", rest, position)
        end = position + 8 + count * unpickler.storages[key].dtype.itemsize
        blocks[key] = rest[position + 8 : end]
        position = end
    return _fill(tensors, lambda storage: blocks[storage.key])


def _tell_passed_over(path: pathlib.Path, names: Iterable[str]) -> None:
    names = list(names)
    if names:
        more = f" and {len(names) - _NUM_SHOWN} more" if len(names) > _NUM_SHOWN else ""
        _logger.info(
            "%s: passed over what is no tensor, and ran nothing of it: %s%s.",
            path,
            ", ".join(names[:_NUM_SHOWN]),
            more,
        )


def _fill(
    tensors: Mapping[str, Tensor], read: Callable[[Storage], bytes | memoryview]
) -> dict[str, np.ndarray]:
    """The tensors with their numbers; every storage is read once."""
    storages: dict[Storage, np.ndarray] = {}
    for name, tensor in tensors.items():
        storage = tensor.storage
        if storage not in storages:
            block = read(storage)
            if len(block) != storage.size * storage.dtype.itemsize:
                raise ValueError(f"the numbers of {name!r} are not complete")
            storages[storage] = np.frombuffer(block, storage.dtype)
    return {name: tensor.view(storages[tensor.storage]) for name, tensor in tensors.items()}


SAVE_STATE_DICT = "Save the state dict alone: torch.save(model.state_dict(), file)."
"""Remedy for files without one."""

_NO_WEIGHTS = {
    b"version https://git-lfs": "a pointer of Git LFS and not the file; fetch it with `git lfs "
    "pull`",
    b"<!doctype html": "a web page and not the file; fetch what its download button gives",
    b"<html": "a web page and not the file; fetch what its download button gives",
}
"""What stands in the place of weights after a download that went wrong, by its first bytes."""
_LONGEST_START = 32
_UNFINISHED = (".incomplete", ".part", ".crdownload", ".aria2")
"""Endings of files whose download is going on or has stopped."""
_NUM_SHOWN = 12
_LONGEST_NAME = 60
_STREAM_MAGIC = 0x1950A86A20F9469CFC6C  # Magic number of the older format.
