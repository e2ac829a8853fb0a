"""Checksums of PNG files, which Pillow does not compare for the pixels."""

import zlib
from typing import BinaryIO

_START = 8  # Length of the signature.
_LAST = b"IEND"


def check_chunks(file: BinaryIO) -> None:
    """Compares the checksum of each chunk of an open PNG that matters for its picture.

    Those are the critical chunks, whose names begin with a capital, and what says transparency
    and orientation (PNG specification, third edition, sections 5.3 and 5.4).

    Raises:
        ValueError: if a checksum differs, or the file ends too early.
    """
    file.seek(_START)
    while True:
        head = file.read(8)
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        content, checksum = file.read(length), file.read(4)
        if len(content) < length or len(checksum) < 4:
            raise ValueError("the file is cut short")
        matters = name[:1].isupper() or name in (b"tRNS", b"eXIf")
        if matters and zlib.crc32(name + content) != int.from_bytes(checksum, "big"):
            raise ValueError(f"the checksum of its chunk {name!r} is wrong")
        if name == _LAST:
            return
