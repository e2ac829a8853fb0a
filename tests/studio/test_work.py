"""Work: requests become tasks, and tasks entries with files that can be used elsewhere."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.studio.jobs import Cancelled, Progress
from symmflow_jax.studio.refusal import Refusal
from symmflow_jax.studio.sessions import Session
from symmflow_jax.studio.web import uploads
from symmflow_jax.studio.work import Work
from tests.studio.conftest import SIZE


def _pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.fixture
def session(photo):
    session = Session()
    session.photo_id = session.add_photo(uploads.read_photo(photo, "p.png", 100))
    return session


@pytest.fixture
def do(session, stand_in):
    """A function that does the work of a request and returns its entry."""

    def run(engine=None, **values):
        work = Work(engine or stand_in(), ("--config=c.py", "--workdir=w"))
        return work.task(values, session)(Progress())

    return run


@pytest.fixture
def masks(encoded):
    """The old and the new mask of the photo, as the page sends them."""
    old, new = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint8)
    old[:, 4:] = 1
    new[:, 2:] = 2
    return {"source": encoded(old), "mask": encoded(new)}


def test_a_reading_has_a_mask_for_the_page_and_one_for_commands(do, session):
    entry = do(kind="read", photo=session.photo_id)
    expected = np.repeat([[0] * 4 + [1] * 4], SIZE[0], axis=0)
    np.testing.assert_array_equal(_pixels(entry.files["page_mask.png"]), expected)
    np.testing.assert_array_equal(_pixels(entry.files["mask.png"]), 10 + 10 * expected)
    sure = _pixels(entry.files["confidence.png"])
    np.testing.assert_array_equal(sure, np.where(expected, 255, 128))
    assert (entry.kind, entry.about["name"], entry.about["width"]) == ("read", "p.png", SIZE[1])
    assert session.entries() == [entry] and entry.about["seconds"] >= 0


def test_an_edit_has_variants_masks_and_a_recipe(do, session, masks):
    settings = {"num_variants": 2, "seed": 3}
    entry = do(kind="edit", photo=session.photo_id, settings=settings, **masks)
    assert _pixels(entry.files["picture_2.png"])[0, 0, 0] == 4
    assert _pixels(entry.files["mask.png"]).max() == 300  # The id of the class in the files.
    assert _pixels(entry.files["source_mask.png"]).max() == 20
    recipe = json.loads(entry.files["recipe.json"])
    assert len(recipe["commands"]) == 2 and "--seed=4" in recipe["commands"][1]
    assert "photo.png" in recipe["sha256"] and "page_mask.png" not in recipe["sha256"]
    assert entry.about["num_changed"] == SIZE[0] * 6 and not entry.is_live


def test_a_region_reaches_the_engine_and_the_recipe(do, session, masks, encoded, stand_in):
    engine, region = stand_in(), np.zeros(SIZE, np.uint8)
    region[1, 2] = 255
    given = {"photo": session.photo_id, "region": encoded(region), "live": True}
    entry = do(engine, kind="edit", **given, **masks)
    np.testing.assert_array_equal(engine.regions[0], region > 0)
    np.testing.assert_array_equal(_pixels(entry.files["keep.png"]), 255 - region)
    assert "--keep=keep.png" in json.loads(entry.files["recipe.json"])["commands"][0]
    assert entry.is_live


def test_masks_and_labels_are_generated(do, session, encoded, stand_in):
    mask = encoded(np.full(SIZE, 2, np.uint8))
    entry = do(kind="generate", mask=mask, settings={"seed": 1})
    assert _pixels(entry.files["picture_1.png"])[0, 0, 0] == 31
    entry = do(stand_in(reads_masks=False), kind="generate", label=1)
    assert _pixels(entry.files["picture_1.png"])[0, 0, 0] == 20
    assert "--input=1" in json.loads(entry.files["recipe.json"])["commands"][0]


def test_a_mask_of_a_photo_is_generated_in_the_models_size(do, session, encoded):
    large = session.add_photo(uploads.Photo("l", np.zeros((12, 16, 3), np.uint8), b""))
    mask = encoded(np.full((12, 16), 1, np.uint8))
    entry = do(kind="generate", photo=large, mask=mask)
    assert (entry.about["height"], entry.about["width"]) == SIZE
    assert _pixels(entry.files["page_mask.png"]).shape == (12, 16)


def test_drawings_and_photos_are_classified(do, session, encoded, stand_in):
    engine = stand_in(reads_masks=False)
    drawing = encoded(np.full((4, 4), 255, np.uint8))
    assert do(engine, kind="classify", drawing=drawing).about["shares"] == [1.0, 0.0, 0.0]
    assert do(engine, kind="classify", photo=session.photo_id).about["shares"][0] == 0.5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "read", "photo": "other"}, "photo is no longer here"),
        ({"kind": "edit", "photo": None}, "photo is no longer here"),
        ({"kind": "delete"}, "no such work; there is read, edit, generate, classify"),
        ({"kind": ["read"]}, "no such work"),
        ({"kind": "classify"}, "This model reads masks"),
        ({"kind": "generate"}, "The mask is missing"),
        ({"kind": "generate", "settings": 3}, "no object of JSON"),
    ],
)
def test_wrong_requests_are_refused(do, values, message):
    with pytest.raises(Refusal, match=message):
        do(**values)


def test_masks_of_another_size_and_unknown_pixels_are_refused(do, session, encoded, stand_in):
    photo = session.photo_id
    with pytest.raises(Refusal, match="has 2x2 pixels; it must have 8x6"):
        do(kind="edit", photo=photo, mask=encoded(np.zeros((2, 2), np.uint8)))
    erased = encoded(np.full(SIZE, 65535, np.uint16))
    with pytest.raises(Refusal, match="pixels without a class"):
        do(kind="edit", photo=photo, mask=erased, source=erased)
    entry = do(stand_in(knows_unknown=True), kind="edit", photo=photo, mask=erased, source=erased)
    assert np.all(_pixels(entry.files["mask.png"]) == 255)
    assert np.all(_pixels(entry.files["page_mask.png"]) == 65535)


@pytest.mark.parametrize("label", [None, -1, 3, True, "1"])
def test_labels_are_checked(do, label, stand_in):
    with pytest.raises(Refusal, match="whole number, 0 to 2"):
        do(stand_in(reads_masks=False), kind="generate", label=label)


def test_a_cancelled_edit_leaves_no_entry(session, masks, stand_in):
    values = {"kind": "edit", "photo": session.photo_id, **masks}
    task = Work(stand_in(), ()).task(values, session)
    progress = Progress()
    progress.stop()
    with pytest.raises(Cancelled):
        task(progress)
    assert session.entries() == []
