"""From configs to parts: what the parts promise."""

import pathlib

import jax
import pytest

from symmflow_jax.codecs.latents import LatentCodec
from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.reading import config_file
from symmflow_jax.data.source import numbered_classes

_FOLDER = pathlib.Path(__file__).parents[3] / "configs"
_CONFIGS = sorted(path.stem for path in _FOLDER.glob("*.py"))


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
