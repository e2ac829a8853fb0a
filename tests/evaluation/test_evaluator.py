"""Examples and protocols of an evaluation."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.codecs import images as images_lib
from symmflow_jax.data.batch import Signals
from symmflow_jax.data.fingerprint import fingerprint
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, evaluator_of
from symmflow_jax.flow.guidance import NO_GUIDANCE
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import Generation
from symmflow_jax.methods.weights import Weights
from symmflow_jax.runs import folder


def test_every_example_comes_once_and_padding_does_not_count(tiny_experiment):
    evaluator = evaluator_of(tiny_experiment())
    batches = list(evaluator.batches(0))
    assert {batch.size for batch in batches} == {8}
    valid = np.concatenate([np.asarray(batch.valid) for batch in batches])
    index = np.concatenate([np.asarray(batch.example_index) for batch in batches])
    np.testing.assert_array_equal(index[valid], np.arange(12))
    (few,) = evaluator.batches(5)
    assert np.asarray(few.valid).sum() == 5
    np.testing.assert_array_equal(few.labels[:5], batches[0].labels[:5])


def test_masks_of_their_own_size_stay_on_the_host(striped):
    (batch,) = striped().batches(2, original_labels=True)
    assert isinstance(batch.labels, jax.Array)
    assert all(isinstance(mask, np.ndarray) for mask in batch.original_labels)
    (batch,) = striped().batches(2)
    assert batch.original_labels is None


def test_each_repeat_has_a_seed(tiny_experiment):
    seeded = {"seed": 4, "eval.num_seeds": 3}
    assert evaluator_of(tiny_experiment(**seeded)).seeds == (4, 5, 6)


def test_noise_of_a_call_is_that_of_its_seed(tiny_experiment, evaluated):
    evaluator = evaluator_of(tiny_experiment())
    batch = next(evaluator.batches(8))

    def function(method, weights, key, example_index, shift, *, scale):
        assert method is evaluator.method and weights is evaluated.weights
        assert len(example_index) == 8 and scale == 2
        return float(scale * jax.random.normal(key) + shift)

    def call(seed: int) -> float:
        return evaluator.call(function, evaluated, seed, batch, 100.0, scale=2)

    assert call(3) == call(3) != call(4)
    assert 80.0 < call(3) < 120.0


def test_a_protocol_tells_data_weights_and_clock(tiny_experiment, evaluated):
    evaluator = evaluator_of(tiny_experiment())
    protocol = evaluator.row_protocol("segmentation", evaluated, 5, "rk4", 2)
    assert (protocol.dataset, protocol.split, protocol.image_size) == ("shapes", "test", (8, 8))
    assert (protocol.crop, protocol.weights, protocol.train_step) == ("centre", "ema", 7)
    assert protocol.data_digest == fingerprint(evaluator.source).digest
    assert (protocol.row, protocol.tolerance, protocol.seeds) == ("rk4 2", None, (5,))
    assert (protocol.clock, protocol.mask_decoder) == ("tied", None)
    # Without a number of steps they are adaptive.
    adaptive = evaluator.row_protocol("segmentation", evaluated, 5, "dopri5", None)
    assert adaptive.tolerance == evaluator.experiment.eval.tolerance


def test_where_nothing_is_integrated_there_is_no_clock(tiny_experiment, evaluated):
    evaluator = evaluator_of(tiny_experiment(**{"train.clock": "mixed"}))
    assert evaluator.protocol("objective", evaluated, 0).clock is None
    assert evaluator.protocol("generation", evaluated, 0, solver="euler").clock == "clean"


def test_a_protocol_tells_what_reads_latents_of_masks(tiny_experiment):
    evaluator = evaluator_of(tiny_experiment())
    for weights, decoder in (({"decoder": 0}, "images"), ({"mask_decoder": 0}, "own")):
        of_latents = EvaluatedWeights(Weights({}, weights), train_step=1)
        made = evaluator.protocol("segmentation", of_latents, 0, solver="euler")
        assert made.mask_decoder == decoder


def test_points_are_not_cropped(tiny_experiment, evaluated):
    points = {
        "data.source": "spirals",
        "data.image_size": (),
        "semantics.encoding": "plane",
        "network.name": "mlp",
    }
    evaluator = evaluator_of(tiny_experiment(**points))
    protocol = evaluator.protocol(evaluator.task, evaluated, 0)
    assert (protocol.task, protocol.image_size, protocol.crop) == ("classification", (), None)


def test_there_is_no_guidance_unless_asked_for(tiny_experiment):
    assert evaluator_of(tiny_experiment()).guidance(5) == NO_GUIDANCE


def test_a_batch_is_divided_by_the_devices(tiny_experiment, monkeypatch):
    monkeypatch.setattr(jax, "local_device_count", lambda: 3)
    with pytest.raises(ValueError, match=r"config\.eval\.batch_size"):
        evaluator_of(tiny_experiment())


def test_what_cannot_be_read_is_noted_in_the_runs_folder(tiny_experiment, tmp_path):
    assert evaluator_of(tiny_experiment(), tmp_path).skip_log == tmp_path / folder.SKIPPED
    assert evaluator_of(tiny_experiment()).skip_log is None


_PUBLISHED = {"eval.protocol": "published"}


def test_a_protocol_tells_its_conventions(tiny_experiment, evaluated):
    made = {}
    for name in ("ours", "published"):
        values = {"eval.protocol": name, "data.dequantize_images": True, "data.random_crop": True}
        evaluator = evaluator_of(tiny_experiment(**values))
        made[name] = evaluator.row_protocol("segmentation", evaluated, 5, "euler", 1)
    ours, published = made["ours"], made["published"]
    assert (ours.conventions, ours.crop, ours.dequantized) == ("ours", "centre", False)
    assert published == dataclasses.replace(
        ours, conventions="published", crop="random", dequantized=True
    )


@pytest.mark.parametrize("dequantizes", [True, False])
def test_published_scores_are_of_images_with_the_noise_of_training(tiny_experiment, dequantizes):
    values = _PUBLISHED | {"data.dequantize_images": dequantizes}
    evaluator = evaluator_of(tiny_experiment(**values))
    batch = next(evaluator.batches(8))
    images = evaluator.real_images(3, batch)
    if not dequantizes:
        assert images is batch.image
        return
    assert isinstance(images, Signals)
    levels = 127.5 * (np.asarray(images.values) + 1) - np.asarray(batch.image.values, np.float32)
    assert 0.4 < np.abs(levels).max() <= 0.5001 and np.abs(levels.mean()) < 0.05
    np.testing.assert_array_equal(images.values, evaluator.real_images(3, batch).values)
    assert not np.array_equal(images.values, evaluator.real_images(4, batch).values)


def test_our_scores_are_of_images_without_noise(tiny_experiment):
    evaluator = evaluator_of(tiny_experiment(**{"data.dequantize_images": True}))
    batch = next(evaluator.batches(8))
    assert evaluator.real_images(3, batch) is batch.image


def test_published_images_are_of_all_labels_in_turn(tiny_experiment):
    labels = {"semantics.encoding": "plane"}
    published, ours = (evaluator_of(tiny_experiment(**labels | p)) for p in (_PUBLISHED, {}))
    batch = next(published.batches(8))
    classes = published.schema.num_classes
    expected = np.arange(8) % classes
    np.testing.assert_array_equal(published.conditions(batch), expected)
    assert ours.conditions(batch) is batch.labels
    # A mask is its own condition.
    masks = evaluator_of(tiny_experiment(**_PUBLISHED))
    batch = next(masks.batches(8))
    assert masks.conditions(batch) is batch.labels


def test_published_samples_are_cut_and_compared_as_they_are(
    tiny_experiment, evaluated, monkeypatch
):
    signal = jnp.broadcast_to(jnp.asarray([-1.5, 0.0, 0.999]), (8, 8, 8, 3))

    def generate(method, weights, key, index, labels, solve, guidance, as_signals=False):
        made = signal if as_signals else images_lib.to_pixels(signal)
        return Generation(made, jnp.ones(8, jnp.int32))

    monkeypatch.setattr(predictions, "generate", generate)
    found = {}
    for name in ("ours", "published"):
        evaluator = evaluator_of(tiny_experiment(**{"eval.protocol": name}))
        batch = next(evaluator.batches(8))
        found[name] = evaluator.generate(evaluated, 0, batch, batch.labels, None, NO_GUIDANCE)
    for name, levels in (("ours", [0, 128, 255]), ("published", [0, 127, 254])):
        assert found[name].images.dtype == jnp.uint8
        np.testing.assert_array_equal(found[name].images[0, 0, 0], levels)
    assert found["ours"].compared is found["ours"].images
    assert found["published"].compared is signal


@pytest.mark.parametrize(
    ("encoding", "protocol", "clips"),
    [
        ("palette", "published", True),
        ("palette", "ours", False),
        ("onehot", "published", False),
        ("plane", "published", False),
    ],
)
def test_only_published_pictures_of_masks_are_clipped(
    tiny_experiment, evaluated, monkeypatch, encoding, protocol, clips
):
    asked = []
    monkeypatch.setattr(
        predictions, "predict_semantics", lambda *_, **options: asked.append(options)
    )
    values = {"semantics.encoding": encoding, "eval.protocol": protocol}
    evaluator = evaluator_of(tiny_experiment(**values))
    batch = next(evaluator.batches(8))
    evaluator.predict_semantics(evaluated, 0, batch, batch.image, solve=None)
    assert asked == [{"solve": None} | ({"clip": True} if clips else {})]
