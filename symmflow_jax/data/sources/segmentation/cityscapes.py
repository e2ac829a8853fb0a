"""Cityscapes with fine annotations (Cordts et al. 2016, arXiv 1604.01685)."""

import pathlib

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoding
from symmflow_jax.data.folders.listing import counted, walk
from symmflow_jax.data.source import DataError, check_split
from symmflow_jax.data.sources.segmentation.image_pairs import ImagePairs
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.labels import LabelSchema

# Name, id in the label files and colour of the 19 classes that are evaluated.
_CLASSES = (
    ("road", 7, (128, 64, 128)),
    ("sidewalk", 8, (244, 35, 232)),
    ("building", 11, (70, 70, 70)),
    ("wall", 12, (102, 102, 156)),
    ("fence", 13, (190, 153, 153)),
    ("pole", 17, (153, 153, 153)),
    ("traffic light", 19, (250, 170, 30)),
    ("traffic sign", 20, (220, 220, 0)),
    ("vegetation", 21, (107, 142, 35)),
    ("terrain", 22, (152, 251, 152)),
    ("sky", 23, (70, 130, 180)),
    ("person", 24, (220, 20, 60)),
    ("rider", 25, (255, 0, 0)),
    ("car", 26, (0, 0, 142)),
    ("truck", 27, (0, 0, 70)),
    ("bus", 28, (0, 60, 100)),
    ("train", 31, (0, 80, 100)),
    ("motorcycle", 32, (0, 0, 230)),
    ("bicycle", 33, (119, 11, 32)),
)
# Unlabeled, borders, ground, parking, rail track, guard rail, bridge, tunnel, pole groups,
# caravans and trailers are annotated but not evaluated.
_VOID, *_ALSO_VOID = (0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30)

SCHEMA = LabelSchema(
    names=(*(name for name, _, _ in _CLASSES), "void"),
    raw_ids=(*(raw_id for _, raw_id, _ in _CLASSES), _VOID),
    palette=(*(colour for _, _, colour in _CLASSES), (0, 0, 0)),
    ignored=(len(_CLASSES),),
    merged_ids=tuple((raw_id, len(_CLASSES)) for raw_id in _ALSO_VOID),
)
"""The 19 evaluated classes in the order of their train ids, and "void" for all other ids."""

_IMAGE_ENDING, _MASK_ENDING = "_leftImg8bit.png", "_gtFine_labelIds.png"
# What else the archives have, and their tools write, for each scene.
_SIBLINGS = tuple(
    f"_gtFine_{kind}"
    for kind in ("color.png", "instanceIds.png", "labelTrainIds.png", "instanceTrainIds.png",
                 "polygons.json")
)  # fmt: skip


class Cityscapes(ImagePairs):
    """Street scenes "image" with "mask", from `leftImg8bit/` and `gtFine/`.

    Args:
        root: folder of the two unpacked archives.
        split: "train" (2,975 scenes) or "val" (500); the masks of "test" are not published.
        decoding: limit of the files' sizes, and whether EXIF orientations count.

    Attributes:
        notes: at most one sentence, on files that the archives do not have.

    Raises:
        DataError: if a folder is missing or empty, or if images and masks do not pair up.
        ValueError: if there is no such split.
    """

    def __init__(self, root: str | pathlib.Path, split: str, decoding: Decoding = DEFAULT):
        check_split(split, ("train", "val"))
        images = pathlib.Path(root) / "leftImg8bit" / split
        masks = pathlib.Path(root) / "gtFine" / split
        image_files, other_images = _list(images, _IMAGE_ENDING, "leftImg8bit_trainvaltest.zip")
        mask_files, other_masks = _list(masks, _MASK_ENDING, "gtFine_trainvaltest.zip")
        lonely = sorted(image_files.keys() ^ mask_files.keys())
        if lonely:
            raise DataError(
                f"{len(lonely)} scenes of Cityscapes ({split}) have only an image or only a mask, "
                f"such as {shown(lonely[0])}. Unpack both archives again into {shown(root)}."
            )
        pairs = [(image_files[name], mask_files[name]) for name in sorted(image_files)]
        super().__init__(pairs, SCHEMA, decoding=decoding)
        unused = [
            f"not used in {shown(folder)}: {counted(len(others), 'file')} of another name, such "
            f"as {shown(others[0].relative_to(folder))}"
            for folder, others in ((images, other_images), (masks, other_masks))
            if others
        ]
        count = counted(len(image_files), "pair")
        self.notes = (f"{shown(images)}: {count}; {'; '.join(unused)}.",) if unused else ()


def _list(
    folder: pathlib.Path, ending: str, archive: str
) -> tuple[dict[str, pathlib.Path], list[pathlib.Path]]:
    """The files of all cities by `city/name`, and those that the archives do not have."""
    files, others = {}, []
    for path in walk(folder):
        if path.name.endswith(ending) and path.parent.parent == folder:
            files[f"{path.parent.name}/{path.name.removesuffix(ending)}"] = path
        elif not path.name.endswith(_SIBLINGS):
            others.append(path)
    if not files:
        raise DataError(
            f"{shown(folder.absolute())} has no files */*{ending}. Unpack {archive} "
            "(cityscapes-dataset.com) and set --config.data.dir to the folder that holds "
            "leftImg8bit and gtFine."
        )
    return files, others
