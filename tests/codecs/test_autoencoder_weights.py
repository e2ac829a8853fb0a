import dataclasses

import jax
import numpy as np
import pytest

from symmflow_jax.codecs import autoencoder_weights
from symmflow_jax.interop import files
from symmflow_jax.interop.names import autoencoder as names
from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.runtime.storage.place import as_path


@pytest.fixture
def network(latent_experiment):
    return latent_experiment().method.codec.autoencoder


@pytest.fixture
def weights(tiny_autoencoder, network):
    return autoencoder_weights.read(tiny_autoencoder, network)


def _shifted(tree):
    return jax.tree.map(lambda array: array + 1.0, tree)


def _assert_equal(first, second):
    jax.tree.map(np.testing.assert_array_equal, first, second)


def test_a_run_needs_the_file_only_once(tiny_autoencoder, network, weights, tmp_path):
    given = autoencoder_weights.of_run(tmp_path / "run", str(tiny_autoencoder), "", network)
    _assert_equal(given, weights)
    autoencoder_weights.keep(tmp_path / "run", given, network)
    gone = str(tmp_path / "gone.safetensors")
    _assert_equal(autoencoder_weights.of_run(tmp_path / "run", gone, "", network), weights)
    _assert_equal(autoencoder_weights.kept(tmp_path / "run", network), weights)


def test_weights_and_the_run_may_be_in_a_bucket(tiny_autoencoder, network, weights, bucket):
    given, workdir = f"{bucket}/vae.safetensors", as_path(bucket) / "run"
    with pytest.raises(WeightsFileError, match=rf"{given} does not exist"):
        autoencoder_weights.of_run(workdir, given, "", network)
    as_path(given).upload(tiny_autoencoder)
    _assert_equal(autoencoder_weights.of_run(workdir, given, "", network), weights)
    autoencoder_weights.keep(workdir, weights, network)
    _assert_equal(autoencoder_weights.kept(workdir, network), weights)
    autoencoder_weights.write(as_path(given), _shifted(weights), network)
    with pytest.raises(ValueError, match="holds other weights than .*run/autoencoder.safetensors"):
        autoencoder_weights.of_run(workdir, given, "", network)
    as_path(given).unlink()
    _assert_equal(autoencoder_weights.of_run(workdir, given, "", network), weights)


def test_a_decoder_for_masks_is_kept_beside(tiny_autoencoder, network, weights, tmp_path):
    tuned = weights | {"decoder": _shifted(weights["decoder"])}
    autoencoder_weights.write(tmp_path / "tuned.safetensors", tuned, network)
    both = autoencoder_weights.of_run(
        tmp_path / "run", str(tiny_autoencoder), str(tmp_path / "tuned.safetensors"), network
    )
    _assert_equal(both, weights | {"mask_decoder": tuned["decoder"]})
    autoencoder_weights.keep(tmp_path / "run", both, network)
    _assert_equal(autoencoder_weights.kept(tmp_path / "run", network), both)
    # What fine-tuning has put into the folder of a run is used unasked.
    unasked = autoencoder_weights.of_run(tmp_path / "run", str(tiny_autoencoder), "", network)
    _assert_equal(unasked, both)


def _decoder_alone(weights, network) -> dict[str, np.ndarray]:
    """`vae.decoder.state_dict()`, which the published finetune_vae.py saves."""
    whole = names.state_dict_from_params(weights, network)
    return {
        name.removeprefix("decoder."): array
        for name, array in whole.items()
        if name.startswith("decoder.")
    }


def test_a_decoder_alone_is_for_masks(
    tiny_autoencoder, network, weights, torch_pickles, tmp_path, caplog
):
    tuned = weights | {"decoder": _shifted(weights["decoder"])}
    decoder = _decoder_alone(tuned, network)
    path = torch_pickles.save(tmp_path / "vae_decoder_step_500.pt", decoder)
    with caplog.at_level("INFO", "symmflow_jax"):
        both = autoencoder_weights.of_run(
            tmp_path / "run", str(tiny_autoencoder), str(path), network
        )
    assert "is a decoder alone; the encoder is that of config.autoencoder.weights" in caplog.text
    # The convolution at the latents is outside of diffusers' decoder, and is not tuned there.
    expected = tuned["decoder"] | {"latents_conv": weights["decoder"]["latents_conv"]}
    _assert_equal(both, weights | {"mask_decoder": expected})
    # The run keeps a whole autoencoder, and goes on with and without the file.
    autoencoder_weights.keep(tmp_path / "run", both, network)
    _assert_equal(autoencoder_weights.kept(tmp_path / "run", network), both)
    for given in ("", str(path)):
        _assert_equal(
            autoencoder_weights.of_run(tmp_path / "run", str(tiny_autoencoder), given, network),
            both,
        )


def test_a_decoder_that_does_not_fit_is_refused(tiny_autoencoder, network, weights, tmp_path):
    extra = {"head.weight": np.zeros(1, np.float32)}
    path = tmp_path / "decoder.safetensors"
    files.write_state_dict(path, _decoder_alone(weights, network) | extra)
    with pytest.raises(ValueError, match=r"decoder.safetensors: .*surplus: decoder.head.weight"):
        autoencoder_weights.of_run(tmp_path, str(tiny_autoencoder), str(path), network)
    with pytest.raises(WeightsFileError, match="one half of an autoencoder; .*mask_decoder"):
        autoencoder_weights.read(path, network)


def test_other_weights_than_the_run_has_are_refused(network, weights, tmp_path):
    autoencoder_weights.keep(tmp_path / "run", weights, network)
    other = tmp_path / "other.safetensors"
    autoencoder_weights.write(other, _shifted(weights), network)
    with pytest.raises(ValueError, match=r"autoencoder\.weights=.*other.*other weights than.*run"):
        autoencoder_weights.of_run(tmp_path / "run", str(other), "", network)
    with pytest.raises(ValueError, match="made for another encoder .* --mode=finetune_vae"):
        kept = str(tmp_path / "run" / "autoencoder.safetensors")
        autoencoder_weights.of_run(tmp_path / "new", str(other), kept, network)


def test_weights_that_do_not_fit_are_refused(tiny_autoencoder, network, tmp_path):
    larger = dataclasses.replace(network, channels=8, parent=None)
    with pytest.raises(ValueError, match="do not fit the network"):
        autoencoder_weights.read(tiny_autoencoder, larger)
    with pytest.raises(WeightsFileError, match=r"no file of weights .*autoencoder\.safetensors"):
        autoencoder_weights.kept(tmp_path, network)


def test_weights_of_another_network_are_refused(network, reference_unet, tmp_path):
    path = tmp_path / "unet.safetensors"
    files.write_state_dict(path, dict(reference_unet("two_blocks").state_dict))
    with pytest.raises(WeightsFileError, match=r"of a pixel U-Net; config\.autoencoder needs"):
        autoencoder_weights.read(path, network)


def test_weights_that_are_not_finite_are_refused(network, weights, tmp_path):
    path = tmp_path / "vae.safetensors"
    autoencoder_weights.write(path, jax.tree.map(lambda array: array * np.nan, weights), network)
    with pytest.raises(
        WeightsFileError, match=r"vae.safetensors: .*encoder.conv_in.weight \(.*NaN"
    ):
        autoencoder_weights.of_run(tmp_path / "run", str(path), "", network)


def test_an_address_is_fetched_for_a_new_run_and_compared_if_it_is_here(
    hub, hub_server, tiny_autoencoder, network, weights, tmp_path, caplog
):
    address = "hf:someone/vae/vae.safetensors"
    content = {"main": {"vae.safetensors": tiny_autoencoder.read_bytes()}}
    hub.repositories["someone/vae"] = hub_server.Repository(content)
    run = tmp_path / "run"
    autoencoder_weights.keep(run, weights, network)
    with caplog.at_level("INFO"):
        _assert_equal(autoencoder_weights.of_run(run, address, "", network), weights)
    assert (
        f"weights={address} is not here; {run / 'autoencoder.safetensors'} is used." in caplog.text
    )
    assert hub.requests == []
    _assert_equal(autoencoder_weights.of_run(tmp_path / "new", address, "", network), weights)
    autoencoder_weights.write(run / "autoencoder.safetensors", _shifted(weights), network)
    with pytest.raises(ValueError, match=f"autoencoder.weights={address} holds other weights"):
        autoencoder_weights.of_run(run, address, "", network)
