import os
import pathlib
import signal

import jax
import numpy as np
import pytest

from symmflow_jax.codecs import autoencoder_weights
from symmflow_jax.preparation import finetune_decoder as finetuning
from symmflow_jax.preparation.finetune_decoder import finetune_vae
from symmflow_jax.runtime.outputs import OutputError
from symmflow_jax.runtime.signals import Interrupted

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]


@pytest.fixture
def experiment(latent_experiment):
    return latent_experiment(
        **{
            "finetune.num_steps": 20,
            "finetune.learning_rate": 5e-3,
            "finetune.batch_size": 4,
            "train.log_every_steps": 5,
        }
    )


def test_the_decoder_learns_masks_and_nothing_else_changes(experiment, tmp_path, caplog):
    with caplog.at_level("INFO", logger="symmflow_jax"):
        finetune_vae(experiment, tmp_path)
    lines = [record.getMessage() for record in caplog.records]
    errors = [float(line.rsplit(" ", 1)[1]) for line in lines if "squared error" in line]
    assert len(errors) == 4 and errors[-1] < 0.7 * errors[0]
    accuracies = [float(line.rsplit(" ", 1)[1]) for line in lines if "pixel accuracy" in line]
    assert len(accuracies) == 2 and accuracies[1] > accuracies[0]

    network = experiment.method.codec.autoencoder
    before = autoencoder_weights.read(experiment.config.autoencoder.weights, network)
    weights = experiment.codec_weights(tmp_path)
    for part in ("encoder", "decoder"):
        jax.tree.map(np.testing.assert_array_equal, weights[part], before[part])
    changed = jax.tree.map(lambda a, b: np.any(a != b), weights["mask_decoder"], before["decoder"])
    assert all(jax.tree.leaves(changed))


def test_a_signal_saves_the_decoder(experiment, tmp_path, monkeypatch):
    make_step = finetuning.make_step

    def interrupting(codec, optimizer):
        step = make_step(codec, optimizer)

        def stepped(*arguments):
            os.kill(os.getpid(), signal.SIGTERM)
            return step(*arguments)

        return stepped

    monkeypatch.setattr(finetuning, "make_step", interrupting)
    with pytest.raises(Interrupted) as error:
        finetune_vae(experiment, tmp_path)
    assert error.value.code == 128 + signal.SIGTERM
    assert "mask_decoder" in experiment.codec_weights(tmp_path)


def test_an_error_that_is_no_number_writes_nothing(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr(
        finetuning, "make_step", lambda *_: lambda decoder, state, *_: (decoder, state, np.nan)
    )
    with pytest.raises(ArithmeticError, match=r"Step 5: .* nan.* config\.finetune\.learning_rate"):
        finetune_vae(experiment, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_decoder_is_replaced_only_on_request(experiment, tmp_path):
    path = tmp_path / autoencoder_weights.MASK_DECODER
    path.write_text("tuned before")
    with pytest.raises(OutputError, match=r"mask_decoder\.safetensors exists already\. Give --ov"):
        finetune_vae(experiment, tmp_path)
    assert path.read_text() == "tuned before"
    with pytest.raises(OutputError, match=r"/proc/run cannot be written: .* another --workdir"):
        finetune_vae(experiment, pathlib.Path("/proc/run"))


def test_pixels_have_no_decoder(tiny_experiment, tmp_path):
    with pytest.raises(ValueError, match=r"--mode=finetune_vae needs an autoencoder"):
        finetune_vae(tiny_experiment(), tmp_path)
