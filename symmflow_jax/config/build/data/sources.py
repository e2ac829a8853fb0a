"""Table of data sources, and their classes."""

import contextlib
import dataclasses
import logging
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

from symmflow_jax.config.build.data.fits import make_fit
from symmflow_jax.config.build.method.semantics import semantics_kind
from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import Config, DataConfig
from symmflow_jax.data.decoding.decoding import Decoding
from symmflow_jax.data.fingerprint import files_of, fingerprint
from symmflow_jax.data.folders.listing import shorten
from symmflow_jax.data.latent_cache.cache import LatentCache
from symmflow_jax.data.packed.index import DataSet, read_dataset
from symmflow_jax.data.packed.layout import Place
from symmflow_jax.data.packed.packed import Packed
from symmflow_jax.data.source import DataError, Source, classes_found, notes_of, numbered_classes
from symmflow_jax.data.sources.classification.labelled_arrays import LabelledArrays
from symmflow_jax.data.sources.segmentation.partly_paired import PartlyPaired
from symmflow_jax.data.transforms import image_size
from symmflow_jax.runtime.errors import shown
from symmflow_jax.runtime.storage import place
from symmflow_jax.semantics import labels, palettes
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.semantics.labels import LabelSchema

_logger = logging.getLogger(__name__)

_SPLITS = ("train_split", "eval_split")
_FOLDERS = ("train_images", "train_masks", "eval_images", "eval_masks")

_FILES = ("max_megapixels", "exif")

SOURCE_KEYS = {
    *("train_size", "eval_size", "dir", "name", *_SPLITS, *_FOLDERS),
    *("class_ids", "class_colours", "ignored_id", *_FILES),
}
"""Keys of `config.data` that choose the examples; each source uses some of them."""

MASK, LABEL = SemanticsKind.MASK, SemanticsKind.LABEL

Opener = Callable[[Callable[..., Source], DataConfig, bool, int], Source]
"""`open(constructor, data, train, seed)`: calls the constructor of a source."""


@dataclasses.dataclass(frozen=True)
class SourceChoice(Choice):
    """A data source.

    Attributes:
        kinds: kinds of semantics of its examples, the preferred one first.
        opener: function that calls its constructor.
        known_classes: "module:attribute" of the label schema that is known without files, or of a
            function from `data.name` to that schema or None; None if it is never known.
        has_name: True if `data.name` chooses among several data sets.
        has_own_classes: True if the config, and not the data set, defines the classes.
        is_packed: True if the files tell which data set they are.
        may_be_incomplete: True if it finds examples that lack labels, or their image.
    """

    kinds: tuple[SemanticsKind, ...]
    opener: Opener
    known_classes: str | None = None
    has_name: bool = False
    has_own_classes: bool = False
    is_packed: bool = False
    may_be_incomplete: bool = False

    @property
    def used_keys(self) -> tuple[str, ...]:
        """The keys of `SOURCE_KEYS` that the source uses."""
        return _USED_KEYS.get(self.opener, tuple(SOURCE_KEYS))

    @property
    def is_drawn(self) -> bool:
        """True if the examples are drawn from the seed, without files."""
        return self.opener is from_seed

    def dataset(self, name: str, data_name: str) -> str:
        """Name of the data set in scores: the source, and `data_name` if it has several sets."""
        return f"{name}/{data_name}" if self.has_name else name

    def classes_without_files(self, data_name: str) -> LabelSchema | None:
        """The label schema, or None if it is not known without the files."""
        if self.known_classes is None:
            return None
        known: Any = Choice(self.known_classes, "").resolve()
        return known(data_name) if callable(known) else known


def from_seed(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a synthetic source from a size, a split and a seed."""
    size = data.train_size if train else data.eval_size
    return constructor(size, "train" if train else "test", seed)


def from_folder(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from a folder and a split."""
    del seed
    return constructor(place.place(data.dir, "config.data.dir"), _split(data, train))


def from_image_folder(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source of image files from a folder and a split."""
    del seed
    return constructor(
        place.place(data.dir, "config.data.dir"), _split(data, train), decoding=decoding_of(data)
    )


def from_name(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from a name, a folder and a split."""
    del seed
    return constructor(data.name, data.dir, _split(data, train))


def from_archive(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from an archive, or its folder, and a split.

    Raises:
        DataError: if `data.dir` is an archive of another name than `data.name`.
    """
    del seed
    path = pathlib.Path(data.dir)
    if data.name and not path.is_file():
        path = path / f"{data.name}.npz"
    elif data.name and path.stem != data.name:
        raise DataError(
            f"config.data.dir is the archive {shown(path)}, but config.data.name is "
            f"{shown(data.name)}, the name of another one; set "
            f"config.data.name={shown(path.stem)}, or config.data.dir to the folder of "
            f"{shown(data.name)}.npz."
        )
    learns = train and data.unlabelled == "learn"
    return constructor(path, _split(data, train), **({"keeps_unlabelled": True} if learns else {}))


def from_folder_pair(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from a folder of images and a folder of masks, with classes of the config.

    Raises:
        DataError: if there are no class names, or their number differs from that of the ids or
            colours.
        ValueError: if an id is negative or a colour is not written as "#ff0080".
    """
    del seed
    if not data.class_names:
        raise DataError(
            "config.data.class_names is empty; name the classes in the order of their ids, "
            "for instance --config.data.class_names=\"('sky', 'road', 'tree')\"."
        )
    root = pathlib.Path(data.dir)
    images = data.train_images if train else data.eval_images
    masks = data.train_masks if train else data.eval_masks
    classes = _classes_of_config(data)
    colours = tuple(palettes.from_hex(colour) for colour in data.class_colours)
    if colours and len(colours) != classes.num_classes:
        raise DataError(
            f"config.data.class_colours has {len(colours)} colours for {classes.num_classes} "
            f"classes ({', '.join(classes.names)}); give one for each."
        )
    if train and data.unlabelled == "learn":
        constructor = PartlyPaired
    return constructor(root / images, root / masks, classes, colours, decoding_of(data))


def from_packed(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a packed source from a folder and a split.

    Raises:
        DataError: if the config gives classes in files other than those that were packed.
    """
    source = from_image_folder(constructor, data, train, seed)
    if isinstance(source, Packed):
        _check_as_packed(source.dataset, data)
    return source


def _check_as_packed(packed: DataSet, data: DataConfig) -> None:
    """Raises DataError if a key that was fixed by the packing has another value now."""
    for key in ("class_ids", "class_colours", "ignored_id"):
        if f"data.{key}" not in packed.keys:  # The packed source does not use it.
            continue
        value, before = getattr(data, key), packed.keys[f"data.{key}"]
        value = list(value) if isinstance(value, tuple) else value
        if value not in ([], None) and value != before:
            raise DataError(
                f"config.data.{key} is {value!r}, but {data.dir} was packed with {before!r}. Leave "
                "it out, or pack the data again with --mode=pack --output=OTHER_FOLDER."
            )


def decoding_of(data: DataConfig) -> Decoding:
    """How image files are decoded."""
    return Decoding(data.max_megapixels, applies_exif=data.exif == "apply")


_USED_KEYS: dict[Opener, tuple[str, ...]] = {
    from_seed: ("train_size", "eval_size"),
    from_folder: ("dir", *_SPLITS),
    from_image_folder: ("dir", *_SPLITS, *_FILES),
    from_packed: ("dir", *_SPLITS, *_FILES),
    from_name: ("name", "dir", *_SPLITS),
    from_archive: ("name", "dir", *_SPLITS),
    # Its splits are folders; the name of the evaluation split occurs only in scores.
    from_folder_pair: (
        *("dir", "eval_split", *_FOLDERS, "class_ids", "class_colours", "ignored_id"),
        *_FILES,
    ),
}

SOURCES: dict[str, SourceChoice] = {
    "shapes": SourceChoice(
        "symmflow_jax.data.sources.synthetic.shapes:Shapes",
        "drawn scenes of simple shapes",
        (MASK, LABEL),
        from_seed,
    ),
    "spirals": SourceChoice(
        "symmflow_jax.data.sources.synthetic.spirals:Spirals",
        "drawn points on two spirals",
        (LABEL,),
        from_seed,
    ),
    "gaussian_mixture": SourceChoice(
        "symmflow_jax.data.sources.synthetic.gaussian_mixture:GaussianMixture",
        "drawn points of eight overlapping classes",
        (LABEL,),
        from_seed,
    ),
    "split_posterior": SourceChoice(
        "symmflow_jax.data.sources.synthetic.split_posterior:SplitPosterior",
        "drawn points of classes that look alike in pairs",
        (LABEL,),
        from_seed,
    ),
    "idx": SourceChoice(
        "symmflow_jax.data.sources.classification.idx:Idx",
        "the four files of MNIST, or of a set in its format",
        (LABEL,),
        from_folder,
        known_classes="symmflow_jax.data.sources.classification.idx:USUAL_CLASSES",
    ),
    "tfds": SourceChoice(
        "symmflow_jax.data.sources.classification.prepared_tfds:PreparedTfds",
        "a set prepared by TensorFlow Datasets",
        (LABEL,),
        from_name,
        known_classes="symmflow_jax.data.sources.classification.prepared_tfds:known_classes",
        has_name=True,
    ),
    "npz": SourceChoice(
        "symmflow_jax.data.sources.classification.npz:Npz",
        "a NumPy archive in the layout of MedMNIST",
        (LABEL,),
        from_archive,
        has_name=True,
        may_be_incomplete=True,
    ),
    "cifar10": SourceChoice(
        "symmflow_jax.data.sources.classification.cifar10:Cifar10",
        "CIFAR-10, python or binary version",
        (LABEL,),
        from_folder,
        known_classes="symmflow_jax.data.sources.classification.cifar10:SCHEMA",
    ),
    "paired_folder": SourceChoice(
        "symmflow_jax.data.sources.segmentation.paired_folder:PairedFolder",
        "your own images and masks in pairs of folders",
        (MASK,),
        from_folder_pair,
        has_own_classes=True,
        may_be_incomplete=True,
    ),
    "coco_stuff": SourceChoice(
        "symmflow_jax.data.sources.segmentation.coco_stuff:CocoStuff",
        "COCO 2017 with stuffthingmaps",
        (MASK,),
        from_image_folder,
        known_classes="symmflow_jax.data.sources.segmentation.coco_stuff:SCHEMA",
    ),
    "celebamask_hq": SourceChoice(
        "symmflow_jax.data.sources.segmentation.celebamask_hq:CelebAMaskHQ",
        "CelebAMask-HQ",
        (MASK,),
        from_image_folder,
        known_classes="symmflow_jax.data.sources.segmentation.celebamask_hq:SCHEMA",
    ),
    "cityscapes": SourceChoice(
        "symmflow_jax.data.sources.segmentation.cityscapes:Cityscapes",
        "Cityscapes with fine annotations",
        (MASK,),
        from_image_folder,
        known_classes="symmflow_jax.data.sources.segmentation.cityscapes:SCHEMA",
    ),
    "ade20k": SourceChoice(
        "symmflow_jax.data.sources.segmentation.ade20k:Ade20k",
        "ADE20K of the scene parsing challenge",
        (MASK,),
        from_image_folder,
        known_classes="symmflow_jax.data.sources.segmentation.ade20k:SCHEMA",
    ),
    "packed": SourceChoice(
        "symmflow_jax.data.packed.packed:Packed",
        "any of the other sets in few large files, written by `--mode=pack`",
        (MASK, LABEL),
        from_packed,
        is_packed=True,
    ),
}
"""The values of `config.data.source`."""


def kind_of(config: Config) -> SemanticsKind:
    """The kind of semantics that is learned: of both source and encoding, as the latter prefers.

    `config.semantics.kind` chooses one that the encoding does not prefer.

    Raises:
        ValueError: if the encoding accepts no kind of the source, or not the chosen one.
    """
    kinds = _choice(config).kinds
    if config.semantics.kind:
        kinds = tuple(kind for kind in kinds if kind == config.semantics.kind)
        if not kinds:
            raise ValueError(
                f"config.semantics.kind is {config.semantics.kind!r}, but {config.data.source!r} "
                f"has only {' and '.join(_choice(config).kinds)}; set it to ''."
            )
    return semantics_kind(config.semantics.encoding, config.data.source, kinds)


def dataset_of(config: Config) -> str:
    """Name of the config's data set in scores; of packed data, that of the packed data set."""
    choice = _choice(config)
    if choice.is_packed:
        with contextlib.suppress(DataError):  # What is missing is told where it is opened.
            return read_dataset(Place(place.place(config.data.dir, "config.data.dir"))).name
    return choice.dataset(config.data.source, config.data.name)


def has_own_classes(config: Config) -> bool:
    """True if the config, and not the data set, defines the classes."""
    return _choice(config).has_own_classes


def open_source(config: Config, *, train: bool) -> Source:
    """Opens the source of a split from its files, ignoring caches, and logs its notes.

    Raises:
        DataError: if the data is missing, lacks the kind of semantics that is learned, or has
            points of another size.
    """
    source = _checked(_open_files(config, train=train), config)
    notes = [*notes_of(source), *(_classes_without_examples(config, source) if train else ())]
    for note in notes:
        _logger.info("%s", note)
    return source


def _open_files(config: Config, *, train: bool) -> Source:
    choice = _choice(config)
    return choice.opener(choice.resolve(), config.data, train, config.seed)


def _checked(source: Source, config: Config) -> Source:
    """The source, if it has what the config learns of it."""
    kind = kind_of(config)
    if kind not in source.schemas:
        raise DataError(
            f"config.data.source={config.data.source!r} has only {' and '.join(source.schemas)} "
            f"and no {kind} in its files; choose another config.semantics.encoding, or set "
            f"config.semantics.kind to {next(iter(source.schemas))!r}."
        )
    if not config.data.image_size:
        _check_points(config.data, source)
    elif isinstance(source, LabelledArrays) or (isinstance(source, Packed) and source.has_points):
        _check_images(config.data, source)
    return source


def open_cache(config: Config) -> LatentCache | None:
    """Opens the cache of encoded training examples; None if the config names none.

    Raises:
        DataError: if the cache is missing or was made from other data. The files themselves are
            compared only if they are there, because training does not need them.
    """
    if not config.data.latents:
        return None
    cache = LatentCache(config.data.latents)
    cache.check_fits(cache_metadata(config))
    try:
        source = _open_files(config, train=True)
    except DataError:
        _logger.info("The data of the latents in %s is not there to be compared.", cache.folder)
        return cache
    cache.check_data(fingerprint(source))
    return cache


def schema_of(config: Config, source: Source) -> LabelSchema:
    """The label schema of the learned semantics of a source, with the class names of the config.

    Arrays tell their classes by the labels that occur, so the config may name more of them.

    Raises:
        DataError: if the config has another number of names than classes.
    """
    schema, num_names = source.schemas[kind_of(config)], len(config.data.class_names)
    if classes_found(source) is not None and num_names > schema.num_classes:
        schema = numbered_classes(num_names)
    return _renamed(schema, config)


def learned_schema(config: Config, source: Source) -> LabelSchema:
    """The schema of the classes that are learned: those of `schema_of`, perhaps without ignored.

    Raises:
        DataError: as `schema_of`; or if all classes are ignored.
    """
    return _learned(schema_of(config, source), config)


def ignored_are_unknown(config: Config, schema: LabelSchema | None = None) -> bool:
    """True if ignored classes of the data are unknown, and no classes of the model.

    Args:
        config: the config.
        schema: the classes of a trained model, which tell what it has learned; None without one.
    """
    has_own = schema is not None and bool(schema.ignored)
    return not has_own and (
        config.data.ignored == "unknown" or bool(schema is not None and schema.unknown_ids)
    )


def _learned(schema: LabelSchema, config: Config) -> LabelSchema:
    if ignored_are_unknown(config):
        if not schema.scored:
            raise DataError(
                f"All classes are ignored ({', '.join(schema.names)}), so there is nothing to "
                "learn; set config.data.ignored_id to an id of pixels that belong to no class."
            )
        schema = schema.without_ignored()
    padded = make_fit(config).pads and kind_of(config) is SemanticsKind.MASK
    has_unknown = padded or config.data.hidden_share
    return schema.with_unknown() if has_unknown else schema


def check_classes(config: Config, source: Source, schema: LabelSchema) -> None:
    """Checks that a source has classes of the training data, if not all of them.

    Args:
        config: the config of the source.
        source: the evaluation split.
        schema: the classes of the training data, perhaps of a trained model.

    Raises:
        DataError: if a label is none of the classes, or if the classes have other names.
    """
    found = classes_found(source)
    if found is not None:
        _check_labels(config, files_of(source)[-1], found, schema)
        names = config.data.class_names or source.schemas[kind_of(config)].names
        expected = schema.names[: len(names)]
    else:
        own = schema_of(config, source)
        if ignored_are_unknown(config, schema):
            own = own.without_ignored()
            _check_unknown(own, schema)
        names, expected = own.names, schema.names
    if names != expected:
        raise DataError(
            f"The model knows the classes {', '.join(schema.names)}, but the data has "
            f"{', '.join(names)}; set config.data to data of the same classes."
        )


def _check_unknown(own: LabelSchema, schema: LabelSchema) -> None:
    """Raises DataError if data has unknown pixels, but a model knows of none."""
    if own.unknown_ids and not schema.unknown_ids:
        raise DataError(
            f"Pixels of the ids {shorten(map(str, own.unknown_ids))} belong to no class, but the "
            "model was trained with masks without such pixels; set config.data.ignored_id=None if "
            "there are none, or train with some (config.data.hidden_share)."
        )


def schema_without_files(config: Config) -> LabelSchema:
    """The label schema of the learned semantics, even if the data is missing.

    The classes of missing data are those known for the data set, or else those of `class_names`.

    Raises:
        DataError: if the data is missing and its classes are unknown, or if the data does not fit
            the config.
    """
    try:
        source = _open_files(config, train=True)
    except DataError as error:
        known = _choice(config).classes_without_files(config.data.name)
        if known is not None:
            return _learned(_renamed(known, config), config)
        if config.data.class_names:
            return _learned(_classes_of_config(config.data), config)
        raise DataError(
            f"{error} Without the data, name its classes with config.data.class_names."
        ) from error
    return learned_schema(config, _checked(source, config))


def cache_metadata(config: Config) -> dict[str, Any]:
    """Properties of a cache of the training split, by the names of `CacheIndex`."""
    return {
        "source": config.data.source,
        "split": config.data.train_split,
        "target": kind_of(config).value,
        "image_size": config.data.image_size,
        "resampling": config.data.resampling,
        "fit": config.data.fit,
        "has_mirrored": config.data.random_flip,
        "exif": config.data.exif,
        "seed": config.seed if _choice(config).opener is from_seed else None,
    }


def _choice(config: Config) -> SourceChoice:
    return SOURCES[config.data.source]


def _split(data: DataConfig, train: bool) -> str:
    return data.train_split if train else data.eval_split


def _check_points(data: DataConfig, source: Source) -> None:
    """Raises DataError unless the source has points of the configured size."""
    shape = image_size(source[0]["image"])
    if len(shape) != 1:
        raise DataError(
            f"config.data.image_size is empty, which means points, but {data.source!r} has "
            f"images of shape {shape}; set config.data.image_size, such as to (32, 32)."
        )
    if shape != (data.point_size,):
        raise DataError(
            f"config.data.point_size is {data.point_size}, but the points of "
            f"{data.source!r} have {shape[0]} numbers; set it to {shape[0]}."
        )


def _check_images(data: DataConfig, source: Source) -> None:
    """Raises DataError if the source has points where images are configured."""
    shape = image_size(source[0]["image"])
    if len(shape) == 1:
        raise DataError(
            f"{shown(files_of(source)[0])} has rows of {shape[0]} floats, which are points, but "
            f"config.data.image_size is {data.image_size}; set it to () and config.data.point_size "
            f"to {shape[0]}, or save images [n, height, width] of 8 bits."
        )


def _check_labels(
    config: Config, file: pathlib.Path, found: Sequence[int], schema: LabelSchema
) -> None:
    """Raises DataError if a label that occurs in a file is none of the classes."""
    unknown = [label for label in found if label >= schema.num_classes]
    if unknown:
        what = "label" if len(unknown) == 1 else "labels"
        raise DataError(
            f"{shown(file)}: the split {config.data.eval_split!r} has the {what} "
            f"{shorten(map(str, unknown))}, but the training data has the {schema.num_classes} "
            f"classes 0 to {schema.num_classes - 1}. Train with examples of all classes, remove "
            "the others from this split, or name all classes in config.data.class_names before "
            "training."
        )


def _classes_without_examples(config: Config, source: Source) -> tuple[str, ...]:
    """A sentence on classes that do not occur in training, for sources that know their labels."""
    found = classes_found(source)
    if found is None:
        return ()
    classes = schema_of(config, source).names
    absent = [name for number, name in enumerate(classes) if number not in found]
    if not absent:
        return ()
    what = "class" if len(absent) == 1 else "classes"
    return (
        f"{shown(files_of(source)[-1])}: the training split has no example of the {what} "
        f"{shorten(map(shown, absent))}; its labels are {shorten(map(str, found))}.",
    )


def _classes_of_config(data: DataConfig) -> LabelSchema:
    """The classes of `class_names`, with their ids in the files."""
    ids = data.class_ids or tuple(range(len(data.class_names)))
    if len(ids) != len(data.class_names):
        raise DataError(
            f"config.data.class_ids has {len(ids)} ids for {len(data.class_names)} class_names; "
            "give one for each."
        )
    return labels.filed_under(ids, data.class_names, data.ignored_id)


def _renamed(schema: LabelSchema, config: Config) -> LabelSchema:
    """The schema with the class names of the config, if there are any."""
    names = config.data.class_names
    if not names:
        return schema
    if len(names) == len(schema.scored) and schema.scored == tuple(range(len(names))):
        ignored = [(schema.names[number], schema.raw_ids[number]) for number in schema.ignored]
        names += tuple(f"{name} ({raw_id})" if name in names else name for name, raw_id in ignored)
    if len(names) != schema.num_classes:
        raise DataError(
            f"config.data.class_names has {len(names)} names ({', '.join(names)}) for the "
            f"{schema.num_classes} classes of {config.data.source!r} "
            f"({', '.join(schema.names)}); give one for each, or none to keep these."
        )
    return dataclasses.replace(schema, names=names)
