"""A run in latents as a whole: from a cache to a folder that stands for itself."""

import shutil
import signal

import jax
import numpy as np
import pytest

import symmflow_jax
from symmflow_jax.codecs import autoencoder_weights
from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.preparation.encode_latents import encode
from symmflow_jax.runs.identity import check_same_model, describe
from symmflow_jax.runtime.signals import Interrupted, InterruptionRequest
from tests.loop.training import losses_of, train_only

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]


@pytest.fixture
def experiment(latent_experiment, tiny_autoencoder, tmp_path):
    """A function to a run that needs a file and a cache in `tmp_path`."""
    shutil.copy(tiny_autoencoder, tmp_path / "vae.safetensors")

    def make(**overrides):
        values = {
            "autoencoder.weights": str(tmp_path / "vae.safetensors"),
            "data.latents": str(tmp_path / "latents"),
            "train.num_epochs": 2.4,
        }
        return latent_experiment(**values | overrides)

    return make


def test_encode_train_resume_and_use(experiment, tmp_path):
    run = tmp_path / "run"
    encode(experiment(), run)
    stopping = InterruptionRequest()
    stopping.signal_number = signal.SIGTERM
    with pytest.raises(Interrupted):
        train_only(experiment(), run, stopping)
    assert len(losses_of(run)) == 1
    # From here on the run's own copy is enough.
    (tmp_path / "vae.safetensors").unlink()
    train_only(experiment(), run, InterruptionRequest())
    losses = list(losses_of(run).values())
    assert len(losses) == 3 and np.isfinite(losses).all()

    shutil.rmtree(tmp_path / "latents")
    model = symmflow_jax.load(run)
    assert model.step == 3
    assert model.method.codec.shapes.image == (4, 4, 2)
    masks = np.random.default_rng(0).integers(0, model.schema.num_classes, (8, 8, 8))
    images = np.asarray(model.generate(masks, jax.random.key(0), num_steps=2))
    assert images.shape == (8, 8, 8, 3) and images.dtype == np.uint8
    assert np.asarray(model.segment(images, jax.random.key(1))).shape == (8, 8, 8)

    (run / autoencoder_weights.AUTOENCODER).unlink()
    with pytest.raises(WeightsFileError, match=r"no file of weights .*autoencoder\.safetensors"):
        symmflow_jax.load(run)


def test_a_run_in_pixels_does_not_go_on_in_latents(experiment, tiny_experiment, tmp_path):
    schema = tiny_experiment().without_files().schema
    pixels = describe(tiny_experiment().with_schema(schema))
    latents = describe(experiment().with_schema(schema))
    with pytest.raises(ValueError, match="what the flow moves is 'latents', was 'pixels'"):
        check_same_model(pixels, latents, tmp_path)
    moved = describe(experiment(**{"autoencoder.weights": "elsewhere"}).with_schema(schema))
    check_same_model(moved, latents, tmp_path)
    scaled = describe(experiment(**{"autoencoder.latent_scale": 1.0}).with_schema(schema))
    with pytest.raises(ValueError, match=r"config\.autoencoder\.latent_scale is 0.18215, was 1.0"):
        check_same_model(scaled, latents, tmp_path)
