"""Doubts about pairs that can be read, as `--mode=check_data` tells them."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.preparation.check_data import check_data
from symmflow_jax.preparation.survey.description import describe
from symmflow_jax.preparation.survey.doubts import doubts
from symmflow_jax.preparation.survey.survey import DataSurvey, examine
from symmflow_jax.semantics.labels import consecutive

NAMES = tuple(f"class {number}" for number in range(256))


def _lines(experiment):
    return doubts(examine(experiment.training_source, "mask"))


def _paint(folder, masks, palettes):
    for number, (mask, colours) in enumerate(zip(masks, palettes, strict=True)):
        picture = Image.fromarray(np.array(mask, np.uint8))
        picture.putpalette(colours)
        picture.save(folder / f"train/masks/{number}.png")


def _turn(folder, number, orientation):
    path = folder / f"train/images/{number}.png"
    with Image.open(path) as photo:
        exif = photo.getexif()
        exif[0x0112] = orientation
        photo.save(path, exif=exif)


def test_masks_that_were_jpegs_are_named(folder, compressed_masks, drawn_masks, caplog):
    experiment = folder([*compressed_masks(2, 75), *drawn_masks(2, 40)], NAMES)
    with caplog.at_level("INFO"):
        assert check_data(experiment)  # All ids have a class.
    (line, _) = [record for record in caplog.messages if record.startswith("? 2 of 4 masks")]
    assert line.startswith("? 2 of 4 masks hold traces of compression (0.png, 1.png). The most in ")
    assert "This looks like a mask that was compressed as JPEG and saved anew" in line
    assert line.endswith("Make it again from the original, and save it as PNG without smoothing.")


def test_small_masks_are_judged_together(folder, compressed_masks):
    masks = [mask[:40, :40] for mask in compressed_masks(20, 75, 5)]
    (line,) = _lines(folder(masks, NAMES))
    assert line.startswith("The 20 masks taken together hold traces of JPEG compression: ")


def test_palettes_that_differ_are_named_with_their_colours(folder, tmp_path):
    experiment = folder([[[0, 1]], [[1, 0]], [[1, 1]]], NAMES)
    red_first, blue_first = (255, 0, 0, 0, 0, 255), (0, 0, 255, 255, 0, 0)
    _paint(tmp_path, [[[0, 1]], [[1, 0]], [[1, 1]]], [red_first, red_first, blue_first])
    (line,) = _lines(experiment)
    assert line.startswith("The palettes of 1 of 3 masks differ from those before: index 1 of ")
    assert "is #ff0000 in" in line and "2.png, but #0000ff in" in line
    assert "--config.data.class_colours=\"('#ff0000','#0000ff')\", in the order of" in line
    colours = {"data.class_names": ("a", "b"), "data.class_colours": ("#ff0000", "#0000ff")}
    mended = experiment.changed(colours)
    assert _lines(mended) == []
    assert [mended.training_source[i]["mask"].tolist() for i in range(3)] == [
        [[0, 1]],
        [[1, 0]],
        [[0, 0]],
    ]


@pytest.mark.parametrize("exif", ["apply", "ignore"])
def test_turns_that_sizes_do_not_tell_are_counted(folder, tmp_path, exif):
    experiment = folder([np.zeros((4, 4)), np.zeros((4, 4)), np.zeros((2, 4))], exif=exif)
    assert _lines(experiment) == []
    for number, orientation in enumerate((6, 1, 3)):
        _turn(tmp_path, number, orientation)
    (line,) = _lines(experiment)
    reading, other = {
        "apply": ("turned by EXIF", "ignore"),
        "ignore": ("read without their EXIF turn", "apply"),
    }[exif]
    assert line == (
        f"2 images are {reading} and their masks have another EXIF orientation or none (0.png, "
        "2.png); their sizes do not tell if the masks fit. Look at one; if it does not fit: "
        f"--config.data.exif={other}"
    )


def test_good_masks_raise_no_doubt(folder, drawn_masks):
    assert _lines(folder(drawn_masks(5, 40), NAMES)) == []


def test_values_that_fill_little_of_their_range_are_told():
    findings = DataSurvey(2)
    for level in (0, 1000, 4095):
        findings.add_values(np.full((2, 3, 4), level / 32767.5 - 1, np.float32))
    (line,) = doubts(findings)
    assert "use 6.2% of their range" in line and "--config.data.value_range=LOWEST" in line
    findings.add_values(np.ones((2, 3, 4), np.float32))
    assert not doubts(findings)
    assert "values of each channel, as shares of their range: 0.0% to 100.0%" in describe(
        findings, consecutive(("a",)), "training"
    )
