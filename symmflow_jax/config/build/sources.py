"""The border for data: sources, label schemas, preparation and training batches."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import grain

from symmflow_jax import distributed, labels, palettes, run_folder
from symmflow_jax.config.values import Config, DataConfig
from symmflow_jax.data import pipeline
from symmflow_jax.data.latent_cache import CachedPreparation, CacheIndex, LatentCache
from symmflow_jax.data.pipeline import Augmentation, Preparation
from symmflow_jax.data.sources import ade20k, celebamask_hq, cifar10, cityscapes, coco_stuff
from symmflow_jax.data.sources.ade20k import Ade20k
from symmflow_jax.data.sources.celebamask_hq import CelebAMaskHQ
from symmflow_jax.data.sources.cifar10 import Cifar10
from symmflow_jax.data.sources.cityscapes import Cityscapes
from symmflow_jax.data.sources.coco_stuff import CocoStuff
from symmflow_jax.data.sources.gaussian_mixture import GaussianMixture
from symmflow_jax.data.sources.idx import Idx
from symmflow_jax.data.sources.npz import Npz
from symmflow_jax.data.sources.paired_folder import PairedFolder
from symmflow_jax.data.sources.prepared_tfds import PreparedTfds
from symmflow_jax.data.sources.shapes import Shapes
from symmflow_jax.data.sources.source import DataError, Source, numbered_classes
from symmflow_jax.data.sources.spirals import Spirals
from symmflow_jax.data.sources.split_posterior import SplitPosterior
from symmflow_jax.data.transforms import image_size
from symmflow_jax.interop.weights_hash import hash_of
from symmflow_jax.labels import LabelSchema

# Classes of data sets that are the same for everyone, by source or by name of a TFDS set. Most
# sets in the format of MNIST have ten, as it has.
_KNOWN_CLASSES = {
    ("ade20k", "mask"): ade20k.SCHEMA,
    ("celebamask_hq", "mask"): celebamask_hq.SCHEMA,
    ("cifar10", "label"): cifar10.SCHEMA,
    ("cityscapes", "mask"): cityscapes.SCHEMA,
    ("coco_stuff", "mask"): coco_stuff.SCHEMA,
    ("idx", "label"): numbered_classes(10),
    ("mnist", "label"): numbered_classes(10),
}


_SOURCES_OF_MASKS = (
    "shapes",
    "paired_folder",
    "coco_stuff",
    "celebamask_hq",
    "cityscapes",
    "ade20k",
)


def target(config: Config) -> str:
    """What of an example is learned: its "mask" or its "label".

    One-hot codes are for both, and take the masks of a source that has them.
    """
    if config.semantics.encoding == "onehot":
        return "mask" if config.data.source in _SOURCES_OF_MASKS else "label"
    return "mask" if config.semantics.encoding == "palette" else "label"


def source(config: Config, *, train: bool) -> Source:
    """The source of a split, as its own folder layout has it, or a cache of the training split.

    Raises:
        DataError: if the data is missing or has no labels of the kind that the encoding needs;
            if points are of another size; if a cache was made of other data.
    """
    if train and config.data.latents:
        cache = LatentCache(config.data.latents)
        cache.check_fits(_cache_facts(config))
        return cache
    builders: dict[str, Callable[[DataConfig, bool, int], Source]] = {
        "shapes": _drawn(Shapes),
        "spirals": _drawn(Spirals),
        "gaussian_mixture": _drawn(GaussianMixture),
        "split_posterior": _drawn(SplitPosterior),
        "idx": _of_layout(Idx),
        "tfds": _tfds,
        "npz": _npz,
        "paired_folder": _paired_folder,
        "coco_stuff": _of_layout(CocoStuff),
        "celebamask_hq": _of_layout(CelebAMaskHQ),
        "cityscapes": _of_layout(Cityscapes),
        "ade20k": _of_layout(Ade20k),
        "cifar10": _of_layout(Cifar10),
    }
    result = builders[config.data.source](config.data, train, config.seed)
    if target(config) not in result.schemas:
        raise DataError(
            f"config.semantics.encoding={config.semantics.encoding!r} learns a {target(config)}, "
            f"but {config.data.source!r} has only {' and '.join(result.schemas)}; choose "
            "'palette' for masks, 'plane' or 'colour' for labels, 'onehot' for either."
        )
    if not config.data.image_size:
        _check_points(config.data, result)
    return result


def schema(config: Config, source: Source) -> LabelSchema:
    """The label schema of the config's target."""
    return source.schemas[target(config)]


def schema_of_classes(config: Config) -> LabelSchema:
    """The label schema of the config's target, also where the data is not there.

    The classes are then those of `class_names`, or those that are known of the data set.

    Raises:
        DataError: if the data is missing, and its classes are not known without it.
    """
    try:
        return schema(config, source(uncached(config), train=True))
    except DataError as error:
        name = config.data.name if config.data.source == "tfds" else config.data.source
        known = _KNOWN_CLASSES.get((name, target(config)))
        if config.data.class_names:
            return _named_classes(config.data)
        if known is None:
            raise DataError(
                f"{error} Without the data, name its classes with config.data.class_names."
            ) from error
        return known


def preparation(config: Config, schema: LabelSchema) -> Preparation:
    """What is done to each example, whose classes are those of a schema."""
    return Preparation(
        target=target(config),
        image_size=config.data.image_size,
        image_channels=config.data.image_channels,
        random_crop=config.data.random_crop,
        random_flip=config.data.random_flip,
        mirrored=schema.mirrored,
    )


def augmentation(config: Config, schema: LabelSchema) -> Augmentation:
    """What is done to each training example, as its source has it or as a cache has it."""
    if config.data.latents:
        return CachedPreparation(target(config), config.data.random_flip, schema.mirrored)
    return preparation(config, schema)


def uncached(config: Config) -> Config:
    """The config with training examples from their source."""
    return dataclasses.replace(config, data=dataclasses.replace(config.data, latents=""))


def cache_index(config: Config, schema: LabelSchema, codec_weights: Any) -> CacheIndex:
    """What a cache of the training split holds, without any example yet."""
    encoder_hash = hash_of(codec_weights["encoder"])
    return CacheIndex(
        **_cache_facts(config), encoder_hash=encoder_hash, num_examples=0, schema=schema
    )


def check_latents(config: Config, source: Source, codec_weights: Any) -> None:
    """Raises if the training reads latents of another encoder than it has, or needs none.

    Raises:
        DataError: if the latents are of another encoder.
        ValueError: if the flow moves pixels.
    """
    if not isinstance(source, LatentCache):
        return
    if codec_weights is None:
        raise ValueError(
            f"config.data.latents is {config.data.latents!r}, but without "
            "config.autoencoder.weights the flow moves pixels; set both or none."
        )
    source.check_fits({"encoder_hash": hash_of(codec_weights["encoder"])})


def training_batches(
    config: Config, source: Source, schema: LabelSchema, workdir: pathlib.Path | None = None
) -> grain.DatasetIterator:
    """This process's part of the training batches, endlessly; see `pipeline.training_batches`.

    Examples that cannot be read, where they are skipped at all, are noted in `workdir`.
    """
    return pipeline.training_batches(
        source,
        augmentation(config, schema),
        batch_size=config.train.batch_size,
        seed=config.seed,
        shard=distributed.shard(),
        num_workers=config.data.num_workers,
        skip_errors=config.data.on_error == "skip",
        skip_log=workdir / run_folder.SKIPPED if workdir else None,
    )


def _check_points(config: DataConfig, source: Source) -> None:
    """Without this, training would end in a message about the network's parameters."""
    shape = image_size(source[0]["image"])
    if len(shape) != 1:
        raise DataError(
            f"config.data.image_size is empty, which means points, but {config.source!r} has "
            f"images of shape {shape}; set config.data.image_size, such as to (32, 32)."
        )
    if shape != (config.point_size,):
        raise DataError(
            f"config.data.point_size is {config.point_size}, but the points of "
            f"{config.source!r} have {shape[0]} numbers; set it to {shape[0]}."
        )


def _drawn(
    draw_source: Callable[[int, str, int], Source],
) -> Callable[[DataConfig, bool, int], Source]:
    """The builder of a source that a size, a split and a seed determine."""

    def build_source(config: DataConfig, train: bool, seed: int) -> Source:
        size = config.train_size if train else config.eval_size
        return draw_source(size, "train" if train else "test", seed)

    return build_source


def _of_layout(
    open_source: Callable[[pathlib.Path, str], Source],
) -> Callable[[DataConfig, bool, int], Source]:
    """The builder of a source that a folder and a split determine."""

    def build_source(config: DataConfig, train: bool, seed: int) -> Source:
        del seed
        return open_source(pathlib.Path(config.dir), _split(config, train))

    return build_source


def _tfds(config: DataConfig, train: bool, seed: int) -> Source:
    del seed
    return PreparedTfds(config.name, config.dir, _split(config, train))


def _npz(config: DataConfig, train: bool, seed: int) -> Source:
    del seed
    path = pathlib.Path(config.dir)
    return Npz(path / f"{config.name}.npz" if config.name else path, _split(config, train))


def _paired_folder(config: DataConfig, train: bool, seed: int) -> Source:
    del seed
    root = pathlib.Path(config.dir)
    if not config.class_names:
        raise DataError(
            "config.data.class_names is empty; name the classes in the order of their ids, "
            "for instance --config.data.class_names=\"('sky', 'road', 'tree')\"."
        )
    images = config.train_images if train else config.eval_images
    masks = config.train_masks if train else config.eval_masks
    classes = _named_classes(config)
    colours = tuple(palettes.from_hex(colour) for colour in config.class_colours)
    if colours and len(colours) != classes.num_classes:
        raise DataError(
            f"config.data.class_colours has {len(colours)} colours for {classes.num_classes} "
            f"classes ({', '.join(classes.names)}); give one for each."
        )
    return PairedFolder(root / images, root / masks, classes, colours)


def _named_classes(config: DataConfig) -> LabelSchema:
    """The classes of `class_names`, under their ids in the files."""
    ids = config.class_ids or tuple(range(len(config.class_names)))
    if len(ids) != len(config.class_names):
        raise DataError(
            f"config.data.class_ids has {len(ids)} ids for {len(config.class_names)} class_names; "
            "give one for each."
        )
    return labels.filed_under(ids, config.class_names, config.ignored_id)


def _cache_facts(config: Config) -> dict[str, Any]:
    """What the config says of a cache of its training split, by the names of the index."""
    return {
        "source": config.data.source,
        "split": config.data.train_split,
        "target": target(config),
        "image_size": config.data.image_size,
        "has_mirrored": config.data.random_flip,
    }


def _split(config: DataConfig, train: bool) -> str:
    return config.train_split if train else config.eval_split
