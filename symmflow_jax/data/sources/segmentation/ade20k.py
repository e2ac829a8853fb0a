"""ADE20K in the form of the scene parsing challenge (Zhou et al. 2017, arXiv 1608.05442)."""

import pathlib

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoding
from symmflow_jax.data.source import DataError, check_split
from symmflow_jax.data.sources.segmentation.paired_folder import PairedFolder
from symmflow_jax.semantics import palettes
from symmflow_jax.semantics.labels import LabelSchema

# The classes with the ids 1 to 150.
_NAMES = (
    "wall", "building", "sky", "floor", "tree", "ceiling", "road", "bed", "windowpane", "grass",
    "cabinet", "sidewalk", "person", "earth", "door", "table", "mountain", "plant", "curtain",
    "chair", "car", "water", "painting", "sofa", "shelf", "house", "sea", "mirror", "rug", "field",
    "armchair", "seat", "fence", "desk", "rock", "wardrobe", "lamp", "bathtub", "railing",
    "cushion", "base", "box", "column", "signboard", "chest of drawers", "counter", "sand", "sink",
    "skyscraper", "fireplace", "refrigerator", "grandstand", "path", "stairs", "runway", "case",
    "pool table", "pillow", "screen door", "stairway", "river", "bridge", "bookcase", "blind",
    "coffee table", "toilet", "flower", "book", "hill", "bench", "countertop", "stove", "palm",
    "kitchen island", "computer", "swivel chair", "boat", "bar", "arcade machine", "hovel", "bus",
    "towel", "light", "truck", "tower", "chandelier", "awning", "streetlight", "booth",
    "television receiver", "airplane", "dirt track", "apparel", "pole", "land", "bannister",
    "escalator", "ottoman", "bottle", "buffet", "poster", "stage", "van", "ship", "fountain",
    "conveyer belt", "canopy", "washer", "plaything", "swimming pool", "stool", "barrel", "basket",
    "waterfall", "tent", "bag", "minibike", "cradle", "oven", "ball", "food", "step", "tank",
    "trade name", "microwave", "pot", "animal", "bicycle", "lake", "dishwasher", "screen",
    "blanket", "sculpture", "hood", "sconce", "vase", "traffic light", "tray", "ashcan", "fan",
    "pier", "crt screen", "plate", "monitor", "bulletin board", "shower", "radiator", "glass",
    "clock", "flag",
)  # fmt: skip

SCHEMA = LabelSchema(
    names=(*_NAMES, "unlabeled"),
    raw_ids=(*range(1, len(_NAMES) + 1), 0),
    palette=palettes.distinct(len(_NAMES) + 1),
    ignored=(len(_NAMES),),
)
"""The 150 classes, and "unlabeled" (0 in the files), which counts in no score."""

_FOLDERS = {"train": "training", "val": "validation"}


class Ade20k(PairedFolder):
    """Photos "image" with "mask" from `images/` and `annotations/` of ADEChallengeData2016.

    Args:
        root: the unpacked folder ADEChallengeData2016.
        split: "train" (20,210 photos) or "val" (2,000).
        decoding: limit of the files' sizes, and whether EXIF orientations count.

    Raises:
        DataError: if a folder is missing or empty, or if images and masks do not pair up.
        ValueError: if there is no such split.
    """

    def __init__(self, root: str | pathlib.Path, split: str, decoding: Decoding = DEFAULT):
        check_split(split, tuple(_FOLDERS))
        root = pathlib.Path(root)
        images, masks = (root / kind / _FOLDERS[split] for kind in ("images", "annotations"))
        for folder in (images, masks):
            if not folder.is_dir():
                raise DataError(
                    f"ADE20K's folder {folder.absolute()} does not exist. Unpack "
                    "ADEChallengeData2016.zip (sceneparsing.csail.mit.edu) and set "
                    "--config.data.dir to ADEChallengeData2016."
                )
        super().__init__(images, masks, SCHEMA, decoding=decoding)
