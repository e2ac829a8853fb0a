"""The parts of the training data beside its split: incomplete examples, and extra ones."""

import pathlib
from collections.abc import Callable

from symmflow_jax.config.build.data.openers import decoding_of
from symmflow_jax.config.build.data.own.splits import parts_of
from symmflow_jax.config.build.data.sources import SOURCES, kind_of
from symmflow_jax.config.values import Config
from symmflow_jax.data.mixing.image_folder import image_folder
from symmflow_jax.data.mixing.incomplete import Chain, Incomplete, incomplete_of
from symmflow_jax.data.mixing.mixture import Mixture, Part
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.data.sources.classification.npz import Npz
from symmflow_jax.data.sources.segmentation.paired_folder import PairedFolder
from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.time_sampling import ONE_CLOCK
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.kinds import SemanticsKind


def learns_unlabelled(config: Config) -> bool:
    """True if training also learns from incomplete examples."""
    return config.data.unlabelled == "learn"


def check(config: Config) -> None:
    """Raises a ValueError for parts of the training data that do not fit the rest."""
    data, is_mask = config.data, kind_of(config) is SemanticsKind.MASK
    if data.unlabelled_images and not learns_unlabelled(config):
        raise ValueError(
            f"config.data.unlabelled_images is {data.unlabelled_images!r}, but "
            "config.data.unlabelled is 'refuse'; set it to 'learn', or clear the folder."
        )
    if data.unlabelled_images and not data.image_size:
        raise ValueError(
            f"config.data.unlabelled_images is {data.unlabelled_images!r}, but "
            "config.data.image_size is (), which means points; clear the folder."
        )
    if learns_unlabelled(config):
        _check_learns(config)
    if data.hidden_share and not is_mask:
        raise ValueError(
            f"config.data.hidden_share is {data.hidden_share:g}, the share of masks of which a "
            "part is hidden, but this config learns labels; set it to 0."
        )
    asks = [
        f"config.data.{key}"
        for key, asked in (
            ("unlabelled='learn'", learns_unlabelled(config)),
            ("extra_dir", bool(data.extra_dir)),
            ("hidden_share", bool(data.hidden_share)),
        )
        if asked
    ]
    if asks and data.latents:
        raise ValueError(
            f"config.data.latents is {data.latents!r}, which holds encoded examples of the split "
            f"alone, but {asks[0]} asks for others; clear config.data.latents."
        )
    shares = (config.train.unlabelled_share if learns_unlabelled(config) else 0.0) + (
        data.extra_share if data.extra_dir else 0.0
    )
    if shares >= 1.0:
        raise ValueError(
            f"config.train.unlabelled_share {config.train.unlabelled_share:g} and "
            f"config.data.extra_share {data.extra_share:g} leave nothing for the data itself; "
            "together they must be below 1."
        )


def _check_learns(config: Config) -> None:
    from symmflow_jax.config.build.method.method import CLOCKS

    if CLOCKS[config.train.clock].num_clocks == 1:
        raise ValueError(f"config.data.unlabelled is 'learn'. {ONE_CLOCK}")
    beside = "mask_pattern" if config.data.mask_pattern else "val_share or config.data.folds"
    if SOURCES[config.data.source].may_be_incomplete and (
        config.data.mask_pattern or parts_of(config.data)
    ):
        raise ValueError(
            "config.data.unlabelled is 'learn', which takes what has no partner in two folders of "
            f"the training split, but config.data.{beside} is set; clear it, or set unlabelled to "
            "'refuse' and name the further images in config.data.unlabelled_images."
        )
    if not (SOURCES[config.data.source].may_be_incomplete or config.data.unlabelled_images):
        able = [name for name, choice in SOURCES.items() if choice.may_be_incomplete]
        raise ValueError(
            f"config.data.unlabelled is 'learn', but all examples of "
            f"config.data.source={config.data.source!r} are complete; name a folder of images in "
            f"config.data.unlabelled_images, choose {' or '.join(able)}, or set it to 'refuse'."
        )


def open_mixture(config: Config, open_split: Callable[[], Source]) -> Mixture:
    """The parts beside the training split, opened.

    Args:
        config: the config.
        open_split: gives the training split. It is opened only if there are such parts, since a
            plan or a benchmark makes a train step without data.

    Raises:
        DataError: if a folder is missing, or if there are no incomplete examples to learn from.
    """
    parts = []
    if learns_unlabelled(config):
        incomplete = _incomplete(config, open_split())
        parts.append(Part(incomplete.source, config.train.unlabelled_share, incomplete.complete))
    if config.data.extra_dir:
        parts.append(Part(_extra(config, open_split()), config.data.extra_share))
    return Mixture(tuple(parts))


def _incomplete(config: Config, source: Source) -> Incomplete:
    found = [incomplete_of(source)]
    if config.data.unlabelled_images:
        folder = pathlib.Path(config.data.unlabelled_images)
        images = image_folder(folder, decoding_of(config.data))
        found.append(Incomplete(images, JointState(1.0, 0.0)))
    there = [part for part in found if part is not None]
    if not there:
        raise DataError(
            "config.data.unlabelled is 'learn', but every training image has its mask or label, "
            "and the other way round; set it to 'refuse', or name a folder of images in "
            "config.data.unlabelled_images."
        )
    total = sum(len(part.source) for part in there)
    shares = [
        JointState(*(len(part.source) / total * share for share in part.complete)) for part in there
    ]
    complete = JointState(*(sum(values) for values in zip(*shares, strict=True)))
    return Incomplete(Chain(tuple(part.source for part in there)), complete)


def _extra(config: Config, source: Source) -> Source:
    """The pairs of `data.extra_dir`."""
    folder, kind = pathlib.Path(config.data.extra_dir), kind_of(config)
    schema = source.schemas[kind]
    if kind is SemanticsKind.LABEL:
        extra = Npz(folder if folder.is_file() else folder / "samples.npz", "train")
        known = extra.schemas["label"].num_classes
        if known > schema.num_classes:
            raise DataError(
                f"config.data.extra_dir {shown(folder)} has the label {known - 1}, but the data "
                f"has the classes 0 to {schema.num_classes - 1}; make it from a model of the same "
                "classes."
            )
        return extra
    images, masks = folder / "train" / "images", folder / "train" / "masks"
    return PairedFolder(images, masks, schema, decoding=decoding_of(config.data))
