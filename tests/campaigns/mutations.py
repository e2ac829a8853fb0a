"""Ways to damage one file of a folder: its bytes, its name or its kind.

All choices come from the generator that is given, so that a seed makes the same damage every time.
"""

import dataclasses
import gzip
import io
import json
import os
import pathlib
import pickle
import shutil
import zipfile
from collections.abc import Callable

import numpy as np
from PIL import Image

Generator = np.random.Generator


@dataclasses.dataclass(frozen=True)
class Damage:
    """What was done to a folder.

    Attributes:
        mutation: name of the mutation.
        target: path of the damaged file, relative to the folder.
        names: names of files; a message that names one of them names what is wrong.
        before: bytes of the file before.
        after: bytes of the file after, or None if it is no file any more.
    """

    mutation: str
    target: str
    names: tuple[str, ...]
    before: bytes
    after: bytes | None


# Bytes to bytes.


def _place(rng: Generator, content: bytes) -> int:
    """A position in the content; half of the time near the start, where headers are."""
    if not content:
        return 0
    return int(rng.integers(min(len(content), 256) if rng.random() < 0.5 else len(content)))


def truncated(rng: Generator, content: bytes) -> bytes:
    """Ends at a random place, or just before the end."""
    if rng.random() < 0.3:
        return content[: max(0, len(content) - int(rng.integers(1, 9)))]
    return content[: int(rng.integers(len(content) + 1))]


def emptied(rng: Generator, content: bytes) -> bytes:
    """No bytes."""
    return b""


def bit_flipped(rng: Generator, content: bytes) -> bytes:
    """One bit is another."""
    changed = bytearray(content)
    if changed:
        changed[_place(rng, content)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def bytes_changed(rng: Generator, content: bytes) -> bytes:
    """One to 64 bytes are others."""
    changed = bytearray(content)
    for _ in range(int(2 ** rng.integers(7)) if changed else 0):
        changed[_place(rng, content)] = int(rng.integers(256))
    return bytes(changed)


def _block(rng: Generator, content: bytes) -> tuple[int, int]:
    start = _place(rng, content)
    return start, min(len(content), start + int(2 ** rng.integers(1, 12)))


def block_zeroed(rng: Generator, content: bytes) -> bytes:
    """A block is zeros, as after a crash of a file system."""
    start, end = _block(rng, content)
    return content[:start] + bytes(end - start) + content[end:]


def block_inserted(rng: Generator, content: bytes) -> bytes:
    """Random bytes in between."""
    start = _place(rng, content)
    return content[:start] + rng.bytes(int(2 ** rng.integers(12))) + content[start:]


def block_doubled(rng: Generator, content: bytes) -> bytes:
    """A block twice."""
    start, end = _block(rng, content)
    return content[:end] + content[start:end] + content[end:]


def block_left_out(rng: Generator, content: bytes) -> bytes:
    """A block is missing."""
    start, end = _block(rng, content)
    return content[:start] + content[end:]


def appended(rng: Generator, content: bytes) -> bytes:
    """Something follows."""
    more = (b"\n", b"\0" * 512, b"garbage", rng.bytes(64), content)
    return content + more[int(rng.integers(len(more)))]


def prepended(rng: Generator, content: bytes) -> bytes:
    """Something precedes: the mark of UTF-8 or UTF-16, a line end, a line of a shell."""
    before = (b"\xef\xbb\xbf", b"\xff\xfe", b"\n", b"Warning: deprecated\n")
    return before[int(rng.integers(len(before)))] + content


def line_ends_changed(rng: Generator, content: bytes) -> bytes:
    """As a transfer in text mode does."""
    return content.replace(b"\n", b"\r\n")


def _picture(form: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(file, form)
    return file.getvalue()


def _archive(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return file.getvalue()


_FOREIGN: dict[str, Callable[[], bytes]] = {
    "a text": lambda: b"Thank you for downloading.\n",
    "a page": lambda: b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "a pointer": lambda: (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
    ),
    "json": lambda: json.dumps({"a": [1, 2, None]}).encode(),
    "a list": lambda: b"[]",
    "null": lambda: b"null",
    "a number": lambda: b"3",
    "deep json": lambda: b"[" * 100_000,
    "a png": lambda: _picture("PNG"),
    "a jpeg": lambda: _picture("JPEG"),
    "a gif": lambda: _picture("GIF"),
    "a tiff": lambda: _picture("TIFF"),
    "an npz": lambda: _archive(a=np.arange(3)),
    "a zip": _zip,
    "a gzip": lambda: gzip.compress(b"hello"),
    "a pickle": lambda: pickle.dumps({"a": 1}),
    "a hostile pickle": lambda: b"cos\nsystem\n(S'true'\ntR.",
    "zeros": lambda: bytes(1000),
}


def replaced(rng: Generator, content: bytes) -> bytes:
    """The content of another kind of file."""
    return list(_FOREIGN.values())[int(rng.integers(len(_FOREIGN)))]()


BYTES: dict[str, Callable[[Generator, bytes], bytes]] = {
    function.__name__: function
    for function in (
        truncated, emptied, bit_flipped, bytes_changed, block_zeroed, block_inserted,
        block_doubled, block_left_out, appended, prepended, line_ends_changed, replaced,
    )
}  # fmt: skip
"""Mutations of bytes."""


# Files and folders. Each function returns further names of what is wrong.


def removed(rng: Generator, path: pathlib.Path) -> list[str]:
    """The file is not there."""
    path.unlink()
    return [path.parent.name]


def a_folder(rng: Generator, path: pathlib.Path) -> list[str]:
    """A folder of its name."""
    path.unlink()
    path.mkdir()
    return []


def a_broken_link(rng: Generator, path: pathlib.Path) -> list[str]:
    """A link to nothing."""
    path.unlink()
    path.symlink_to("gone")
    return [path.parent.name]


def a_loop(rng: Generator, path: pathlib.Path) -> list[str]:
    """A link to itself."""
    path.unlink()
    path.symlink_to(path.name)
    return [path.parent.name]


def a_pipe(rng: Generator, path: pathlib.Path) -> list[str]:
    """A named pipe, from which nobody ever reads a byte."""
    path.unlink()
    os.mkfifo(path)
    return [path.parent.name]


def a_device(rng: Generator, path: pathlib.Path) -> list[str]:
    """A link to a device without content."""
    path.unlink()
    path.symlink_to("/dev/null")
    return [path.parent.name]


def parent_is_a_file(rng: Generator, path: pathlib.Path) -> list[str]:
    """A file where the folder of the file should be."""
    parent = path.parent
    shutil.rmtree(parent)
    parent.write_bytes(b"not a folder")
    return [parent.name, parent.parent.name]


def moved_deeper(rng: Generator, path: pathlib.Path) -> list[str]:
    """In a folder of its own."""
    folder = path.parent / "deeper"
    folder.mkdir(exist_ok=True)
    path.rename(folder / path.name)
    return ["deeper", path.parent.name]


def swapped(rng: Generator, path: pathlib.Path) -> list[str]:
    """The file and one of its neighbours have changed their contents."""
    others = sorted(p for p in path.parent.iterdir() if p.is_file() and p != path)
    if not others:
        return []
    other = others[int(rng.integers(len(others)))]
    ours, theirs = path.read_bytes(), other.read_bytes()
    path.write_bytes(theirs)
    other.write_bytes(ours)
    return [other.name]


def _renamed(path: pathlib.Path, name: str) -> list[str]:
    path.rename(path.with_name(name))
    return [name, path.parent.name]


def other_suffix(rng: Generator, path: pathlib.Path) -> list[str]:
    """The file has a suffix of another format."""
    suffixes = (
        ".png",
        ".jpg",
        ".bmp",
        ".tif",
        ".npz",
        ".zip",
        ".txt",
        ".gz",
        ".pt",
        ".safetensors",
    )
    suffix = suffixes[int(rng.integers(len(suffixes)))]
    return _renamed(path, path.stem + (suffix if suffix != path.suffix else ""))


def upper_case(rng: Generator, path: pathlib.Path) -> list[str]:
    """The name in capitals."""
    return _renamed(path, path.name.upper())


def not_utf8(rng: Generator, path: pathlib.Path) -> list[str]:
    """A byte in the name that is no UTF-8."""
    name = os.fsdecode(os.fsencode(path.stem) + b"\xff" + os.fsencode(path.suffix))
    # What cannot be shown is escaped in some way, so the part before it counts.
    return [*_renamed(path, name), path.stem]


def copied(rng: Generator, path: pathlib.Path) -> list[str]:
    """The file twice, under a name that tools and people give to copies."""
    endings = (" (1)", " copy", "~", ".bak", ".jpg", ".png", ".partial", ".1")
    ending = endings[int(rng.integers(len(endings)))]
    bare = ending.startswith((".", "~"))
    name = path.name + ending if bare else path.stem + ending + path.suffix
    if ending in (".jpg", ".png"):
        name = path.stem + (ending if ending != path.suffix else ".bmp")
    shutil.copy(path, path.with_name(name))
    return [name, f"({pathlib.Path(name).suffix} 1"]  # Files of other kinds are told by kind.


def strange_company(rng: Generator, path: pathlib.Path) -> list[str]:
    """What systems leave beside files."""
    names = (f"._{path.name}", ".DS_Store", "Thumbs.db", "desktop.ini", "lost+found", ".nfs0001")
    name = names[int(rng.integers(len(names)))]
    (path.parent / name).write_bytes(b"\0\5\x16\7" + bytes(60))
    return [name]


FILES: dict[str, Callable[[Generator, pathlib.Path], list[str]]] = {
    function.__name__: function
    for function in (
        removed, a_folder, a_broken_link, a_loop, a_pipe, a_device, parent_is_a_file, moved_deeper,
        swapped, other_suffix, upper_case, not_utf8, copied, strange_company,
    )
}  # fmt: skip
"""Mutations of files."""


def stop_pipes(folder: pathlib.Path) -> None:
    """Ends the waiting of everybody who reads a named pipe below the folder."""
    for root, _, names in os.walk(os.fsencode(folder)):
        for name in names:
            path = os.path.join(root, name)
            if pathlib.Path(os.fsdecode(path)).is_fifo():
                os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
