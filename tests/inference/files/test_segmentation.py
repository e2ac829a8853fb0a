"""Pictures in, masks out."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.files.segmentation import segment_files
from symmflow_jax.runtime.outputs import OutputError

_OPTIONS = {"seed": 0, "num_steps": 1, "ensemble_size": 1}


@pytest.fixture(scope="module")
def one_hot_model(random_model):
    return random_model(**{"semantics.encoding": "onehot"})


def _halves(left: float, right: float) -> np.ndarray:
    return np.repeat(np.float32([[left, right]]), 4, axis=1).repeat(8, axis=0)


def _read(path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_masks_have_the_size_of_their_images_and_the_ids_of_the_data_set(mask_model, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.fromarray(np.zeros((20, 31), np.uint8)).save(pictures / "grey.png")
    Image.fromarray(np.zeros((9, 8, 4), np.uint8)).save(pictures / "alpha.png")
    (pictures / "notes.txt").write_text("no picture")
    out = tmp_path / "out"
    written = segment_files(mask_model, str(pictures), out, **_OPTIONS)
    assert [path.name for path in written] == ["alpha.png", "grey.png"]
    mask = _read(out / "grey.png")
    assert mask.shape == (20, 31)
    assert set(np.unique(mask)) <= set(mask_model.schema.raw_ids)
    assert Image.open(out / "grey_overlay.png").size == (31, 20)
    # One draw of codes without probabilities has no entropy.
    assert not list(out.glob("*_entropy.png"))


def test_a_mask_is_read_by_the_view_that_is_asked_for(mask_model, picture, tmp_path):
    tiles = mask_model.view("tiles", scale=1.0)
    (written,) = segment_files(mask_model, picture, tmp_path / "out", **_OPTIONS, view=tiles)
    assert _read(written).shape == (16, 16)


def test_an_image_that_a_view_cannot_take_is_left_out(random_model, photos, tmp_path):
    model = random_model(**{"network.attention_rates": (1,)})
    Image.fromarray(np.zeros((200, 200, 3), np.uint8)).save(photos / "large.png")
    whole = model.view("whole", scale=1.0)
    message = r"1 of 4 inputs .*large\.png: An image of 256x256 pixels has 65536 places"
    with pytest.raises(DataError, match=message):
        segment_files(model, str(photos), tmp_path / "out", **_OPTIONS, view=whole)
    assert len(list((tmp_path / "out").glob("*_overlay.png"))) == 3


def test_unsure_pixels_have_an_id_of_their_own(mask_model, picture, tmp_path, answer):
    answer(_halves(1, 3).astype(np.int32), _halves(0.9, 0.6), _halves(0, 0))
    segment_files(mask_model, picture, tmp_path / "all", **_OPTIONS)
    np.testing.assert_array_equal(
        _read(tmp_path / "all/picture.png")[:, [0, 7, 8, 15]][0], [1, 1, 3, 3]
    )
    segment_files(mask_model, picture, tmp_path / "sure", **_OPTIONS, min_confidence=0.7)
    mask = _read(tmp_path / "sure/picture.png")
    assert (mask[:, :8] == 1).all() and (mask[:, 8:] == 255).all()
    # Where nothing is sure, the picture shows through.
    overlay = _read(tmp_path / "sure/picture_overlay.png")
    assert (overlay[:, 8:] == 200).all() and (overlay[:, :8] != 200).any()
    segment_files(
        mask_model, picture, tmp_path / "other", **_OPTIONS, min_confidence=0.7, unsure_id=300
    )
    assert (_read(tmp_path / "other/picture.png")[:, 8:] == 300).all()


def test_entropy_is_grey_up_to_that_of_all_classes(mask_model, picture, tmp_path, answer):
    # On the left all draws differ; on the right two of them do, and three agree.
    votes = np.stack([_halves(draw, min(draw, 2)).astype(np.int32) for draw in range(5)])
    answer(np.zeros((8, 8), np.int32), _halves(0.2, 1), _halves(0, 0), votes=votes)
    segment_files(mask_model, picture, tmp_path / "out", **_OPTIONS | {"ensemble_size": 5})
    grey = _read(tmp_path / "out/picture_entropy.png")
    assert grey.shape == (16, 16)
    right = -(0.6 * np.log(0.6) + 2 * 0.2 * np.log(0.2)) / np.log(5) * 255
    assert (grey[:, :8] == 255).all() and (abs(grey[:, 8:] - right) < 1).all()


def test_probabilities_of_every_pixel(one_hot_model, picture, tmp_path, answer):
    shares = np.float32([0.5, 0.25, 0.25, 0, 0])
    answer(np.zeros((8, 8), np.int32), _halves(1, 1), _halves(0, 0), np.tile(shares, (8, 8, 1)))
    segment_files(one_hot_model, picture, tmp_path / "out", **_OPTIONS, probabilities=True)
    with np.load(tmp_path / "out/picture_probabilities.npz") as archive:
        found, names = archive["probabilities"], archive["names"]
    assert found.dtype == np.float16 and found.shape == (16, 16, 5)
    np.testing.assert_array_equal(found[3, 4], shares)
    assert tuple(names) == one_hot_model.schema.names
    # One draw is enough for an entropy here.
    assert (tmp_path / "out/picture_entropy.png").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_confidence": 0.5, "unsure_id": 2}, r"--unsure_id is 2, which is an id of 'square'"),
        ({"min_confidence": 0.5, "unsure_id": 70_000}, r"is 70000; masks hold ids from 0 to 65535"),
        ({"min_confidence": 1.5}, r"min_confidence is 1\.5; it must lie in \[0, 1\]"),
        ({"probabilities": True}, r"one-hot codes, but .* PaletteMask; train one with .*'onehot'"),
    ],
)
def test_what_cannot_be_is_an_error(mask_model, picture, tmp_path, answer, options, message):
    answer(np.zeros((8, 8), np.int32), _halves(1, 1), _halves(0, 0))
    with pytest.raises(ValueError, match=message):
        segment_files(mask_model, picture, tmp_path / "out", **_OPTIONS, **options)


def test_an_id_of_a_class_does_no_harm_where_all_is_sure(mask_model, picture, tmp_path, answer):
    answer(np.zeros((8, 8), np.int32), _halves(0, 0), _halves(0, 0))
    segment_files(mask_model, picture, tmp_path / "out", **_OPTIONS, unsure_id=2)
    assert (_read(tmp_path / "out/picture.png") == 0).all()


@pytest.mark.parametrize("path", ["", "nowhere", "."])
def test_no_picture_is_an_error(mask_model, tmp_path, path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"is no image and no folder with images"):
        segment_files(mask_model, path, tmp_path / "o", **_OPTIONS)


def _contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("overwrite", [False, True])
def test_photos_are_never_replaced_by_their_masks(mask_model, photos, tmp_path, answer, overwrite):
    answer(np.zeros((8, 8), np.int32), _halves(1, 1), _halves(0, 0))
    before = _contents(photos)
    (tmp_path / "link").symlink_to(photos)
    for given, output, message in (
        (photos, photos, "--output is the folder of --input"),
        (photos, tmp_path / "link", "--output is the folder of --input"),
        (photos / "dog.png", photos, r"photos/dog\.png is an input of this command"),
        (photos / "dog.png", tmp_path / "link", r"link/dog\.png is an input of this command"),
    ):
        with pytest.raises(OutputError, match=message):
            segment_files(mask_model, str(given), output, **_OPTIONS, overwrite=overwrite)
    assert _contents(photos) == before


def test_a_second_run_keeps_the_first_and_reads_none_of_it(mask_model, photos, tmp_path, answer):
    answer(np.zeros((8, 8), np.int32), _halves(1, 1), _halves(0.2, 0.5))
    options = _OPTIONS | {"ensemble_size": 5}
    out = photos / "masks"
    written = segment_files(mask_model, str(photos), out, **options)
    assert [path.name for path in written] == ["cat_jpg.png", "cat_png.png", "dog.png"]
    first = _contents(out)
    assert len(first) == 9
    answer(np.ones((8, 8), np.int32), _halves(1, 1), _halves(0.2, 0.5))
    with pytest.raises(OutputError, match=r"cat_jpg\.png exists already \(9 of 9 files"):
        segment_files(mask_model, str(photos), out, **options)
    assert _contents(out) == first
    assert segment_files(mask_model, str(photos), out, **options, overwrite=True) == written
    assert (_read(out / "dog.png") == 1).all()
    # Its own masks, overlays and entropy maps are no photos, wherever they lie.
    for path in list(out.iterdir()):
        path.rename(photos / f"moved_{path.name}")
    written = segment_files(mask_model, str(photos), tmp_path / "again", **options)
    assert [path.name for path in written] == ["cat_jpg.png", "cat_png.png", "dog.png"]


def test_a_broken_picture_is_named(mask_model, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    with pytest.raises(DataError, match=r"broken\.png cannot be read"):
        segment_files(mask_model, str(broken), tmp_path / "out", **_OPTIONS)


def test_an_output_that_cannot_be_is_one_line_before_the_model_runs(
    mask_model, photos, tmp_path, monkeypatch
):
    monkeypatch.setattr(predictions, "predict_semantics", None)
    (tmp_path / "file").touch()
    for output, message in (
        (tmp_path / "file", r"file cannot be a folder to write to: .*file is a file\. Give"),
        (pathlib.Path("/proc/masks"), r"/proc/masks cannot be written: no file can be made in"),
    ):
        with pytest.raises(OutputError, match=message):
            segment_files(mask_model, str(photos), output, **_OPTIONS)


def test_a_full_disk_leaves_no_half_file(mask_model, photos, tmp_path, answer, full_disk):
    answer(np.zeros((8, 8), np.int32), _halves(1, 1), _halves(0, 0))
    # What is compiled is kept on disk, too.
    segment_files(mask_model, str(photos), tmp_path / "first", **_OPTIONS)
    with full_disk(), pytest.raises(OutputError, match=r"out/.* could not be written: .* Free sp"):
        segment_files(mask_model, str(photos), tmp_path / "out", **_OPTIONS)
    assert not list((tmp_path / "out").iterdir())


def test_one_broken_picture_among_many_is_told_at_the_end(mask_model, photos, tmp_path, answer):
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    answer(np.zeros((8, 8), np.int32), _halves(1, 1), _halves(0, 0))
    message = r"1 of 4 inputs .* of the others is in .*out.* The first: .*broken\.png cannot"
    with pytest.raises(DataError, match=message):
        segment_files(mask_model, str(photos), tmp_path / "out", **_OPTIONS)
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_a_model_of_labels_is_refused(plane_model, picture, tmp_path):
    with pytest.raises(ValueError, match=r"reads labels, not masks; use --mode=classify"):
        segment_files(plane_model, picture, tmp_path, **_OPTIONS)
