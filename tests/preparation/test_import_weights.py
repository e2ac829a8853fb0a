import dataclasses
import hashlib
import json
import pathlib

import jax
import numpy as np
import pytest
import safetensors.numpy

import symmflow_jax
from symmflow_jax.config.build.method.networks import make_network
from symmflow_jax.inference.export.state_dict import export_weights
from symmflow_jax.interop.names import latent_unet
from symmflow_jax.interop.names.unet_shapes import param_shapes
from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.preparation.import_weights import import_weights
from symmflow_jax.runs.checkpointing import opening, restoring, saving
from symmflow_jax.runs.identity import describe
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.training.optimizers import adamw
from symmflow_jax.training.state import create_train_state

pytestmark = pytest.mark.slow

FILES = pathlib.Path(__file__).parents[1] / "fixtures" / "weight_files"

DIGITS = {
    "data.source": "idx",
    "data.dir": "nowhere",
    "data.image_size": (8, 8),
    "data.image_channels": 1,
    "semantics.encoding": "plane",
    "semantics.dequantization_beta": 4.0,
}

LATENT = {
    "data.image_size": (4, 4),
    "network.name": "latent_unet",
    "network.attention_rates": (1,),
    "network.head_channels": 4,
    "network.cross_attention_width": 4,
}


@pytest.fixture
def digits(tiny_experiment, reference_unet):
    """A reference U-Net, and the config of a run of digits that has its network."""
    case = reference_unet("two_blocks")
    values = dataclasses.asdict(case.network)
    keys = ("channels", "channel_multipliers", "num_res_blocks", "attention_rates")
    network = {f"network.{key}": values[key] for key in (*keys, "head_channels", "num_groups")}
    return case, tiny_experiment(**DIGITS, **network)


@pytest.fixture
def latent(tiny_experiment):
    """A config with a latent U-Net, and a state dict of it for three channels without prompt."""
    experiment = tiny_experiment(**LATENT)
    network = make_network(experiment.network)
    generator = np.random.default_rng(0)
    params: dict = {}
    for path, shape in param_shapes(network, 3).items():
        inner = params
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
        inner[path[-1]] = generator.standard_normal(shape).astype(np.float32)
    state_dict = latent_unet.state_dict_from_params(params, network)
    del state_dict["prompt_embedding"]
    return experiment, state_dict


def _save(path: pathlib.Path, state_dict, prefix: str = "") -> pathlib.Path:
    safetensors.numpy.save_file({f"{prefix}{k}": v for k, v in state_dict.items()}, path)
    return path


def test_imported_model_is_the_pytorch_network_without_any_data(digits, tmp_path):
    case, experiment = digits
    path = _save(tmp_path / "ema.safetensors", case.state_dict, "module.")
    import_weights(experiment, path, tmp_path / "run")
    model = symmflow_jax.load(tmp_path / "run")
    assert model.step == 0
    assert model.schema.names == tuple("0123456789")
    v_x, v_y = model.method.network.apply(
        {"params": model.weights.network}, case.x_t, case.y_t, case.t
    )
    np.testing.assert_allclose(v_x, case.v_x, rtol=0, atol=1e-4)
    np.testing.assert_allclose(v_y, case.v_y, rtol=0, atol=1e-4)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["network"]["channels"] == 32


def test_an_address_is_imported_and_recorded(digits, hub, hub_server, tmp_path, run_main):
    case, _ = digits
    content = _save(tmp_path / "a.safetensors", case.state_dict).read_bytes()
    repository = hub_server.Repository({"main": {"digits/ema.safetensors": content}})
    hub.repositories["someone/models"] = repository
    values = dataclasses.asdict(case.network)
    keys = ("channels", "channel_multipliers", "num_res_blocks", "attention_rates")
    network = {f"network.{key}": values[key] for key in (*keys, "head_channels", "num_groups")}
    config = [f"--config.{key}={value}" for key, value in (DIGITS | network).items()]
    address = "hf:someone/models/digits/ema.safetensors"
    arguments = ["--mode=import", f"--workdir={tmp_path / 'run'}", *config]
    code, lines = _end(run_main(f"--input={address}", *arguments))
    sha256, commit = hashlib.sha256(content).hexdigest(), repository.commit("main")
    assert code == 0
    shown = f"Imported from {address} (commit {commit}, SHA-256 {sha256}) into "
    assert any(shown in line for line in lines)
    assert json.loads((tmp_path / "run" / "import.json").read_text()) == {
        "weights": {
            "given": address,
            "commit": commit,
            "sha256": {"digits/ema.safetensors": sha256},
        }
    }
    kernel = symmflow_jax.load(tmp_path / "run").weights.network["stem"]["kernel"]
    expected = case.state_dict["input_blocks.0.0.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(kernel, expected)


def test_training_begins_with_imported_weights(digits, tmp_path):
    case, experiment = digits
    import_weights(experiment, _save(tmp_path / "a.safetensors", case.state_dict), tmp_path / "run")
    method = experiment.without_files().method
    # Whatever the training's settings are: the optimizer has no state yet.
    shapes = jax.eval_shape(
        lambda key: create_train_state(method, adamw(lambda step: 1e-3, 0.1, 1.0), key),
        jax.random.key(0),
    )
    with opening.open_manager(tmp_path / "run", 2) as manager:
        state = restoring.restore_training(manager, shapes)
    assert jax.tree.structure(state) == jax.tree.structure(shapes)
    assert state.step == 0
    params = symmflow_jax.load(tmp_path / "run").weights.network
    for tree in (state.params, state.ema_params):
        jax.tree.map(np.testing.assert_array_equal, tree, params)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(state.opt_state))


def test_a_network_of_one_clock_goes_on_with_two(digits, tmp_path):
    case, experiment = digits
    path = _save(tmp_path / "a.safetensors", case.state_dict)
    import_weights(experiment, path, tmp_path / "one")
    two_clocks = experiment.changed({"train.clock": "mixed"})
    import_weights(two_clocks, path, tmp_path / "two")
    one, two = (symmflow_jax.load(tmp_path / name) for name in ("one", "two"))
    x = np.random.default_rng(0).standard_normal((2, 8, 8, 1)).astype(np.float32)
    for found, expected in zip(two.velocity(x, x, 0.3, 0.8), one.velocity(x, x, 0.3), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_workdir_with_checkpoints_is_left_alone(digits, tmp_path):
    case, experiment = digits
    path = _save(tmp_path / "a.safetensors", case.state_dict)
    import_weights(experiment, path, tmp_path / "run")
    with pytest.raises(CheckpointError, match="already has a checkpoint of step 0; .* --workdir"):
        import_weights(experiment, path, tmp_path / "run")


def test_pretrained_latent_unet_is_widened_and_comes_back(latent, tmp_path):
    experiment, state_dict = latent
    path = _save(tmp_path / "sd.safetensors", state_dict, "unet.")
    import_weights(experiment, path, tmp_path / "wide", FILES / "prompt.pt")
    record = json.loads((tmp_path / "wide" / "import.json").read_text())
    assert list(record) == ["weights", "prompt_embedding"]
    prompt = hashlib.sha256((FILES / "prompt.pt").read_bytes()).hexdigest()
    assert record["prompt_embedding"]["sha256"] == {"prompt.pt": prompt}
    export_weights(tmp_path / "wide", tmp_path / "wide.safetensors")
    wide = safetensors.numpy.load_file(tmp_path / "wide.safetensors")
    assert "prompt_embedding" not in wide
    prompt = tmp_path / "wide_prompt.safetensors"
    expected = np.arange(77 * 4.0).reshape(77, 4)
    np.testing.assert_array_equal(safetensors.numpy.load_file(prompt)["prompt_embedding"], expected)
    for key, array in state_dict.items():
        axis = {"conv_in.weight": 1, "conv_out.weight": 0, "conv_out.bias": 0}.get(key)
        halves = [wide[key]] if axis is None else np.split(wide[key], 2, axis)
        for half in halves:
            np.testing.assert_array_equal(half, array, err_msg=key)
    # Both files that were exported make the run again.
    import_weights(
        experiment, tmp_path / "wide.safetensors", tmp_path / "again", prompt, num_checked=0
    )
    export_weights(tmp_path / "again", tmp_path / "again.safetensors")
    again = safetensors.numpy.load_file(tmp_path / "again.safetensors")
    for key, array in wide.items():
        np.testing.assert_array_equal(again[key], array, err_msg=key)


def test_what_the_file_cannot_tell_is_told(digits, latent, tmp_path, caplog):
    case, experiment = digits
    path = _save(tmp_path / "a.safetensors", case.state_dict)
    with caplog.at_level("INFO", "symmflow_jax"):
        import_weights(experiment, path, tmp_path / "run")
    text = "heads of 32 channels, 32 groups, order of attention heads first: not in the file, taken"
    assert f"{path}: {text} from config.network.head_channels" in caplog.text
    assert "always has" not in caplog.text
    experiment, state_dict = latent
    caplog.clear()
    path = _save(tmp_path / "sd.safetensors", state_dict)
    with caplog.at_level("INFO", "symmflow_jax"):
        import_weights(experiment, path, tmp_path / "latent", "zeros")
    text = (
        "heads of 4 channels, 4 groups: not in the file or in a config.json beside it, taken from"
    )
    assert f"{path}: {text}" in caplog.text
    assert "repeated weights have not learned this flow yet" in caplog.text
    with pytest.raises(ValueError, match="--use_new_attention_order is a setting of pixel U-Nets"):
        import_weights(experiment, path, tmp_path / "new", "zeros", new_attention_order=True)


def test_groups_that_no_published_network_has_are_told(digits, tmp_path, caplog):
    case, experiment = digits
    path = _save(tmp_path / "a.safetensors", case.state_dict)
    with caplog.at_level("INFO", "symmflow_jax"):
        import_weights(
            experiment.changed({"network.num_groups": 16}), path, tmp_path / "run", num_checked=0
        )
    assert "num_groups is 16, but the published UNetModel always has 32" in caplog.text


def test_latent_unet_without_a_prompt_is_refused(latent, tmp_path):
    experiment, state_dict = latent
    path = _save(tmp_path / "sd.safetensors", state_dict)
    with pytest.raises(ValueError, match="no embedding of the empty prompt.*--prompt_embedding"):
        import_weights(experiment, path, tmp_path / "run")
    with pytest.raises(WeightsFileError, match="--prompt_embedding is a file of one"):
        import_weights(experiment, path, tmp_path / "run", path)


def test_zeros_are_a_prompt_on_request_alone(latent, tmp_path):
    experiment, state_dict = latent
    path = _save(tmp_path / "sd.safetensors", state_dict)
    import_weights(experiment, path, tmp_path / "run", "zeros")
    prompt = symmflow_jax.load(tmp_path / "run").weights.network["prompt_embedding"]
    np.testing.assert_array_equal(prompt, np.zeros((77, 4), np.float32))


def test_settings_that_no_shape_tells_are_compared(latent, tmp_path):
    experiment, state_dict = latent
    _save(tmp_path / "diffusion_pytorch_model.safetensors", state_dict)
    settings = {"attention_head_dim": 8, "norm_num_groups": 4, "freq_shift": 1}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError) as error:
        import_weights(experiment, tmp_path, tmp_path / "run", FILES / "prompt.pt")
    message = str(error.value)
    assert "attention_head_dim is [8], here [2]" in message
    assert "freq_shift is 1, here 0" in message
    assert "norm_num_groups" not in message


def test_weights_of_another_network_are_refused(digits, latent, tmp_path):
    case, experiment = digits
    path = _save(tmp_path / "a.safetensors", case.state_dict)
    with pytest.raises(ValueError, match="of a pixel U-Net; config.network describes a latent"):
        import_weights(latent[0], path, tmp_path / "run")
    mlp = experiment.changed({"network.name": "mlp", "data.image_size": ()})
    with pytest.raises(ValueError, match="name='mlp' has no form in PyTorch"):
        import_weights(mlp, path, tmp_path / "run")
    colours = experiment.changed({"semantics.encoding": "colour"})
    with pytest.raises(ValueError, match="for 2 channels .* make 4"):
        import_weights(colours, path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_truncated_file_is_refused(digits, tmp_path):
    case, experiment = digits
    path = _save(tmp_path / "a.safetensors", case.state_dict)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsFileError, match=r"a\.safetensors"):
        import_weights(experiment, path, tmp_path / "run")


def _end(process) -> tuple[int, list[str]]:
    output, _ = process.communicate(timeout=300)
    return process.returncode, output.splitlines()


def test_a_checkpoint_of_a_trainer_is_imported_by_its_key(
    digits, torch_pickles, tmp_path, run_main
):
    case, experiment = digits
    t = torch_pickles
    other = {key: value + 1 for key, value in case.state_dict.items()}
    content = {
        "model_state_dict": other,
        "ema_fast": other,
        "ema_slow": dict(case.state_dict),
        "args": t.instance(t.named("argparse", "Namespace"), {"lr": 0.1}),
        "best_loss": t.call(t.named("numpy.core.multiarray", "scalar"), b"12345678"),
        "scheduler": t.named("torch.optim.lr_scheduler", "LambdaLR"),
    }
    path = t.save(tmp_path / "run.pt", content)
    message = (
        f"{path} holds a pixel U-Net more than once: at ema_fast and at ema_slow. Choose one, for "
        "instance --weights_key=ema_slow."
    )
    with pytest.raises(WeightsFileError) as error:
        import_weights(experiment, path, tmp_path / "run")
    assert str(error.value) == message and not (tmp_path / "run").exists()
    import_weights(experiment, path, tmp_path / "run", weights_key="ema_slow")
    kernel = symmflow_jax.load(tmp_path / "run").weights.network["stem"]["kernel"]
    expected = case.state_dict["input_blocks.0.0.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(kernel, expected)
    values = [f"--config.{key}={value}" for key, value in DIGITS.items()]
    code, lines = _end(
        run_main(
            f"--workdir={tmp_path}/other",
            "--mode=import",
            f"--input={path}",
            "--weights_key=ema",
            *values,
        )
    )
    assert code == 1
    assert lines[-1].startswith(f"Error: {path} has no 'ema' at its top, but the keys 'model_state")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(digits, tmp_path, value):
    case, experiment = digits
    broken = case.state_dict["out.2.weight"].copy()
    broken[0, :2, 0, 0] = value
    path = _save(tmp_path / "a.safetensors", case.state_dict | {"out.2.weight": broken})
    with pytest.raises(WeightsFileError, match=r"a.safetensors: 1 of .* out.2.weight \(2 "):
        import_weights(experiment, path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_prompt_that_is_not_finite_is_refused(latent, tmp_path):
    experiment, state_dict = latent
    path = _save(tmp_path / "sd.safetensors", state_dict)
    prompt = _save(tmp_path / "prompt.safetensors", {"prompt": np.full((77, 4), np.nan)})
    with pytest.raises(ValueError, match="prompt_embedding .308 NaN of 308 values"):
        import_weights(experiment, path, tmp_path / "run", prompt)


def test_a_checkpoint_that_is_not_finite_is_not_loaded(digits, tmp_path):
    case, experiment = digits
    import_weights(experiment, _save(tmp_path / "a.safetensors", case.state_dict), tmp_path / "run")
    params = symmflow_jax.load(tmp_path / "run").weights.network
    broken = jax.tree.map(lambda leaf: np.asarray(leaf) * np.nan, params)
    description = describe(experiment.without_files())
    with opening.open_manager(tmp_path / "nan", 2) as manager:
        saving.save_weights(manager, broken, description)
    with pytest.raises(CheckpointError, match=r"step 0 in .*nan.*: .*NaN.*remove the folder 0"):
        symmflow_jax.load(tmp_path / "nan")
