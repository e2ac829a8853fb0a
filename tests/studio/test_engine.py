"""The studio with a network: what it reads, edits and generates is what commands give."""

import base64
import io
import types

import jax
import numpy as np
import pytest
from PIL import Image

import symmflow_jax
from symmflow_jax.inference.files.editing.photos import Wanted, edit_files
from symmflow_jax.inference.files.generation import generate_files
from symmflow_jax.studio.engine import Engine
from symmflow_jax.studio.jobs import Cancelled, Progress
from symmflow_jax.studio.recipe import MASK, PHOTO, SOURCE_MASK
from symmflow_jax.studio.refusal import Refusal
from symmflow_jax.studio.sessions import Session
from symmflow_jax.studio.settings import Settings
from symmflow_jax.studio.web import uploads
from symmflow_jax.studio.work import Work
from tests.campaigns.experiments import save_random_run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_PIXELS = np.random.default_rng(0).integers(256, size=(8, 12, 3), dtype=np.uint8)
_SETTINGS = Settings(num_steps=2, seed=3, num_variants=2)


@pytest.fixture(scope="module")
def models(tmp_path_factory, tiny_experiment):
    """Models with random weights: of masks with two clocks and one, and of labels."""
    loaded = {}
    with jax.numpy_dtype_promotion("standard"):
        for name, encoding, clock in (
            ("masks", "onehot", "mixed"),
            ("tied", "palette", "tied"),
            ("labels", "plane", "mixed"),
        ):
            folder = tmp_path_factory.mktemp(name)
            keys = {"semantics.encoding": encoding, "train.clock": clock}
            keys |= {"network.channel_multipliers": (1,), "semantics.dequantization_beta": 4.0}
            experiment = tiny_experiment(**keys)
            save_random_run(experiment, folder)
            loaded[name] = symmflow_jax.load(folder)
    return loaded


@pytest.fixture
def masks(models) -> Engine:
    return Engine(models["masks"])


def _new(classes: np.ndarray) -> np.ndarray:
    """A mask with a square in it."""
    changed = classes.copy()
    changed[2:6, 2:6] = (changed[2:6, 2:6] + 1) % 5
    return changed


def test_an_edit_is_repeated_by_the_files_of_its_result(masks, models, tmp_path):
    session = Session()
    content = uploads.as_png(_PIXELS)
    photo = session.add_photo(uploads.read_photo(content, "p.png", 100))
    work = Work(masks, ())
    reading = work.task({"kind": "read", "photo": photo}, session)(Progress())
    old = np.asarray(Image.open(_file(reading, "page_mask.png")))
    assert old.shape == (8, 12)
    told = {
        "kind": "edit",
        "photo": photo,
        "source": _text(old),
        "mask": _text(_new(old)),
        "settings": _SETTINGS.to_json() | {"num_steps": 2},
    }
    entry = work.task(told, session)(Progress())
    for name in (PHOTO, MASK, SOURCE_MASK):
        (tmp_path / name).write_bytes(entry.files[name])
    model = models["masks"]
    wanted = Wanted(masks=str(tmp_path / MASK), source_masks=str(tmp_path / SOURCE_MASK))
    (path,) = edit_files(
        model,
        str(tmp_path / PHOTO),
        tmp_path / "repeated.png",
        wanted,
        model.experiment.solver("euler", 2),
        seed=4,
    )
    again = np.asarray(Image.open(path))
    np.testing.assert_array_equal(again, np.asarray(Image.open(_file(entry, "picture_2.png"))))
    kept = old == _new(old)
    np.testing.assert_array_equal(again[kept], _PIXELS[kept])
    assert np.any(again[~kept] != _PIXELS[~kept])


def _file(entry, name):
    return io.BytesIO(entry.files[name])


def _text(classes) -> str:
    return base64.b64encode(uploads.ids_as_png(classes)).decode()


def test_a_region_is_made_anew_and_the_rest_kept(masks):
    classes = masks.read(_PIXELS, Progress()).classes
    region = np.zeros((8, 12), bool)
    region[1:5, 3:9] = True
    made = masks.edit(_PIXELS, classes, classes, region, _SETTINGS, Progress())
    for picture in made:
        np.testing.assert_array_equal(picture[~region], _PIXELS[~region])
        assert np.any(picture[region] != _PIXELS[region])
    assert np.any(made[0] != made[1])


def test_a_label_is_generated_as_by_the_command(models, tmp_path):
    engine = Engine(models["labels"])
    first, second = engine.generate(np.asarray(1), _SETTINGS, Progress())
    assert first.shape == (8, 8, 3) and np.any(first != second)
    (path,) = generate_files(models["labels"], "1", tmp_path, seed=3, num_steps=2, num_samples=1)
    np.testing.assert_allclose(np.asarray(Image.open(path)), first, atol=1)


def test_labels_are_ranked(models):
    ranking = Engine(models["labels"]).classify(_PIXELS, Progress())
    assert ranking.are_votes and np.isclose(ranking.shares.sum(), 1.0)


def test_a_network_of_one_clock_makes_pictures_of_masks_alone(models):
    engine = Engine(models["tied"])
    about = engine.about()
    assert not about["can_edit"] and "train.clock='tied'" in about["why_not"]
    mask = engine.read(_PIXELS, Progress()).classes
    with pytest.raises(Refusal, match="clock"):
        engine.edit(_PIXELS, mask, mask, None, _SETTINGS, Progress())
    assert len(engine.generate(mask[:, :8], Settings(num_steps=1), Progress())) == 1


def test_variants_are_stages_of_the_progress(masks):
    class Stops(Progress):
        def __call__(self, share, text, seconds=None):
            super().__call__(share, text, seconds)
            told.append((share, text.split(" (")[0]))
            if share:
                self.stop()

    told: list = []
    mask = np.zeros((8, 12), np.int32)
    with pytest.raises(Cancelled):
        masks.edit(_PIXELS, mask, mask, None, Settings(2, num_variants=3), Stops())
    assert [share for share, _ in told] == [0.0, 1 / 3]
    assert told[1][1] == "Making picture 2 of 3"


def test_models_of_points_and_of_images_alone_are_refused():
    points = types.SimpleNamespace(image_shape=(2,))
    with pytest.raises(ValueError, match="makes points of 2 numbers"):
        Engine(points)
    alone = types.SimpleNamespace(
        image_shape=(8, 8, 3), method=types.SimpleNamespace(is_unconditional=True)
    )
    with pytest.raises(ValueError, match="trained on images alone"):
        Engine(alone)
