"""From configs to parts: what the parts promise."""

import pathlib

import jax
import optax
import pytest

from symmflow_jax.codecs.latents import LatentCodec
from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.reading import config_file
from symmflow_jax.data.source import DataError, numbered_classes
from symmflow_jax.evaluation.report.paper import figures
from symmflow_jax.semantics import palettes

_FOLDER = pathlib.Path(__file__).parents[3] / "configs"
_CONFIGS = sorted(path.stem for path in _FOLDER.glob("*.py"))
_ARCHIVES = ("pneumoniamnist", "bloodmnist", "dermamnist", "retinamnist")


@pytest.mark.usefixtures("standard_dtype_promotion")
@pytest.mark.parametrize("name", _CONFIGS)
def test_every_config_describes_a_method(name):
    values = config_file.load(str(_FOLDER / f"{name}.py"))
    experiment = Experiment(conversion.from_config_dict(values))
    method = experiment.with_schema(numbered_classes(10)).method
    state = jax.eval_shape(method.init, jax.random.key(0))
    assert jax.tree.leaves(state)
    is_latent = name in ("celebamask_hq", "coco", "coco_small")
    assert isinstance(method.codec, LatentCodec) == is_latent


def _medmnist(archive):
    values = config_file.load(str(_FOLDER / f"medmnist.py:{archive}"))
    return Experiment(conversion.from_config_dict(values)).without_files()


@pytest.mark.parametrize("name", _ARCHIVES)
def test_each_set_of_medmnist_has_a_config_in_pixels_and_in_latents(name):
    grey = name == "pneumoniamnist"
    for archive in (name, f"{name}_224"):
        experiment = _medmnist(archive)
        codec, is_latent = experiment.method.codec, archive != name
        assert isinstance(codec, LatentCodec) == is_latent
        assert codec.image_shape == ((256, 256, 3) if is_latent else (32, 32, 1 if grey else 3))
        assert codec.shapes.semantics == ((32, 32, 4) if is_latent else (32, 32, 3))
        assert codec.encoding.palette == palettes.label_colours(experiment.schema.num_classes)
        assert experiment.loss_weights.image == 0.7 and experiment.train.ema_decay == 0.7
        flips = experiment.data.random_flip, experiment.data.random_vertical_flip
        assert flips == (not grey, not grey)
        assert experiment.dataset == f"npz/{archive}"
        assert [p.metric for p in figures.of(experiment.dataset)] == [
            "auc_of_distances",
            "accuracy",
        ]


@pytest.mark.usefixtures("standard_dtype_promotion")
def test_networks_of_medmnist_have_the_widths_of_published_weights():
    for archive, channels, width in (("pneumoniamnist", 4, 64), ("dermamnist_224", 8, 128)):
        method = _medmnist(archive).method
        params = jax.eval_shape(method.init, jax.random.key(0))
        assert params["stem"]["kernel"].shape == (3, 3, channels, width)
        attending = [key for key in params if "attention" in key and key.startswith("down")]
        assert attending == ["down_1_attention_0", "down_1_attention_1"]
        assert method.network.head_channels == 64


def test_a_set_that_medsymmflow_does_not_have_is_refused():
    with pytest.raises(ValueError, match="no archive 'pathmnist'; give one of pneumoniamnist, "):
        config_file.load(str(_FOLDER / "medmnist.py:pathmnist"))


def test_the_small_config_of_coco_differs_in_sizes_alone():
    large, small = (
        conversion.to_json(
            conversion.from_config_dict(config_file.load(str(_FOLDER / f"{name}.py")))
        )
        for name in ("coco", "coco_small")
    )
    assert small["network"]["name"] == large["network"]["name"]
    assert small["semantics"] == large["semantics"]
    data = {key for key, value in large["data"].items() if small["data"][key] != value}
    assert data == {"image_size"}


@pytest.mark.parametrize("name", ["coco", "celebamask_hq", "mnist", "camvid_small"])
def test_a_train_step_is_made_without_data(name, tmp_path):
    """A plan and a benchmark take it, on machines that have no data."""
    values = config_file.load(str(_FOLDER / f"{name}.py"))
    values.data.dir = str(tmp_path / "missing")
    experiment = Experiment(conversion.from_config_dict(values)).without_files()
    parallelism = experiment.parallelism(jax.devices()[:1])
    assert experiment.train_step(optax.sgd(1e-3), parallelism)
    with pytest.raises(DataError, match="missing"):
        experiment.training_source


def test_what_a_model_cannot_be_measured_by_is_told():
    own = {"data.source": "paired_folder", "data.class_names": ("wall", "floor")}
    command = Experiment.from_json({}).changed(own)
    deep = command.changed({"data.image_channels": 4, "data.image_depth": 16})
    run = deep.with_schema(numbered_classes(2))
    assert run.measured_as(command).data.image_channels == 4
    asks = {"eval.likelihood_examples": 5, "eval.metrics": ("likelihood",)}
    with pytest.raises(ValueError, match="the likelihood .* is of images of 8 bits .* set it to 0"):
        run.measured_as(command.changed(asks))
