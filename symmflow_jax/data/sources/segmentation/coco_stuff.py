"""COCO-Stuff (Caesar, Uijlings and Ferrari 2018, arXiv 1612.03716) on the images of COCO 2017."""

import pathlib

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoding
from symmflow_jax.data.source import DataError, check_split
from symmflow_jax.data.sources.segmentation.paired_folder import PairedFolder
from symmflow_jax.semantics import palettes
from symmflow_jax.semantics.labels import LabelSchema

# Names of the ids 0 to 181 of the stuffthingmaps: 91 things, then 91 kinds of stuff.
_NAMES = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "street sign", "stop sign", "parking meter", "bench", "bird",
    "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "hat",
    "backpack", "umbrella", "shoe", "eye glasses", "handbag", "tie", "suitcase", "frisbee", "skis",
    "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard",
    "surfboard", "tennis racket", "bottle", "plate", "wine glass", "cup", "fork", "knife", "spoon",
    "bowl", "banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza",
    "donut", "cake", "chair", "couch", "potted plant", "bed", "mirror", "dining table", "window",
    "desk", "toilet", "door", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "blender", "book", "clock", "vase",
    "scissors", "teddy bear", "hair drier", "toothbrush", "hair brush", "banner", "blanket",
    "branch", "bridge", "building-other", "bush", "cabinet", "cage", "cardboard", "carpet",
    "ceiling-other", "ceiling-tile", "cloth", "clothes", "clouds", "counter", "cupboard",
    "curtain", "desk-stuff", "dirt", "door-stuff", "fence", "floor-marble", "floor-other",
    "floor-stone", "floor-tile", "floor-wood", "flower", "fog", "food-other", "fruit",
    "furniture-other", "grass", "gravel", "ground-other", "hill", "house", "leaves", "light",
    "mat", "metal", "mirror-stuff", "moss", "mountain", "mud", "napkin", "net", "paper",
    "pavement", "pillow", "plant-other", "plastic", "platform", "playingfield", "railing",
    "railroad", "river", "road", "rock", "roof", "rug", "salad", "sand", "sea", "shelf",
    "sky-other", "skyscraper", "snow", "solid-other", "stairs", "stone", "straw",
    "structural-other", "table", "tent", "textile-other", "towel", "tree", "vegetable",
    "wall-brick", "wall-concrete", "wall-other", "wall-panel", "wall-stone", "wall-tile",
    "wall-wood", "water-other", "waterdrops", "window-blind", "window-other", "wood",
)  # fmt: skip

_ABSENT = (11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90)
"""Ids of things that have a name in COCO but never occur."""

_UNLABELED = 255

_OCCURRING = tuple(raw_id for raw_id in range(len(_NAMES)) if raw_id not in _ABSENT)

SCHEMA = LabelSchema(
    names=(*(_NAMES[raw_id] for raw_id in _OCCURRING), "unlabeled"),
    raw_ids=(*_OCCURRING, _UNLABELED),
    palette=palettes.coco_stuff(_OCCURRING),
    ignored=(len(_OCCURRING),),
)
"""The 171 occurring classes in the order of their ids, and "unlabeled", which is not scored.

The colours are those of the paper's published weights: of the ids in the files.
"""


class CocoStuff(PairedFolder):
    """Photos "image" with "mask", read from `{split}2017` and `stuffthingmaps_trainval2017`.

    Args:
        root: folder of the unpacked archives.
        split: "train" (118,287 photos) or "val" (5,000).
        decoding: limit of the files' sizes, and whether EXIF orientations count.

    Raises:
        DataError: if a folder is missing or empty, or if images and masks do not pair up.
        ValueError: if there is no such split.
    """

    def __init__(self, root: str | pathlib.Path, split: str, decoding: Decoding = DEFAULT):
        check_split(split, ("train", "val"))
        root = pathlib.Path(root)
        images = root / f"{split}2017"
        masks = root / "stuffthingmaps_trainval2017" / f"{split}2017"
        for folder, archive in (
            (images, f"{split}2017.zip (cocodataset.org)"),
            (masks, "stuffthingmaps_trainval2017.zip (github.com/nightrome/cocostuff)"),
        ):
            if not folder.is_dir():
                raise DataError(
                    f"COCO-Stuff's folder {folder.absolute()} does not exist. Unpack {archive} "
                    "there, and set --config.data.dir to the folder above."
                )
        super().__init__(images, masks, SCHEMA, decoding=decoding)
