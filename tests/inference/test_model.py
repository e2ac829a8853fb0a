"""The Python interface: what notebooks call, and what it says to bad input."""

import concurrent.futures
import dataclasses
import re
import subprocess
import sys

import jax
import numpy as np
import pytest
from PIL import Image

import symmflow_jax
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.model import Model
from symmflow_jax.methods.symmflow import Sampled
from tests.campaigns.experiments import save_random_run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def models(tmp_path_factory, tiny_experiment) -> dict[str, Model]:
    """Models with random weights: of masks, of labels, and of masks with two clocks."""
    loaded = {}
    with jax.numpy_dtype_promotion("standard"):
        for encoding, clock in (("palette", "tied"), ("plane", "tied"), ("onehot", "mixed")):
            folder = tmp_path_factory.mktemp(encoding)
            experiment = tiny_experiment(
                **{
                    "semantics.encoding": encoding,
                    "semantics.dequantization_beta": 4.0,
                    "train.clock": clock,
                }
            )
            save_random_run(experiment, folder)
            loaded[encoding] = symmflow_jax.load(folder)
    return loaded


def _images(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=(count, 8, 8, 3), dtype=np.uint8)


def test_masks_become_images_and_images_masks(models):
    model = models["palette"]
    assert model.schema.names == ("background", "circle", "square", "triangle", "cross")
    results = model.segment(_images(), _KEY)
    masks = np.asarray(results)
    assert masks.shape == (3, 8, 8) and masks.dtype == np.int32
    assert set(np.unique(masks)) <= set(range(5))
    images = np.asarray(model.generate(results, _KEY, num_steps=2))
    assert images.shape == (3, 8, 8, 3) and images.dtype == np.uint8
    np.testing.assert_array_equal(model.generate_arrays(masks, _KEY, num_steps=2), images)
    one = model.segment(_images()[0])
    assert one.mask.shape == (8, 8) and model.generate(one, num_steps=2).size == (8, 8)


def test_labels_become_images_and_images_labels(models):
    model = models["plane"]
    results = model.classify(_images(), _KEY, ensemble_size=3)
    labels = np.asarray(results)
    assert labels.shape == (3,) and set(labels.tolist()) <= set(range(4))
    assert [result.name for result in results] == [model.names[label] for label in labels]
    assert np.asarray(model.generate([0, 3], _KEY, num_steps=2)).shape == (2, 8, 8, 3)
    (by_name, by_number) = model.generate("circle", 1, 2), model.generate(0, jax.random.key(1), 2)
    np.testing.assert_array_equal(np.asarray(by_name), np.asarray(by_number))
    assert model.classify(_images()[0]).label in range(4)


def test_bytes_and_floats_say_the_same(models):
    images = _images()
    floats = images.astype(np.float32) / 127.5 - 1
    by_bytes, by_floats = (models["palette"].segment(x, _KEY) for x in (images, floats))
    np.testing.assert_array_equal(by_bytes, by_floats)


def test_an_answer_depends_on_neither_batch_nor_key_order(models):
    masks = models["palette"].segment(_images(), _KEY)
    np.testing.assert_array_equal(models["palette"].segment(_images()[:1], _KEY), masks[:1])


def test_every_solver_can_be_named(random_model):
    # Points and an MLP: solvers of many passes would compile a U-Net many times over.
    values = {"data.source": "spirals", "data.image_size": (), "network.name": "mlp"}
    model = random_model(**values, **{"semantics.encoding": "plane"})
    points = np.zeros((1, 2), np.float32)
    for solver in ("euler", "midpoint", "heun", "rk4", "dopri5"):
        assert np.asarray(model.classify(points, _KEY, 2, solver)).shape == (1,)
    with pytest.raises(ValueError, match=r"The solver is 'verlet'; choose one of euler"):
        model.classify(points, _KEY, 2, "verlet")


def test_velocities_have_the_shapes_of_their_states(models):
    x_t, y_t = np.zeros((2, 8, 8, 3), np.float32), np.zeros((2, 8, 8, 1), np.float32)
    v_x, v_y = models["plane"].velocity(x_t, y_t, 0.5)
    assert v_x.shape == x_t.shape and v_y.shape == y_t.shape


def test_one_hot_codes_tell_probabilities(models):
    result = models["onehot"].predict_semantics(_images(), _KEY, num_steps=2, ensemble_size=2)
    assert result.probabilities.shape == (3, 8, 8, 5)
    np.testing.assert_allclose(np.sum(result.probabilities, axis=-1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(np.argmax(result.probabilities, axis=-1), result.labels)
    np.testing.assert_allclose(np.max(result.probabilities, axis=-1), result.confidence, rtol=1e-5)
    assert np.all((result.entropy >= 0) & (result.entropy <= np.log(5) + 1e-5))


def test_a_clock_for_each_leaf_makes_pairs_from_noise(models):
    pairs = models["onehot"].sample(2, _KEY, num_steps=2)
    assert pairs.images.shape == (2, 8, 8, 3) and pairs.images.dtype == np.uint8
    assert pairs.labels.shape == (2, 8, 8) and pairs.labels.max() < 5
    images = models["onehot"].sample(2, _KEY, num_steps=2, what=Sampled.IMAGES)
    assert images.images.shape == (2, 8, 8, 3) and images.labels is None
    semantics = models["onehot"].sample(2, _KEY, num_steps=2, what=Sampled.SEMANTICS)
    assert semantics.labels.shape == (2, 8, 8) and semantics.images is None


def test_times_of_both_leaves_count(models):
    x_t = np.ones((1, 8, 8, 3), np.float32)
    y_t = np.ones((1, 8, 8, 5), np.float32)
    velocity = models["onehot"].velocity
    once, same = velocity(x_t, y_t, 0.5), velocity(x_t, y_t, 0.5, t_semantics=0.5)
    np.testing.assert_allclose(once[0], same[0], rtol=1e-5)
    assert np.any(once[1] != velocity(x_t, y_t, 0.5, t_semantics=0.9)[1])


def test_one_clock_is_told_apart_from_two(models):
    tied = models["plane"]
    for attempt in (
        lambda: tied.sample(1, _KEY),
        lambda: tied.generate([0], _KEY, 1, guidance=Guidance(weight=2.0)),
        lambda: tied.velocity(np.zeros((1, 8, 8, 3)), np.zeros((1, 8, 8, 1)), 0.1, 0.2),
    ):
        with pytest.raises(ValueError, match=r"needs a network with a clock for each component"):
            attempt()


def test_arrays_of_another_size_are_refused(models):
    with pytest.raises(ValueError, match=r"shape \(1, 9, 8, 3\); .*Resize"):
        models["palette"].predict_semantics(np.zeros((1, 9, 8, 3), np.uint8), _KEY)
    with pytest.raises(ValueError, match=r"shape \(1, 2\); this model takes \('batch',\)"):
        models["plane"].generate_arrays([[0, 1]], _KEY)


def test_images_of_any_form_and_size_get_masks_of_their_size(models, tmp_path):
    model = models["onehot"]
    photo = np.random.default_rng(0).integers(256, size=(20, 30, 3), dtype=np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    before = predictions.predict_semantics._cache_size()
    given = (tmp_path / "photo.png", str(tmp_path / "photo.png"), Image.fromarray(photo), photo)
    results = [model.segment(image, probabilities=True) for image in given]
    for result in results:
        assert result.mask.shape == result.confidence.shape == (20, 30)
        assert result.probabilities.shape == (20, 30, 5)
        np.testing.assert_array_equal(result.mask, results[0].mask)
    (in_folder,) = model.segment(tmp_path)
    assert in_folder.path == tmp_path / "photo.png" and in_folder.probabilities is None
    np.testing.assert_array_equal(in_folder.mask, results[0].mask)
    several = model.segment([*given, photo[:9], photo[..., 0]], min_confidence=1.0)
    assert [r.mask.shape for r in several] == [(20, 30)] * 4 + [(9, 30), (20, 30)]
    assert (several[0].mask == -1).all()
    assert predictions.predict_semantics._cache_size() <= before + 1
    assert models["plane"].classify(photo).label in range(4)


def test_a_view_makes_masks_by_windows(models):
    model = models["onehot"]
    result = model.segment(np.zeros((8, 24, 3), np.uint8), fit="tiles", scale=1.0, flips=True)
    assert result.mask.shape == (8, 24)
    with pytest.raises(ValueError, match="'tile'.* choose one of"):
        model.segment(np.zeros((8, 24, 3), np.uint8), fit="tile")


def test_threads_share_a_model(models):
    image = _images()[0]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(models["palette"].segment, [image] * 8))
    for result in results:
        np.testing.assert_array_equal(result.mask, results[0].mask)


def test_a_model_says_what_it_is(models):
    text = repr(models["onehot"])
    assert re.fullmatch(
        r"<Model in .*: masks and 8x8x3 images of shapes, 5 classes \(background, circle, square, "
        r"triangle, cross\), encoding onehot, clock mixed, unet of [\d,]+ parameters, step 0>",
        text,
    )
    assert models["onehot"].num_parameters > 1000


def test_probabilities_of_codes_without_them_are_refused(models):
    with pytest.raises(ValueError, match="probabilities are those of one-hot codes"):
        models["palette"].segment(_images(), probabilities=True)


@pytest.mark.parametrize("number", [0, -1, 2.5, float("nan"), "3"])
def test_numbers_that_cannot_be_are_refused_by_name(models, number):
    masks = np.zeros((1, 8, 8), np.int32)
    words = "must be (a whole number, )?at least 1"
    with pytest.raises(ValueError, match=f"^num_steps is .*; it {words}"):
        models["palette"].generate(masks, _KEY, num_steps=number)
    with pytest.raises(ValueError, match=f"^num_steps is .*; it {words}"):
        models["palette"].segment(_images(), _KEY, num_steps=number)
    with pytest.raises(ValueError, match=f"^ensemble_size is .*; it {words}"):
        models["plane"].classify(_images(), _KEY, ensemble_size=number)
    with pytest.raises(ValueError, match=f"^num_samples is .*; it {words}"):
        models["onehot"].sample(number, _KEY)


def test_a_task_of_the_other_kind_is_refused(models):
    with pytest.raises(ValueError, match=r"reads masks, not labels; use segment"):
        models["palette"].classify(_images(), _KEY)
    with pytest.raises(ValueError, match=r"reads labels, not masks; use classify"):
        models["plane"].segment(_images(), _KEY)


def test_names_of_the_package_are_found_by_completion():
    assert {"Model", "evaluate", "load", "train"} <= set(dir(symmflow_jax))
    with pytest.raises(AttributeError, match="has no attribute 'segment'"):
        symmflow_jax.segment  # noqa: B018


def test_the_import_is_light():
    code = "import sys, symmflow_jax; print('tensorflow' in sys.modules, 'jax' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert output.split() == ["False", "False"]


def test_a_model_of_images_alone_samples_them_and_refuses_the_rest(random_model):
    values = {"train.clock": "unconditional", "eval.metrics": ("objective",)}
    model = random_model(**values)
    made = model.sample(2, _KEY, 1, what=Sampled.IMAGES)
    assert made.images.shape == (2, 8, 8, 3) and made.labels is None
    for call in (
        lambda: model.generate(np.zeros((1, 8, 8), np.int32), _KEY),
        lambda: model.segment(_images(1), _KEY),
        lambda: model.sample(1, _KEY),
    ):
        with pytest.raises(ValueError, match="trained on images alone .*'unconditional'"):
            call()


def test_masks_of_images_of_any_size(random_model):
    model = random_model(**{"semantics.encoding": "onehot"})
    photos = [np.full((12, 20, 3), 90, np.uint8), Image.new("L", (9, 31))]
    for view in (None, model.view("tiles", scale=0.9, overlap=0.0)):
        readings = list(model.read_masks(iter(photos), _KEY, view, with_probabilities=True))
        assert [reading.labels.shape for reading in readings] == [(12, 20), (31, 9)]
        assert [reading.probabilities.shape for reading in readings] == [(12, 20, 5), (31, 9, 5)]
    with pytest.raises(ValueError, match="scale of the training, which this run does not tell"):
        model.view("tiles")
    known = dataclasses.replace(model, native_scale=0.5)
    assert known.view("tiles").scale == 0.5
    with pytest.raises(ValueError, match="ensemble_size is 0"):
        model.read_masks(photos, _KEY, ensemble_size=0)


def test_a_picture_is_fitted_as_in_training(random_model):
    picture = np.random.default_rng(0).integers(256, size=(8, 20, 3), dtype=np.uint8)
    np.testing.assert_array_equal(random_model().fitted(picture), picture[:, 6:14])
    stretched = random_model(**{"data.fit": "stretch"}).fitted(Image.fromarray(picture))
    assert stretched.shape == (8, 8, 3) and (stretched != picture[:, 6:14]).any()


def test_a_classifier_reads_no_masks(random_model):
    model = random_model(**{"semantics.encoding": "plane", "semantics.dequantization_beta": 4.0})
    with pytest.raises(ValueError, match=r"reads labels, not masks; use classify\(\)"):
        model.read_masks([np.zeros((8, 8, 3), np.uint8)], _KEY)
