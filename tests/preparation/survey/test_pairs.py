"""What the files of pairs hold is counted."""

import pathlib

import numpy as np
from PIL import Image

from symmflow_jax.data.decoding.header import Header
from symmflow_jax.data.sources.segmentation.pair import Pair
from symmflow_jax.preparation.survey.pairs import PairFindings


def _pair(name, orientation, size=(8, 8)):
    headers = [
        Header("PNG", "L", "L", *(size if turn == 1 else size[::-1]), turn, is_lossy=False)
        for turn in (orientation, 1)
    ]
    ids = np.zeros(size[::-1], np.uint8)
    paths = pathlib.Path(f"{name}.jpg"), pathlib.Path(f"{name}.png")
    return Pair(Image.new("RGB", size), ids, ids, *headers, None, paths)


def test_turns_that_sizes_confirm_are_told_apart():
    findings = PairFindings()
    for pair in [_pair(0, 1), _pair(1, 6), _pair(2, 6, (4, 8)), _pair(3, 3, (4, 4))]:
        findings.add(pair)
    assert findings.num_masks == 4
    assert [path.name for path in findings.turned] == ["1.jpg", "3.jpg"]
    assert findings.confirmed == 1


def test_palettes_and_traces_are_counted(compressed_masks, drawn_masks):
    findings = PairFindings()
    masks = [*compressed_masks(2, 75), *drawn_masks(2, 40)]
    for number, mask in enumerate(masks):
        palette = bytes([number // 3]) * 768
        findings.add_mask(pathlib.Path(f"{number}.png"), mask, palette)
    assert [path.name for path, _ in findings.lossy] == ["0.png", "1.png"]
    assert len(findings.differences) == 1 and "in 3.png" in findings.differences[0]
    assert findings.signs.has_jpeg_blocks
