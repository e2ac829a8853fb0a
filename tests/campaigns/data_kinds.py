"""Data sets: every source reads all examples of both splits, or `check_data` looks at them."""

import functools
import gzip
import logging
import pathlib
import pickle
import struct
from typing import Any

import numpy as np
from PIL import Image

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.source import Source
from symmflow_jax.preparation.check_data import check_data
from tests.campaigns import formats
from tests.campaigns.experiments import tiny
from tests.campaigns.judgement import REFUSALS, heard
from tests.campaigns.kinds import Kind
from tests.campaigns.mutations import BYTES, Damage

_CLASSES = ("sky", "road", "tree")
_HEIGHT, _WIDTH = 8, 10

# Reasons why nobody can see a change.
_NO_CHECKSUM = "the format has no checksum of its pixels"
_OTHER_FILE = "two files of one kind have changed places; each is valid"
_FEWER = "a pair, or a whole split, is not there; the rest is valid"
_OTHER_CONTENT = "the content is another, valid one, with right checksums"


def _read(source: Source, experiment: Experiment) -> dict[str, Any]:
    """Every example, as it is on disk and as training would see it; or its error."""
    found: dict[str, Any] = {}
    for index in range(len(source)):
        try:
            element = source[index]
            prepared = experiment.preparation.augment(element, np.random.default_rng(0))
            raw = {key: np.asarray(value) for key, value in element.items()}
            found[str(index)] = raw | {
                f"prepared {key}": np.asarray(value) for key, value in prepared.items()
            }
        except REFUSALS as error:
            found[str(index)] = error
    return found


def read_both(experiment: Experiment) -> dict[str, Any]:
    """All examples of both splits, and the classes."""
    classes = list(experiment.schema.names)
    training = _read(experiment.training_source, experiment)
    evaluation = _read(experiment.evaluation_source, experiment)
    return {"classes": classes, "training": training, "evaluation": evaluation}


def _survey(experiment: Experiment) -> dict[str, Any]:
    with heard() as lines:
        usable = check_data(experiment)
    for line in lines:
        logging.getLogger("symmflow_jax.campaign").info("%s", line)
    return {"usable": usable, "lines": list(lines)}


def _reader(checks: bool, **overrides: Any):
    def read(folder: pathlib.Path, variant: int) -> dict[str, Any]:
        experiment = tiny(**{"data.dir": str(folder)} | overrides)
        return _survey(experiment) if checks else read_both(experiment)

    return read


# Folders of pictures.

_FORMS = ("png", "jpg", "bmp", "webp")


def _photo(path: pathlib.Path, rng: np.random.Generator, size=(_HEIGHT, _WIDTH)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(path)


def _ids(rng: np.random.Generator, ids, size=(_HEIGHT, _WIDTH)) -> np.ndarray:
    return rng.choice(np.asarray(ids, np.uint8), size)


_COLOURS = np.asarray([[0, 0, 0], [255, 0, 128], [0, 200, 64]], np.uint8)


def _grey_mask(path: pathlib.Path, ids: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(ids).save(path)


def _palette_mask(path: pathlib.Path, ids: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(ids).convert("P")
    picture.putdata(ids.ravel().tolist())
    picture.putpalette(_COLOURS.ravel().tolist())
    picture.save(path)


def _colour_mask(path: pathlib.Path, ids: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(_COLOURS[ids]).save(path)


def _pairs(write_mask, folder: pathlib.Path, variant: int) -> None:
    rng = np.random.default_rng(variant)
    form = _FORMS[variant]
    for split, count in (("train", 3), ("val", 2)):
        for number in range(count):
            _photo(folder / split / "images" / f"scene_{number}.{form}", rng)
            write_mask(folder / split / "masks" / f"scene_{number}.png", _ids(rng, range(3)))


def _picture_excuse(damage: Damage, difference: str) -> str | None:
    """What nobody can see in a folder of pictures."""
    form = damage.target.rsplit(".", 1)[-1]
    if damage.mutation == "swapped":
        return _OTHER_FILE
    if form in ("jpg", "bmp", "webp") and damage.mutation in BYTES:
        return _NO_CHECKSUM
    if _is_photo(damage.target) and damage.mutation in ("as_jpeg", "ids_beyond", "sixteen_bits"):
        return "a photo may have any colours and any format"
    return None


def _is_photo(target: str) -> bool:
    return any(f"{folder}/" in f"/{target}" for folder in ("images", "leftImg8bit", "HQ-img"))


_OWN_CLASSES = {"data.source": "paired_folder", "data.class_names": _CLASSES}
_HEX = tuple("#" + bytes(colour).hex() for colour in _COLOURS.tolist())
_PICTURES = {
    ".png": formats.MASKS, ".jpg": formats.PICTURES, ".bmp": formats.PICTURES,
    ".webp": formats.PICTURES,
}  # fmt: skip


def _pictures(make, share: float, **overrides: Any) -> dict[bool, Kind]:
    return {
        checks: Kind(
            make,
            _reader(checks, **overrides),
            variants=4,
            share=share * (0.3 if checks else 1.0),
            damages=_PICTURES,
            excuse=_picture_excuse,
        )
        for checks in (False, True)
    }


def _ade20k(folder: pathlib.Path, variant: int) -> None:
    rng = np.random.default_rng(variant)
    for split, count in (("training", 2), ("validation", 2)):
        for number in range(count):
            name = f"ADE_{split}_{number:08d}"
            _photo(folder / "images" / split / f"{name}.jpg", rng)
            _grey_mask(folder / "annotations" / split / f"{name}.png", _ids(rng, range(151)))


def _cityscapes(folder: pathlib.Path, variant: int) -> None:
    rng = np.random.default_rng(variant)
    for split, city in (("train", "aachen"), ("val", "ulm")):
        for number in range(2):
            stem = f"{city}_{number:06d}_000019"
            _photo(folder / "leftImg8bit" / split / city / f"{stem}_leftImg8bit.png", rng)
            mask = folder / "gtFine" / split / city / f"{stem}_gtFine_labelIds.png"
            _grey_mask(mask, _ids(rng, range(34)))


def _coco_stuff(folder: pathlib.Path, variant: int) -> None:
    rng = np.random.default_rng(variant)
    for split in ("train2017", "val2017"):
        for number in range(2):
            _photo(folder / split / f"{number:012d}.jpg", rng)
            mask = folder / "stuffthingmaps_trainval2017" / split / f"{number:012d}.png"
            _grey_mask(mask, _ids(rng, [0, 1, 2, 255, 181]))


def _celebamask(folder: pathlib.Path, variant: int) -> None:
    """Faces with masks of parts, or with merged masks."""
    rng = np.random.default_rng(variant)
    originals = {0: 1, 1: 2, 2: 162_771, 3: 190_000}
    for number in originals:
        _photo(folder / "CelebA-HQ-img" / f"{number}.jpg", rng, (16, 16))
        if variant:
            _grey_mask(
                folder / "CelebAMask-HQ-mask" / f"{number}.png", _ids(rng, range(19), (8, 8))
            )
            continue
        for part in ("skin", "nose", "hair"):
            path = folder / "CelebAMask-HQ-mask-anno" / "0" / f"{number:05d}_{part}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            present = _ids(rng, [0, 255], (8, 8))
            Image.fromarray(present).convert("RGB").save(path)
    lines = ["idx orig_idx orig_file", *(f"{n} {o} {o:06d}.jpg" for n, o in originals.items())]
    (folder / "CelebA-HQ-to-CelebA-mapping.txt").write_text("\n".join(lines) + "\n")


def _celebamask_excuse(damage: Damage, difference: str) -> str | None:
    if damage.mutation == "other_size":
        return "a mask may be smaller than its face by any whole factor"
    if damage.target.endswith("mapping.txt") and damage.mutation in BYTES:
        return "a text without a checksum; another valid number is another valid split"
    if "mask-anno" in damage.target and damage.after is None:
        return "a face need not have every part"
    if "mask-anno" in damage.target and damage.mutation in ("other_suffix", "not_utf8"):
        return "a face need not have every part"
    if damage.target.endswith("mapping.txt") and damage.after is None:
        return "the mapping is optional, as the class says"
    return _picture_excuse(damage, difference)


# IDX.


def _idx_bytes(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 0x08, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def _idx(folder: pathlib.Path, variant: int) -> None:
    rng = np.random.default_rng(variant)
    for split, count in (("train", 12), ("t10k", 11)):
        images = rng.integers(0, 256, (count, 8, 6), np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 10
        for stem, array in (("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels)):
            content = _idx_bytes(array)
            name = f"{split}-{stem}"
            if variant:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)


def _idx_excuse(damage: Damage, difference: str) -> str | None:
    if damage.mutation == "swapped":
        return _OTHER_FILE
    if not damage.target.endswith(".gz") and damage.mutation in BYTES:
        return "IDX without gzip has no checksum; another pixel or label is a valid one"
    if damage.mutation == "idx_header" and "classes" not in difference:
        return _OTHER_CONTENT
    return None


# NumPy archives.


def _npz(folder: pathlib.Path, variant: int) -> None:
    rng = np.random.default_rng(variant)
    arrays = {}
    for split, count in (("train", 12), ("val", 7), ("test", 9)):
        shape = ((count, 8, 8, 3), (count, 8, 8))[variant]
        arrays[f"{split}_images"] = rng.integers(0, 256, shape, np.uint8)
        arrays[f"{split}_labels"] = (np.arange(count) % 5).reshape(-1, 1).astype(np.uint8)
    (np.savez_compressed if variant else np.savez)(folder / "blood.npz", **arrays)


def _npz_excuse(damage: Damage, difference: str) -> str | None:
    if damage.mutation in ("other_array", "member_changed"):
        return _OTHER_CONTENT
    return None


# CIFAR-10.


def _cifar10(folder: pathlib.Path, variant: int) -> None:
    for seed, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        rng = np.random.default_rng(seed)
        pixels, classes = rng.integers(0, 256, (2, 3072), np.uint8), rng.integers(0, 10, 2)
        if variant:
            records = np.concatenate([classes[:, None].astype(np.uint8), pixels], 1)
            (folder / f"{name}.bin").write_bytes(records.tobytes())
        else:
            content = {b"data": pixels, b"labels": classes.tolist(), b"batch_label": b"x"}
            (folder / name).write_bytes(pickle.dumps(content, protocol=2))


_LABELS: tuple[Any, ...] = (
    None, 3, [], [10, 0], [-1, 0], [0.5, 1], ["0", "1"], [[0, 1]], [0], [10**30, 0], {"a": 1},
    [True, False], [None, 0], [float("nan"), 0], np.array([0, 1]), np.array(["cat", "dog"]),
)  # fmt: skip


def _other_batch(rng: np.random.Generator, content: bytes) -> bytes:
    """A batch whose labels or pixels are of another kind."""
    batch = pickle.loads(content, encoding="bytes")
    if rng.random() < 0.7:
        batch[b"labels"] = _LABELS[int(rng.integers(len(_LABELS)))]
    else:
        data = batch[b"data"]
        others = (
            None,
            data[:1],
            data.astype(float),
            data.ravel(),
            data[:, :-1],
            data.tolist(),
            "x",
        )
        batch[b"data"] = others[int(rng.integers(len(others)))]
    return pickle.dumps(batch, protocol=int(rng.integers(6)))


def _cifar10_excuse(damage: Damage, difference: str) -> str | None:
    if damage.mutation in BYTES:
        return "neither version has a checksum; another pixel or label is a valid one"
    if damage.mutation in ("swapped", "copied"):
        return _OTHER_FILE
    if damage.mutation == "_other_batch":
        return _OTHER_CONTENT
    return None


def _labels(source: str, encoding: str = "plane", **overrides: Any) -> dict[str, Any]:
    return {"data.source": source, "semantics.encoding": encoding} | overrides


_SPLIT_VAL = {"data.eval_split": "val"}
_FOLDERS: dict[str, dict[bool, Kind]] = {
    "grey masks": _pictures(functools.partial(_pairs, _grey_mask), 2.0, **_OWN_CLASSES),
    "palette masks": _pictures(functools.partial(_pairs, _palette_mask), 1.0, **_OWN_CLASSES),
    "colour masks": _pictures(
        functools.partial(_pairs, _colour_mask),
        1.0,
        **_OWN_CLASSES | {"data.class_colours": _HEX},
    ),
}

KINDS: dict[str, Kind] = {
    f"{name}, checked" if checks else name: kind
    for name, kinds in _FOLDERS.items()
    for checks, kind in kinds.items()
} | {
    "ade20k": Kind(
        _ade20k,
        _reader(False, **{"data.source": "ade20k"}, **_SPLIT_VAL),
        share=0.5,
        damages=_PICTURES,
        excuse=_picture_excuse,
    ),
    "cityscapes": Kind(
        _cityscapes,
        _reader(False, **{"data.source": "cityscapes"}, **_SPLIT_VAL),
        share=0.5,
        damages=_PICTURES,
        names=("aachen_0", "ulm_0"),  # The name of a scene.
        excuse=_picture_excuse,
    ),
    "coco_stuff": Kind(
        _coco_stuff,
        _reader(False, **{"data.source": "coco_stuff"}, **_SPLIT_VAL),
        share=0.5,
        damages=_PICTURES,
        excuse=_picture_excuse,
    ),
    "celebamask_hq": Kind(
        _celebamask,
        _reader(False, **{"data.source": "celebamask_hq"}, **_SPLIT_VAL),
        variants=2,
        share=0.8,
        damages=_PICTURES,
        names=("CelebAMask-HQ-mask-anno/0/0",),  # Of parts that do not fit, any may be the odd one.
        excuse=_celebamask_excuse,
    ),
    "idx": Kind(
        _idx,
        _reader(False, **_labels("idx")),
        variants=2,
        share=1.2,
        damages={"ubyte": formats.IDX, ".gz": (*formats.IDX * 5, formats.gzip_bomb)},
        excuse=_idx_excuse,
    ),
    "idx, checked": Kind(
        _idx,
        _reader(True, **_labels("idx")),
        variants=2,
        share=0.3,
        damages={"ubyte": formats.IDX, ".gz": formats.IDX},
        excuse=_idx_excuse,
    ),
    "npz": Kind(
        _npz,
        _reader(False, **_labels("npz"), **_SPLIT_VAL),
        variants=2,
        share=1.5,
        damages={".npz": (*formats.ARCHIVES, formats.zip_bomb)},
        excuse=_npz_excuse,
    ),
    "npz, checked": Kind(
        _npz,
        _reader(True, **_labels("npz"), **_SPLIT_VAL),
        variants=2,
        share=0.3,
        damages={".npz": formats.ARCHIVES},
        excuse=_npz_excuse,
    ),
    "cifar10": Kind(
        _cifar10,
        _reader(False, **_labels("cifar10")),
        variants=2,
        share=1.0,
        damages={"_batch": (_other_batch,), **{f"_{n}": (_other_batch,) for n in range(1, 6)}},
        excuse=_cifar10_excuse,
    ),
}
"""Data sets in files."""
