"""Table of data sources, and what a config's source is."""

import contextlib

from symmflow_jax.config.build.data.openers import (
    from_archive,
    from_folder,
    from_image_folder,
    from_name,
    from_packed,
    from_seed,
)
from symmflow_jax.config.build.data.own import classes as own_classes, coco, labelme, masks, yolo
from symmflow_jax.config.build.data.source_choice import SourceChoice
from symmflow_jax.config.build.method.semantics import semantics_kind
from symmflow_jax.config.values import Config
from symmflow_jax.data.packed.index import read_dataset
from symmflow_jax.data.packed.layout import Place
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.storage import place
from symmflow_jax.semantics.kinds import SemanticsKind

MASK, LABEL = SemanticsKind.MASK, SemanticsKind.LABEL

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
        "your own images and masks in pairs of folders, or in one",
        (MASK,),
        masks.from_folder_pair,
        has_own_classes=True,
    ),
    "coco_json": SourceChoice(
        "symmflow_jax.data.sources.annotated.annotated_images:AnnotatedImages",
        "your own images with polygons or run lengths in a JSON file, as COCO has them",
        (MASK,),
        coco.from_coco,
        has_own_classes=True,
        classes_of_config=own_classes.of_labels_alone,
    ),
    "yolo_polygons": SourceChoice(
        "symmflow_jax.data.sources.annotated.annotated_images:AnnotatedImages",
        "your own images with polygons in text files, as YOLO has them",
        (MASK,),
        yolo.from_yolo,
        has_own_classes=True,
        classes_of_config=own_classes.of_labels_alone,
    ),
    "labelme": SourceChoice(
        "symmflow_jax.data.sources.annotated.annotated_images:AnnotatedImages",
        "your own images with the JSON files of LabelMe",
        (MASK,),
        labelme.from_labelme,
        has_own_classes=True,
        classes_of_config=own_classes.of_labels_alone,
    ),
    "cvat_masks": SourceChoice(
        "symmflow_jax.data.sources.segmentation.image_pairs:ImagePairs",
        'an export of CVAT as "Segmentation mask 1.1", or Pascal VOC with a labelmap.txt',
        (MASK,),
        masks.from_cvat,
        has_own_classes=True,
    ),
    "hf_dataset": SourceChoice(
        "symmflow_jax.data.sources.annotated.hf_dataset:HfDataset",
        "images and masks that Hugging Face `datasets` has saved to a disk",
        (MASK,),
        masks.from_hf,
        has_own_classes=True,
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
    kinds = choice_of(config).kinds
    if config.semantics.kind:
        kinds = tuple(kind for kind in kinds if kind == config.semantics.kind)
        if not kinds:
            raise ValueError(
                f"config.semantics.kind is {config.semantics.kind!r}, but {config.data.source!r} "
                f"has only {' and '.join(choice_of(config).kinds)}; set it to ''."
            )
    return semantics_kind(config.semantics.encoding, config.data.source, kinds)


def dataset_of(config: Config) -> str:
    """Name of the config's data set in scores; of packed data, that of the packed data set."""
    choice = choice_of(config)
    if choice.is_packed:
        with contextlib.suppress(DataError):  # What is missing is told where it is opened.
            return read_dataset(Place(place.place(config.data.dir, "config.data.dir"))).name
    return choice.dataset(config.data.source, config.data.name)


def has_own_classes(config: Config) -> bool:
    """True if the config, and not the data set, defines the classes."""
    return choice_of(config).has_own_classes


def choice_of(config: Config) -> SourceChoice:
    """The entry of the config's source."""
    return SOURCES[config.data.source]
