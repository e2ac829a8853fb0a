"""Damage that keeps to a format: what is written is well formed, and wrong.

Each function takes a generator and the bytes of a file, and returns other bytes; or None if the
file has no such part.
"""

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from PIL import Image

from tests.campaigns.mutations import BYTES, Generator

Mutation = Callable[[Generator, bytes], bytes | None]


def _pick(rng: Generator, items: Any) -> Any:
    items = list(items)
    return items[int(rng.integers(len(items)))]


def _zeros(count: int) -> bytes:
    """A raw deflate stream of many zeros, made without compressing all of them."""
    block = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = block.compress(bytes(1 << 20)) + block.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    return piece * (count >> 20) + end


_BOMB = 5 << 30  # More than the memory that a case may take.


# Pictures.


def _opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def _saved(picture: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def giant(rng: Generator, content: bytes) -> bytes | None:
    """A PNG whose header speaks of billions of pixels."""
    if content[12:16] != b"IHDR":
        return None
    side = _pick(rng, [(60_000, 60_000), (20_000, 20_000), (2**31 - 1, 1), (13_000, 14_000)])
    header = b"IHDR" + struct.pack(">II", *side) + content[24:29]
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


def other_size(rng: Generator, content: bytes) -> bytes:
    """A picture of another size."""
    picture = _opened(content)
    size = _pick(rng, [(1, 1), (picture.height, picture.width + 1), (400, 2), (picture.width, 1)])
    return _saved(picture.resize(size, Image.Resampling.NEAREST), picture.format or "PNG")


def as_jpeg(rng: Generator, content: bytes) -> bytes:
    """A JPEG under the name of the file."""
    picture = _opened(content)
    return _saved(picture if picture.mode == "L" else picture.convert("RGB"), "JPEG", quality=60)


def ids_beyond(rng: Generator, content: bytes) -> bytes | None:
    """A mask with an id, or a colour, that no class has."""
    picture = _opened(content)
    array = np.array(picture)
    if picture.format != "PNG":
        return None
    array[0, 0] = 213
    if picture.mode == "P":
        made = Image.fromarray(array).convert("P")
        made.putdata(array.ravel().tolist())
        made.putpalette([n % 256 for n in range(768)])
        return _saved(made)
    return _saved(Image.fromarray(array))


def sixteen_bits(rng: Generator, content: bytes) -> bytes | None:
    """Grey values times 257, as programs write that know 16 bits only."""
    picture = _opened(content)
    if picture.mode != "L" or picture.format != "PNG":
        return None
    return _saved(Image.fromarray(np.array(picture, np.uint16) * 257))


def with_alpha(rng: Generator, content: bytes) -> bytes | None:
    """A channel of transparency that hides nothing."""
    picture = _opened(content)
    if picture.mode not in ("L", "RGB") or picture.format != "PNG":
        return None
    return _saved(picture.convert("LA" if picture.mode == "L" else "RGBA"))


# Archives of arrays.


def _arrays(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _npz(arrays: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


_OTHER_ARRAYS: dict[str, Callable[[np.ndarray], Any]] = {
    "floats": lambda a: a.astype(np.float64) + 0.5,
    "not a number": lambda a: np.full(a.shape, np.nan),
    "negative": lambda a: a.astype(np.int64) - 300,
    "far": lambda a: a.astype(np.int64) + 2**40,
    "unsigned far": lambda a: np.full(a.shape, 2**64 - 1, np.uint64),
    "bools": lambda a: a.astype(bool),
    "texts": lambda a: a.astype(str),
    "objects": lambda a: np.array([{"a": 1}, None], object),
    "scalar": lambda a: np.asarray(a.ravel()[0] if a.size else 0),
    "none of them": lambda a: a[:0] if a.ndim else a,
    "one less": lambda a: a[:-1] if a.ndim else a,
    "one axis more": lambda a: a[..., None],
    "flat": lambda a: a.reshape(-1),
    "other order": lambda a: np.moveaxis(a, -1, 1) if a.ndim > 2 else a.T,
    "wide": lambda a: np.repeat(a[..., None], 5, -1),
    "complex": lambda a: a.astype(np.complex64) if a.dtype.kind in "uif" else a,
    "records": lambda a: np.zeros(3, [("a", "i4")]),
    "times": lambda a: np.zeros(a.shape, "M8[s]"),
}


def other_array(rng: Generator, content: bytes) -> bytes:
    """One array of the archive has another dtype, shape or range."""
    arrays = dict(_arrays(content))
    name = _pick(rng, arrays)
    return _npz(arrays | {name: _pick(rng, _OTHER_ARRAYS.values())(arrays[name])})


def other_keys(rng: Generator, content: bytes) -> bytes:
    """An array is missing, or has another name."""
    arrays = _arrays(content)
    name = _pick(rng, arrays)
    array = arrays.pop(name)
    return _npz(arrays | _pick(rng, [{}, {f"{name}2": array}, {name.upper(): array}, {"": array}]))


def _member(name: str, shape: Any, body: bytes = b"") -> bytes:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (118 - len(header)) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + body


def giant_array(rng: Generator, content: bytes) -> bytes:
    """The header of an array speaks of far more numbers than there are."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = _pick(rng, members)
    shape = _pick(
        rng, ["(1000000000000,)", "(6000000000,)", "(2, 8, 8, 1000000000)", "(-1, 8)", "(10**20,)"]
    )
    members[name] = _member(name, shape, bytes(100))
    return _zip(members)


def _zip(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return file.getvalue()


def member_changed(rng: Generator, content: bytes) -> bytes | None:
    """The bytes of one member are damaged, and the archive's checksums are right."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = _pick(rng, members)
    members[name] = _pick(rng, BYTES.values())(rng, members[name])
    return _zip(members)


def member_missing(rng: Generator, content: bytes) -> bytes:
    """One member of the archive is not there, or twice."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members.pop(_pick(rng, members))
    return _zip(members)


def zip_bomb(rng: Generator, content: bytes) -> bytes:
    """One member of the archive unpacks to more than the memory."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = _pick(rng, members)
    file = io.BytesIO(_zip({key: value for key, value in members.items() if key != name}))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(name, _zeros(_BOMB))
        # The directory at the end, which readers go by, is written when the archive is closed.
        info = archive.getinfo(name)
        info.compress_type, info.file_size = zipfile.ZIP_DEFLATED, _BOMB
    return file.getvalue()


# IDX.


def idx_header(rng: Generator, content: bytes) -> bytes:
    """Another dtype, number of axes, or number of examples in the header of an IDX file."""
    packed = content[:2] == b"\x1f\x8b"
    plain = bytearray(gzip.decompress(content) if packed else content)
    what = int(rng.integers(4))
    if what == 0:
        plain[2] = int(_pick(rng, [0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E, 0x0A, 0xFF]))
    elif what == 1:
        plain[3] = int(_pick(rng, [0, 1, 2, 3, 4, 255]))
    elif what == 2:
        plain[4:8] = _pick(rng, [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\0\0\0", b"\0\0\0\1"])
    else:
        plain[4 : 4 + 4 * plain[3]] = b"\xff\xff\xff\xff" * plain[3]
    return gzip.compress(bytes(plain)) if packed else bytes(plain)


def gzip_bomb(rng: Generator, content: bytes) -> bytes | None:
    """A gzip stream that unpacks to more than the memory, after the right header."""
    if content[:2] != b"\x1f\x8b":
        return None
    plain = gzip.decompress(content)
    first = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = first.compress(plain) + first.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + start + _zeros(_BOMB) + struct.pack("<II", 0, 0)


# Safetensors.


def _split_safetensors(content: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def _joined_safetensors(header: dict[str, Any], body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def header_length(rng: Generator, content: bytes) -> bytes:
    """The length of the header is impossible."""
    length = _pick(rng, [0, 1, 2**31, 2**40, 2**60, 2**64 - 1, len(content)])
    return struct.pack("<Q", length) + content[8:]


def header_changed(rng: Generator, content: bytes) -> bytes:
    """A value of the header is another, or not there."""
    header, body = _split_safetensors(content)
    return _joined_safetensors(changed_json(rng, header), body)


def values_not_finite(rng: Generator, content: bytes) -> bytes:
    """A tensor holds NaN or infinity."""
    arrays = safetensors.numpy.load(content)
    header, _ = _split_safetensors(content)
    name = _pick(rng, sorted(arrays))  # The library gives them in an order of its own.
    array = arrays[name].copy()
    if array.dtype.kind == "f" and array.size:
        array.reshape(-1)[int(rng.integers(array.size))] = _pick(rng, [np.nan, np.inf, -np.inf])
    return safetensors.numpy.save(arrays | {name: array}, header.get("__metadata__"))


def other_tensor(rng: Generator, content: bytes) -> bytes:
    """A tensor has another dtype or shape, or is not there."""
    arrays = safetensors.numpy.load(content)
    header, _ = _split_safetensors(content)
    name = _pick(rng, sorted(arrays))  # The library gives them in an order of its own.
    array = arrays.pop(name)
    made = _pick(
        rng,
        [
            lambda a: {name: a.astype(np.int32)},
            lambda a: {name: a.astype(bool)},
            lambda a: {name: a.reshape(-1)},
            lambda a: {name: a[None]},
            lambda a: {name: a[:0] if a.ndim else a},
            lambda a: {name: a.T},
            lambda a: {},
            lambda a: {f"{name}.1": a},
            lambda a: {name: a, "surplus.weight": a},
        ],
    )(array)
    made = {key: np.ascontiguousarray(value) for key, value in made.items()}
    return safetensors.numpy.save(arrays | made, header.get("__metadata__"))


# JSON.

_VALUES: tuple[Any, ...] = (
    None, [], {}, "", "x", "3", -1, 0, 0.5, True, 10**30, -(10**30), 10**400, float("inf"),
    float("nan"), [None], [[1]], {"a": 1}, "\ud800", "a" * 5_000, "line\nbreak", 1e-300, "1e999",
)  # fmt: skip


def _slots(value: Any) -> list[tuple[Any, Any]]:
    """Every place in nested values: its container, and its key or index."""
    keys: Any = ()
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    slots = []
    for key in keys:
        slots += [(value, key), *_slots(value[key])]
    return slots


def changed_json(rng: Generator, value: Any) -> Any:
    """The value with one part of it replaced, removed, renamed or repeated."""
    value = json.loads(json.dumps(value))
    slots = _slots(value)
    if not slots or rng.random() < 0.05:
        return _pick(rng, _VALUES)
    container, key = _pick(rng, slots)
    what = rng.random()
    if what < 0.7:
        container[key] = _pick(rng, _VALUES)
    elif what < 0.85:
        del container[key]
    elif isinstance(container, dict):
        container[_pick(rng, [key.upper(), f"{key}2", "", "\ud800", "x\ny"])] = container.pop(key)
    else:
        container.append(container[key])
    return value


def json_value(rng: Generator, content: bytes) -> bytes | None:
    """One value of a JSON document is another."""
    try:
        value = json.loads(content)
    except ValueError:
        return None
    return json.dumps(changed_json(rng, value)).encode()


def json_form(rng: Generator, content: bytes) -> bytes:
    """The document in a form that JSON is not, or seldom is."""
    text = content.decode()
    return _pick(
        rng,
        [
            text.encode("utf-16"),
            ("\ufeff" + text).encode(),
            text.replace('"', "'").encode(),
            (text.rstrip().removesuffix("}") + ",}").encode(),
            text.replace("}", ', "step": 1e999}', 1).encode(),
            text.replace("{", '{"a": {"b": ', 1).encode(),
            (text + text).encode(),
            text.replace("a", "\xff").encode("latin-1", "replace"),
            ('{"a":' * 50_000 + "1" + "}" * 50_000).encode(),
            text.replace("0", "1e999").encode(),
            text.replace(": ", ": -").encode(),
        ],
    )


def json_line(rng: Generator, content: bytes) -> bytes | None:
    """One line of a file of JSON lines is another, not there, or twice."""
    lines = content.splitlines(keepends=True)
    if not lines:
        return None
    place = int(rng.integers(len(lines)))
    line = lines[place]
    changed = json_value(rng, line)
    other = _pick(
        rng,
        [
            b"",
            b"\n",
            b"null\n",
            b"3\n",
            b"[1]\n",
            b"{}\n",
            b"{\n",
            line.rstrip(),
            line * 2,
            line[: len(line) // 2] + b"\n",
            (changed or line) + b"\n",
            b'{"step": "four"}\n',
            b"\xff\xfe\n",
        ],
    )
    return b"".join([*lines[:place], other, *lines[place + 1 :]])


PICTURES: tuple[Mutation, ...] = (giant, other_size)
MASKS: tuple[Mutation, ...] = (
    giant, other_size, as_jpeg, ids_beyond, sixteen_bits, with_alpha,
)  # fmt: skip
ARCHIVES: tuple[Mutation, ...] = (
    other_array, other_array, other_array, other_keys, giant_array, member_changed, member_missing,
)  # fmt: skip
ZIPS: tuple[Mutation, ...] = (member_changed, member_changed, member_missing)
IDX: tuple[Mutation, ...] = (idx_header,)
SAFETENSORS: tuple[Mutation, ...] = (
    header_length, header_changed, values_not_finite, other_tensor,
)  # fmt: skip
JSON: tuple[Mutation, ...] = (json_value, json_value, json_form)
LINES: tuple[Mutation, ...] = (json_line,)
