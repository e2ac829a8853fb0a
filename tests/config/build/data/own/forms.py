"""The small data sets of `tests/fixtures/own_data`, with the keys that open them."""

import pathlib

import numpy as np

FORMS = pathlib.Path(__file__).parents[4] / "fixtures" / "own_data"
COCO = {"train_images": "images", "eval_images": "images", "train_annotations": "instances.json"}
YOLO = {"train_images": "images/train", "eval_images": "images/train"}
LABELME = {"train_images": ".", "class_names": ("car", "person", "tree")}


def masks_of(source) -> dict[str, np.ndarray]:
    return {name: source[index]["mask"] for index, name in enumerate(source.names)}


def stored_masks(folder) -> dict[str, np.ndarray]:
    with np.load(FORMS / folder / "masks.npz") as masks:
        return dict(masks)
