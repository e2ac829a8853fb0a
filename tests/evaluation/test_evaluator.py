"""Examples and protocols of an evaluation."""

import jax
import numpy as np
import pytest

from symmflow_jax.data.fingerprint import fingerprint
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, evaluator_of
from symmflow_jax.flow.guidance import NO_GUIDANCE
from symmflow_jax.methods.symmflow import Weights
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
