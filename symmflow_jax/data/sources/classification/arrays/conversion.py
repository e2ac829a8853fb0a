"""One line of Python that makes an archive that `Npz` reads of arrays that it refuses."""

import dataclasses
import itertools
import pathlib
import shlex
from collections.abc import Mapping, Sequence

import numpy as np

from symmflow_jax.data.sources.classification.arrays import faults
from symmflow_jax.data.sources.classification.arrays.faults import Fault
from symmflow_jax.runtime.errors import shown
from symmflow_jax.runtime.files import as_json


@dataclasses.dataclass(frozen=True)
class Split:
    """A split of an archive: its name, and the keys of its images and labels."""

    name: str
    images: str
    labels: str


@dataclasses.dataclass(frozen=True)
class Archive:
    """Arrays of images and labels.

    Attributes:
        path: the file, beside which a converted one may lie.
        arrays: the arrays by key.
        splits: the splits of which all arrays are there.
        load: Python statements that make a dictionary `a` of the arrays; empty to load the file.
    """

    path: pathlib.Path
    arrays: Mapping[str, np.ndarray]
    splits: Sequence[Split]
    load: str = ""

    def faults_of(self, split: Split) -> tuple[Fault | None, Fault | None]:
        """What is wrong with the images and with the labels of a split."""
        images, labels = self.arrays[split.images], self.arrays[split.labels]
        of_images = [self.arrays[one.images] for one in self.splits]
        of_labels = [self.arrays[one.labels] for one in self.splits]
        return (
            faults.images_fault(split.images, images, of_images),
            faults.labels_fault(split.labels, labels, of_labels, images),
        )


def refusal(archive: Archive, split: Split) -> str:
    """The message on the faults of a split, with the line that mends them if one is known.

    It ends with the command, so that the end of the message can be pasted.
    """
    found = [fault for fault in archive.faults_of(split) if fault is not None]
    problem = f"{shown(archive.path)}: {'; '.join(fault.problem for fault in found)}"
    if not all(fault.expression for fault in found):
        return f"{problem}."
    if any(fault.is_mask for fault in found):
        return f"{problem}. {_to_folders(archive)}"
    return f"{problem}. {_to_archive(archive)}"


def split_line(archive: Archive, whole: Split, split: str) -> str:
    """Advice for an archive without splits: the line that draws a tenth for a second split.

    Args:
        archive: the archive, with `whole` as its only split.
        whole: all examples.
        split: name of the split that is wanted.
    """
    found = [fault for fault in archive.faults_of(whole) if fault is not None]
    if not all(fault.expression for fault in found):
        return f"It has no such split, and {'; '.join(fault.problem for fault in found)}."
    count, num_labels = (len(archive.arrays[key]) for key in (whole.images, whole.labels))
    if count != num_labels or count < 2:
        return f"It has no such split, and {count} {whole.images} and {num_labels} {whole.labels}."
    second = "test" if split == "train" else split
    parts = {"train": "p[len(p) // 10 or 1:]", second: "p[:len(p) // 10 or 1]"}
    images, labels = _expressions(archive, whole)
    values = [
        f"{as_json(f'{name}_{kind}')}: ({value})[{part}]"
        for name, part in parts.items()
        for kind, value in (("images", images), ("labels", labels))
    ]
    order = f"p = np.random.default_rng(0).permutation(len(a[{as_json(whole.images)}]))"
    command = _command([*_start(archive), order, _save(archive.path, values)])
    return (
        f"It has no such split; draw a tenth of its {count} examples for {second!r}"
        f"{_then(_flags(archive.path))}{command}"
    )


def unpickling_line(path: pathlib.Path) -> str:
    """Advice for an archive of pickled objects: the line that makes plain arrays of them."""
    lines = [
        "import numpy as np",
        f"a = np.load({as_json(str(path))}, allow_pickle=True)",
        "f = lambda v: np.array(v.tolist()) if v.dtype == object else v",
        f"np.savez_compressed({as_json(str(_converted(path)))}, "
        "**{k: f(np.asarray(a[k])) for k in a})",
    ]
    return (
        "Pickled objects can run any program. If you trust their author, convert it"
        f"{_then(_flags(path))}{_command(lines)}"
    )


def _to_archive(archive: Archive) -> str:
    values = [
        f"{as_json(f'{split.name}_{kind}')}: {value}"
        for split in _usable(archive)
        for kind, value in zip(("images", "labels"), _expressions(archive, split), strict=True)
    ]
    command = _command([*_start(archive), _save(archive.path, values)])
    return f"Convert it{_then(_flags(archive.path))}{command}"


def _to_folders(archive: Archive) -> str:
    """The line that writes images and masks as files, for the source of folders."""
    folder = _free(archive.path.with_name(f"{archive.path.stem}_folders"))
    rows = [
        f"({as_json(split.name)}, {as_json(kind)}, {value})"
        for split in _usable(archive)
        for kind, value in zip(("images", "masks"), _expressions(archive, split), strict=True)
    ]
    lines = [
        *_start(archive),
        "import pathlib",
        "from PIL import Image",
        f"r = [(pathlib.Path({as_json(str(folder))}, s, k), x) for s, k, x in [{', '.join(rows)}]]",
        "[p.mkdir(parents=True, exist_ok=True) for p, x in r]",
        "f = lambda v: v[..., 0] if v.shape[2:] == (1,) else v",
        '[Image.fromarray(f(v)).save(p / f"{i:06d}.png") for p, x in r for i, v in enumerate(x)]',
    ]
    second = next((one.name for one in archive.splits if one.name != "train"), "train")
    flags = (
        f"--config.data.source=paired_folder --config.data.dir={shlex.quote(shown(folder))} "
        f"--config.data.eval_images={second}/images --config.data.eval_masks={second}/masks"
    )
    return f"Write them as files, name the classes{_then(flags)}{_command(lines)}"


def _usable(archive: Archive) -> list[Split]:
    """The splits without faults that no line mends."""
    return [
        split
        for split in archive.splits
        if all(fault is None or fault.expression for fault in archive.faults_of(split))
    ]


def _expressions(archive: Archive, split: Split) -> list[str]:
    """Python of good images and of good labels of a split."""
    return [
        f"(lambda v: {fault.expression})(a[{as_json(key)}])"
        if fault and fault.expression
        else f"a[{as_json(key)}]"
        for key, fault in zip((split.images, split.labels), archive.faults_of(split), strict=True)
    ]


def _start(archive: Archive) -> list[str]:
    load = archive.load or f"a = np.load({as_json(str(archive.path))})"
    lines = ["import numpy as np", load]
    if any("(c, " in value for split in archive.splits for value in _expressions(archive, split)):
        keys = as_json([split.labels for split in archive.splits])
        is_bytes = archive.arrays[archive.splits[0].labels].dtype.kind == "S"
        labels = faults.TEXT_OF_BYTES.format("a[k]") if is_bytes else "a[k]"
        lines.append(f"c = np.unique(np.concatenate([{labels}.reshape(-1) for k in {keys}]))")
    return lines


def _save(path: pathlib.Path, values: Sequence[str]) -> str:
    return f"np.savez_compressed({as_json(str(_converted(path)))}, **{{{', '.join(values)}}})"


def _command(lines: Sequence[str]) -> str:
    return f"python -c {shlex.quote('; '.join(lines))}"


def _converted(path: pathlib.Path) -> pathlib.Path:
    return _free(path.with_name(f"{path.stem}_converted.npz"))


def _free(path: pathlib.Path) -> pathlib.Path:
    """The path, with a number if there is something of that name."""
    numbered = (path.with_stem(f"{path.stem}_{number}") for number in itertools.count(2))
    return next(one for one in itertools.chain([path], numbered) if not one.exists())


def _then(flags: str) -> str:
    """The part of a sentence between what a command does and the command."""
    return f", then use {flags} (the line to run follows): "


def _flags(path: pathlib.Path) -> str:
    """The flags that read the converted archive."""
    file = shlex.quote(shown(_converted(path)))
    return f"--config.data.source=npz --config.data.dir={file} --config.data.name=''"
