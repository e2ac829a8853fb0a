"""Photos, masks and labels in, edited photos out."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.flow.solvers.fixed_steps import euler
from symmflow_jax.inference.editing import Keep, Source
from symmflow_jax.inference.files.editing.photos import Wanted, edit_files
from symmflow_jax.inference.files.made import Made, made_of
from symmflow_jax.runtime.outputs import OutputError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_SOLVE = euler(2)


@pytest.fixture(scope="module")
def model(random_model):
    return random_model(**{"train.clock": "mixed", "semantics.encoding": "onehot"})


@pytest.fixture(scope="module")
def label_model(random_model):
    return random_model(
        **{"train.clock": "mixed", "semantics.encoding": "onehot", "semantics.kind": "label"}
    )


def _save(path, array):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(array).save(path)
    return str(path)


def _pixels(seed=0, size=(12, 16)):
    return np.random.default_rng(seed).integers(256, size=(*size, 3), dtype=np.uint8)


def _mask(size=(12, 16), lower=2):
    mask = np.zeros(size, np.uint8)
    mask[size[0] // 2 :] = lower
    return mask


@pytest.fixture
def files(tmp_path):
    """A photo with its new and its old mask."""
    photo = _save(tmp_path / "photos" / "cat.png", _pixels())
    new = _save(tmp_path / "new" / "cat.png", _mask())
    old = _save(tmp_path / "old" / "cat.png", _mask(lower=0))
    return photo, Wanted(new, old)


def _read(path):
    return np.asarray(Image.open(path))


def test_one_photo_becomes_one_file(model, files, tmp_path, log):
    photo, wanted = files
    output = tmp_path / "out" / "edited.png"
    assert edit_files(model, photo, output, wanted, _SOLVE, seed=0) == [output]
    edited = _read(output)
    np.testing.assert_array_equal(edited[:6], _pixels()[:6])
    assert (edited[6:] != _pixels()[6:]).mean() > 0.5
    assert made_of(output) is Made.IMAGE
    assert "50% of the pixels were kept; 1 were resized" in log.text
    assert "the first of 16x12 in 11x8, width x height" in log.text
    with pytest.raises(OutputError, match="exists already"):
        edit_files(model, photo, output, wanted, _SOLVE, seed=0)


def test_folders_go_by_the_names_of_their_files(model, files, tmp_path, log):
    _, wanted = files
    for name, seed in (("dog", 1), ("emu", 2)):
        _save(tmp_path / "photos" / f"{name}.bmp", _pixels(seed))
        _save(tmp_path / "new" / f"{name}.png", _mask())
        _save(tmp_path / "old" / f"{name}.png", _mask(lower=0))
    _save(tmp_path / "new" / "other.png", _mask())
    region = np.zeros((12, 16), np.uint8)
    region[:, :3] = 255
    for name in ("cat", "dog", "emu"):
        _save(tmp_path / "keep" / f"{name}.png", region)
    wanted = Wanted(str(tmp_path / "new"), str(tmp_path / "old"), keep=str(tmp_path / "keep"))
    output = tmp_path / "out"
    written = edit_files(
        model, str(tmp_path / "photos"), output, wanted, _SOLVE, seed=0, sheet=True
    )
    assert [path.name for path in written] == ["cat.png", "dog.png", "emu.png"]
    for path, seed in zip(written, (0, 1, 2), strict=True):
        edited = _read(path)
        np.testing.assert_array_equal(edited[:, :3], _pixels(seed)[:, :3])
        assert (edited[:6, 3:] != _pixels(seed)[:6, 3:]).mean() > 0.3
    sheet = _read(output / "sheet.png")
    # Six columns of pictures of 8x11 pixels, nine times as large.
    assert sheet.shape[1] == 6 * (99 + 4) + 4 and made_of(output / "sheet.png") is Made.OVERLAY
    assert "Passed over in --mask: files of no photo, 1 (other)" in log.text


def test_a_photo_without_a_mask_is_an_error(model, files, tmp_path):
    _save(tmp_path / "photos" / "dog.png", _pixels(1))
    wanted = Wanted(str(tmp_path / "new"))
    with pytest.raises(DataError, match=r"has not one file for each photo: 1 .*\(dog\.png\)"):
        edit_files(model, str(tmp_path / "photos"), tmp_path / "out", wanted, _SOLVE, seed=0)


def test_files_that_cannot_be_read_are_named_and_the_others_edited(model, files, tmp_path):
    _save(tmp_path / "photos" / "dog.png", _pixels(1))
    _save(tmp_path / "new" / "dog.png", _mask((10, 16)))
    wanted, output = Wanted(str(tmp_path / "new")), tmp_path / "out"
    with pytest.raises(DataError, match="1 of 2 inputs could not be read.* make the mask in the"):
        edit_files(model, str(tmp_path / "photos"), output, wanted, _SOLVE, seed=0)
    assert [path.name for path in output.iterdir()] == ["cat.png"]


def test_labels_are_named_or_numbered(label_model, tmp_path):
    photo = _save(tmp_path / "cat.png", _pixels())
    made = {}
    for label in ("cross", "3", "circle"):
        wanted = Wanted(label=label, source_label="square")
        (path,) = edit_files(label_model, photo, tmp_path / label, wanted, _SOLVE, seed=0)
        made[label] = path.read_bytes()
    assert made["cross"] == made["3"] != made["circle"]
    with pytest.raises(DataError, match="--to=star is no class; those are circle, square"):
        edit_files(label_model, photo, tmp_path / "out", Wanted(label="star"), _SOLVE, seed=0)


def test_masks_and_labels_are_told_apart(model, label_model, files, tmp_path):
    photo, wanted = files

    def refused(by, wanted, message, **options):
        with pytest.raises(ValueError, match=message):
            edit_files(by, photo, tmp_path / "out", wanted, _SOLVE, seed=0, **options)

    refused(model, Wanted(), "knows masks, not labels; give the new one of each photo by --mask")
    refused(model, Wanted(label="cross"), "give --mask, not --to=cross")
    refused(label_model, wanted, "knows labels, not masks; give --to, not --mask=")
    refused(label_model, Wanted(label="cross"), "--sheet shows masks", sheet=True)
    refused(
        model, Wanted(wanted.masks, keep=Keep.UNCHANGED, source=Source.NONE), "is compared with"
    )


def test_points_are_no_files(random_model, tmp_path):
    values = {"data.source": "spirals", "data.image_size": (), "network.name": "mlp"}
    model = random_model(**values, **{"semantics.encoding": "plane", "train.clock": "independent"})
    with pytest.raises(ValueError, match=r"points, which are no files; edit them in Python: model"):
        edit_files(model, "x.png", tmp_path, Wanted(label="0"), _SOLVE, seed=0)


def test_an_edit_is_no_jpeg_and_a_file_holds_one_photo(model, files, tmp_path):
    photo, wanted = files
    with pytest.raises(OutputError, match=r"ends in \.png, which keeps every pixel"):
        edit_files(model, photo, tmp_path / "edited.jpg", wanted, _SOLVE, seed=0)
    _save(tmp_path / "photos" / "dog.png", _pixels(1))
    with pytest.raises(OutputError, match="give a folder for several photos"):
        edit_files(model, str(tmp_path / "photos"), tmp_path / "edited.png", wanted, _SOLVE, seed=0)
