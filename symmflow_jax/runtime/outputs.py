"""Files that a command writes for its user: where they may go, and how they are written.

The rule is the same for every command:

- A file that exists is kept. `--overwrite` replaces it.
- A file that the command reads is never replaced.
- All files are checked before the work begins (`check_outputs`).
- A file is complete, or it is not there (`writing`).
"""

import contextlib
import io
import os
import pathlib
import tempfile
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, TextIO

import numpy as np

from symmflow_jax.runtime.storage.place import is_remote

_INSTEAD = "another --output"
_LONGEST_NAME = 80


class OutputError(ValueError):
    """A file cannot be written, or must not be."""


def check_outputs(
    paths: Sequence[pathlib.Path],
    inputs: Iterable[pathlib.Path] = (),
    *,
    overwrite: bool = False,
    instead: str = _INSTEAD,
) -> None:
    """Checks that a command may write its files, and can; changes nothing.

    Args:
        paths: all files that the command will write.
        inputs: files that it reads, which are kept whatever `overwrite` is. Links are followed.
        overwrite: whether to replace other files that exist.
        instead: what to give in their place, for messages.

    Raises:
        OutputError: if a file exists, is an input or a folder, or if its folder cannot be written.
    """
    may_exist = _without_missing(paths)
    taken = {path: state for path in may_exist if (state := _state(path, instead)) is not None}
    read = {(state.st_dev, state.st_ino) for path in inputs if (state := _followed(path))}
    for path in taken:
        if (followed := _followed(path)) and (followed.st_dev, followed.st_ino) in read:
            raise OutputError(
                f"{path} is an input of this command, and inputs are never overwritten. Give "
                f"{instead}."
            )
        if path.is_dir():
            raise OutputError(f"{path} is a folder, but a file of this name has to be written. "
                              f"Give {instead}.")  # fmt: skip
    if taken and not overwrite:
        count = f"{len(taken)} of {len(paths)} files to write do" if len(paths) > 1 else ""
        raise OutputError(
            f"{next(iter(taken))} exists already{f' ({count})' if count else ''}. Give --overwrite "
            f"to replace what exists, or {instead}."
        )
    for folder in dict.fromkeys(path.parent for path in paths):
        check_writable(folder, instead)


def check_writable(folder: pathlib.Path, instead: str = _INSTEAD) -> None:
    """Checks that files can be written to a folder, which need not exist; changes nothing.

    Args:
        folder: the folder.
        instead: what to give in its place, for messages.

    Raises:
        OutputError: if a file is in its place, or the file system refuses.
        StorageError: if a bucket refuses; a small file is written to it for a moment.
    """
    if is_remote(folder):
        if folder.is_file():
            raise OutputError(f"{folder} is a file, not a folder to write to. Give {instead}.")
        probe = partial_of(folder / "probe")
        probe.write_bytes(b"")
        probe.unlink(missing_ok=True)
        return
    places = (folder, *folder.parents)
    existing = next((place for place in places if os.path.lexists(place)), pathlib.Path("."))
    try:
        # A file without a name, which is gone when it is closed.
        with tempfile.TemporaryFile(dir=existing):
            pass
    except NotADirectoryError as error:
        raise OutputError(
            f"{folder} cannot be a folder to write to: {existing} is a file. Give {instead}."
        ) from error
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written: no file can be made in {existing} ({error.strerror}). "
            f"Give {instead}."
        ) from error


@contextlib.contextmanager
def writing(path: pathlib.Path, instead: str = _INSTEAD) -> Iterator[BinaryIO]:
    """Yields a file to write; it gets its name when all is written, and is removed on errors.

    The folder is made if it does not exist.

    Raises:
        OutputError: if the file system refuses, for instance because it is full.
        StorageError: if a bucket refuses.
    """
    if is_remote(path):
        content = io.BytesIO()
        yield content
        path.write_bytes(content.getbuffer())
        return
    partial = partial_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise OutputError(refusal(path, error, instead)) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


@contextlib.contextmanager
def placing(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a path to which a library writes a file; the file gets its name when it is written.

    The folder is made if it does not exist.

    Raises:
        OSError: if the file system refuses.
        StorageError: if a bucket refuses.
    """
    if is_remote(path):
        with tempfile.TemporaryDirectory(prefix="symmflow_jax-") as folder:
            yield pathlib.Path(folder) / path.name
            path.upload(pathlib.Path(folder) / path.name)
        return
    partial = partial_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def partial_of(path: pathlib.Path) -> pathlib.Path:
    """A hidden file beside a file, to write it to before it gets its name."""
    # A short name, since that of the file may be as long as names can be; and one of its own, since
    # processes of several machines may write to one folder.
    return path.with_name(f".{uuid.uuid4().hex[:12]}.partial")


@contextlib.contextmanager
def writing_text(path: pathlib.Path, instead: str = _INSTEAD) -> Iterator[TextIO]:
    r"""As `writing`, for text in UTF-8; ends of lines are written as they are given.

    What has no place in UTF-8, such as names of files in other encodings, becomes `\udce9`.
    """
    with writing(path, instead) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
        yield text
        text.flush()
        text.detach()


def write_arrays(path: pathlib.Path, **arrays: np.ndarray) -> None:
    """Writes a compressed `.npz` file; raises OutputError as `writing`."""
    # In memory first: an archive that cannot be closed on a full disk complains when it is deleted.
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    with writing(path) as file:
        file.write(buffer.getbuffer())


def refusal(path: pathlib.Path | str, error: OSError, instead: str = _INSTEAD) -> str:
    """The message for a file that the file system refuses to write."""
    reason = error.strerror or str(error)
    return f"{path} could not be written: {reason}. Free space there, or give {instead}."


def distinct_names(names: Sequence[tuple[str, ...]], endings: Sequence[str]) -> list[str]:
    """Chooses a name for each of several outputs, so that no two of their files share one.

    Names that differ only in case, or in how their accents are written, count as equal: some file
    systems do not tell them apart.

    Args:
        names: for each output the names it may have, the best one first.
        endings: what is added to the name of each of its files.

    Returns:
        the first name of each output if no other output wants it or one of its files; otherwise
        the next one that nothing else has, at last one with a number.
    """
    chosen = [options[0] for options in names]
    for stage in range(1, max(map(len, names), default=1)):
        clashing = _clashing(chosen, endings)
        chosen = [
            options[min(stage, len(options) - 1)] if index in clashing else name
            for index, (name, options) in enumerate(zip(chosen, names, strict=True))
        ]
    clashing = _clashing(chosen, endings)
    used = {file for i, name in enumerate(chosen) if i not in clashing for file in
            _files(name, endings)}  # fmt: skip
    for index in sorted(clashing):
        name, number = chosen[index], 1
        while not used.isdisjoint(_files(name, endings)):
            number += 1
            name = f"{chosen[index]}-{number}"
        used |= _files(name, endings)
        chosen[index] = name
    return chosen


def file_name(text: str) -> str:
    """A text as part of a file's name on every system: cut, and with "_" for other characters."""
    kept = "".join("_" if c in '/\\:*?"<>|' or not c.isprintable() else c for c in text)
    return kept[:_LONGEST_NAME].strip(" .") or "_"


def _clashing(names: Sequence[str], endings: Sequence[str]) -> set[int]:
    """Indices of the names of which a file is also that of another name."""
    owners: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        for file in _files(name, endings):
            owners.setdefault(file, []).append(index)
    return {index for indices in owners.values() if len(indices) > 1 for index in indices}


def _files(name: str, endings: Sequence[str]) -> set[str]:
    return {unicodedata.normalize("NFC", name + ending).casefold() for ending in endings}


def _without_missing(paths: Sequence[pathlib.Path]) -> Iterable[pathlib.Path]:
    """The files without those that are missing in a bucket, by one request for each folder."""
    there: dict[pathlib.Path, set[str]] = {}
    for path in paths:
        if is_remote(path):
            if path.parent not in there:
                there[path.parent] = {found.name for found in path.parent.glob("*")}
            if path.name not in there[path.parent]:
                continue
        yield path


def _state(path: pathlib.Path, instead: str) -> os.stat_result | None:
    """What lies at a path, perhaps a link; None if nothing does."""
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise OutputError(refusal(path, error, instead)) from error


def _followed(path: pathlib.Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
