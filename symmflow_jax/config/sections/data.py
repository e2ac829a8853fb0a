"""The examples: source, files, geometry and augmentation."""

import dataclasses
from typing import Annotated

from symmflow_jax.config.schema.fields import FilePath
from symmflow_jax.config.schema.ranges import (
    OneOf,
    Range,
    between,
)
from symmflow_jax.config.sections.numbers import (
    BelowOne,
    Count,
    CountOrZero,
    Part,
    Positive,
    Share,
    Side,
)


@dataclasses.dataclass(frozen=True)
class AppearanceConfig:
    """Random changes of how images look, for examples whose image is held clean alone.

    An image that is learned, so that it can be generated, never changes. So a share of the examples
    must have a clean image: `train.clock` "mixed" with `train.clock_shares.clean_image`, or
    "recognition". See docs/augmentation.md. 0 leaves a change out.

    Attributes:
        brightness: largest distance from 1 of the factor of all values.
        contrast: the same of the distance from the image's mean grey.
        saturation: the same of the distance of each colour from its grey; of 3 channels alone.
        hue: largest turn of the hues, as a share of their circle; of 3 channels alone.
        blur: largest standard deviation of a Gaussian blur, in pixels of `image_size`.
        share: share of these examples that change.
    """

    brightness: Share = 0.0
    contrast: Share = 0.0
    saturation: Share = 0.0
    hue: Annotated[float, between(0, 0.5)] = 0.0
    blur: Annotated[float, between(0, 16)] = 0.0
    share: Annotated[float, Range(0, 1, open_low=True)] = 0.8


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """The data set, and how its examples become arrays of one shape.

    Attributes:
        source: the data source, a name of `SOURCES` (docs/choices.md).
        dir: folder of the data set, or an `.npz` file for "npz"; for "packed" the folder that
            `--mode=pack` wrote; unused by the synthetic sources.
        name: for "tfds" the name of the set, such as "mnist"; for "npz" the name of an archive in
            `dir` without its suffix, such as "pathmnist_64"; unused by the other sources.
        train_split: name of the training split, as the source calls it.
        eval_split: name of the evaluation split, as the source calls it.
        train_size: number of training examples of a synthetic source.
        eval_size: number of evaluation examples of a synthetic source.
        image_size: height and width in pixels to which images are brought by `fit`; empty for
            points.
        image_channels: channels of the images: 1 is grey and 3 is colour. Other numbers are those
            of the files, all of which are kept (masks of your own data only).
        image_depth: bits that are kept of each channel: 8, or 16, which also keeps floats. Images
            of 16 bits and of other numbers of channels than 1 and 3 are read as they are, without
            conversion of colours; many such files need `pip install "symmflow_jax[tiff]"`.
        value_range: lowest and highest value in the files of such images, which become -1 and 1;
            two numbers, or two for each channel. Values outside are cut off. Empty for the range of
            the file's type: 0 to 255, or 0 to 65535. Floats need it.
        picture_channels: one or three channels of such images that pictures show; empty for the
            first three, or the first one if there are fewer.
        point_size: numbers per point if `image_size` is empty.
        resampling: filter that resizes images, a name of `RESAMPLINGS` (docs/choices.md).
        fit: how images of another aspect ratio come to `image_size`, a name of `FITS`
            (docs/choices.md). The run keeps it, and inference uses it too. See docs/any_size.md.
        random_scale: smallest and largest scale, such as (0.75, 1.5), at which training cuts
            windows of `image_size` at random places out of the images' own pixels; 0.5 halves an
            image before it is cut. Masks of images of any size are then read at the geometric mean
            of both. Empty to bring whole images to `image_size`.
        random_crop: in training, crop at a random position instead of the centre if the aspect
            ratio of an image differs from that of `image_size`.
        random_flip: in training, mirror half of the examples left to right.
        random_vertical_flip: in training, mirror half of the examples top to bottom; not together
            with `latents`, which hold no such images.
        random_rotation: in training, largest angle in degrees by which examples are turned to
            either side, uniformly; what would show empty corners is cut off. Not with `latents`.
        appearance: in training, changes of colours and sharpness; see `AppearanceConfig`.
        rare_class_sampling: in training, show examples of rare classes more often: a class in a
            share f of the examples is shown sqrt(`rare_class_sampling` / f) times as often if that
            is above 1, as for LVIS (arXiv 1908.03195). 1 counts every class as rare that some
            example lacks; 0 shows each example once an epoch.
        dequantize_images: in training, add uniform noise of half an 8-bit level to either side.
        class_names: names of the classes in the order of their ids. Required by "paired_folder";
            elsewhere a list replaces the names that the data set gives. For "idx" and "npz" it may
            name more classes than the training labels have. For annotations with labels it chooses
            the labels that are read (docs/data.md).
        class_ids: id of each class in the mask files ("paired_folder", "hf_dataset") or of the
            label in the annotations ("coco_json", "yolo_polygons"); empty for 0, 1, 2, ... Several
            ids in brackets are one class: (0, (1, 2), 3).
        class_labels: label of each class in the annotations, if `class_names` are other names;
            several labels in brackets are one class: ("road", ("car", "bus")).
        class_colours: colour of each class, such as "#ff0080", if the masks are colour images
            ("paired_folder"); one more colour for "void" if `ignored_id` adds that class. Several
            colours in brackets are one class.
        ignored_id: id of the pixels that belong to no class, or None (your own data); see
            `ignored`. An id that is not in `class_ids` adds a class "void" to the data.
        ignored: the meaning of classes that count in no score, those of `ignored_id` and "void" of
            data sets. "unknown": their pixels are left out; they have no loss, no plane or colour,
            and are never predicted (docs/unknown_labels.md). "class": they are a class like the
            others, which is learned and may be predicted, as in the paper.
        unlabelled: training images without a mask or label, and masks without an image. "refuse":
            an error says which. "learn": they are learned from too, an image alone as in generation
            without semantics. "paired_folder" may then have files without a partner, and "npz"
            labels of -1. Needs a network with two clocks.
        unlabelled_images: folder of further images without masks or labels; needs `unlabelled`
            "learn".
        hidden_share: share of the training masks of which random boxes, up to two thirds, are made
            unknown, so that the model also takes masks of which a part is unknown. What is hidden
            is not learned there.
        extra_dir: folder of further training pairs in the layout of `--mode=sample --what=pairs`:
            `train/images` and `train/masks` with the ids of the data, or `samples.npz` with labels;
            "" for none.
        extra_share: share of the training examples that come from `extra_dir`.
        train_images, train_masks, eval_images, eval_masks: folders under `dir` ("paired_folder";
            annotations need those of images). Sub-folders are read if a folder has no pictures
            itself.
        mask_pattern: name of the mask of an image, such as "{stem}_mask.png" ("paired_folder"):
            {stem} is the name of the image without its suffix, {name} the whole name. It may begin
            with a path from the place of the image, such as "../masks/{stem}". Both may lie in one
            folder. Empty for names that are equal, or differ by a usual ending.
        train_annotations, eval_annotations: under `dir`, the JSON file of "coco_json", or the
            folder of the files of "yolo_polygons" and "labelme"; empty for where each form usually
            has them (docs/data.md).
        image_column, mask_column: columns of "hf_dataset"; empty for those of images and of masks.
        val_share: share of the training examples that is the evaluation split, in place of
            `eval_images` or `eval_split`; no file is moved. 0 for a split of its own. Your own data
            only, as the next ones.
        folds, fold: number of parts of the training examples, and the number of the one, from 0,
            that is the evaluation split; the other parts are the training split. 0 folds for none.
        split_seed: seed of the choice of examples for `val_share` and `folds`.
        max_megapixels: largest image or mask file, in millions of pixels, positive; larger files
            are refused before they are decoded.
        exif: "apply" turns images and masks by their EXIF orientation; "ignore" reads both as raw
            pixels, for masks that were drawn on raw pixels. Packed data keeps the orientations.
        latents: folder of encoded training examples, which `--mode=encode` writes and training
            reads; empty to encode in every step. Cached images are cropped at the centre and not
            dequantized, whatever `random_crop` and `dequantize_images` say. Their mirror images
            are cached too if `random_flip` is set. Masks are encoded in every step in any case.
        on_error: handling of an example that cannot be read, "raise" or "skip". Skipped examples
            are listed in the run's `skipped.jsonl` and report; training takes the next readable
            example instead, and evaluation leaves the example out.
        num_workers: number of processes that read training data; 0 reads in threads. Also the
            number of processes of `--mode=pack`; 0 packs in the main process.
    """

    source: str = "shapes"
    dir: FilePath = ""
    name: str = ""
    train_split: str = "train"
    eval_split: str = "test"
    train_size: Count = 50_000
    eval_size: Count = 500
    image_size: tuple[Side, ...] = (32, 32)
    image_channels: Annotated[int, between(1, 1024)] = 3
    image_depth: Annotated[int, OneOf((8, 16))] = 8
    value_range: tuple[Annotated[float, Range()], ...] = ()
    picture_channels: tuple[CountOrZero, ...] = ()
    point_size: Count = 2
    resampling: str = "bicubic"
    fit: str = "crop"
    random_scale: tuple[Positive, ...] = ()
    random_crop: bool = False
    random_flip: bool = False
    random_vertical_flip: bool = False
    random_rotation: Annotated[float, between(0, 45)] = 0.0
    appearance: AppearanceConfig = AppearanceConfig()
    rare_class_sampling: Share = 0.0
    dequantize_images: bool = False
    class_names: tuple[str, ...] = ()
    class_ids: tuple[CountOrZero | tuple[CountOrZero, ...], ...] = ()
    class_labels: tuple[str | tuple[str, ...], ...] = ()
    class_colours: tuple[str | tuple[str, ...], ...] = ()
    ignored_id: CountOrZero | None = None
    ignored: str = "unknown"
    unlabelled: str = "refuse"
    unlabelled_images: FilePath = ""
    hidden_share: Share = 0.0
    extra_dir: FilePath = ""
    extra_share: Part = 0.5
    train_images: FilePath = "train/images"
    train_masks: FilePath = "train/masks"
    eval_images: FilePath = "val/images"
    eval_masks: FilePath = "val/masks"
    mask_pattern: str = ""
    train_annotations: FilePath = ""
    eval_annotations: FilePath = ""
    image_column: str = ""
    mask_column: str = ""
    val_share: BelowOne = 0.0
    folds: CountOrZero = 0
    fold: CountOrZero = 0
    split_seed: CountOrZero = 0
    max_megapixels: Positive = 179.0
    exif: str = "apply"
    latents: FilePath = ""
    on_error: str = "raise"
    num_workers: CountOrZero = 0
