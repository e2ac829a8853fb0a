"""From configs to parts: what the parts promise."""

import functools
import importlib
import pathlib

import jax
import pytest

from symmflow_jax.codecs.latents import LatentCodec
from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.source import DataError, numbered_classes
from symmflow_jax.performance import workloads
from symmflow_jax.training.optimizers import adamw, one_cycle
from symmflow_jax.training.state import create_train_state

pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")


def test_the_train_step_overwrites_its_state(tiny_experiment):
    experiment = tiny_experiment()
    subject = workloads.subject(experiment, experiment.train.batch_size)
    optimizer = adamw(one_cycle(10, 1, 1e-3, 1e-6), 0.0, None)
    create = functools.partial(create_train_state, subject.method, optimizer)
    parallelism = experiment.parallelism()
    shapes = jax.eval_shape(create, jax.random.key(0))
    step = experiment.train_step(optimizer, parallelism)
    arguments = parallelism.arguments(shapes, None, subject.batch)
    memory = step.lower(*arguments).compile().memory_analysis()
    state = parallelism.place(
        jax.tree.map(lambda leaf: jax.numpy.zeros(leaf.shape, leaf.dtype), shapes)
    )
    batch = parallelism.place_batch(subject.batch)
    assert memory.alias_size_in_bytes == sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    step(state, None, batch, jax.random.key(1))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state))


@pytest.mark.parametrize(
    ("source", "encoding", "num_classes"),
    [
        ("idx", "plane", 10),
        ("tfds", "plane", 10),
        ("cifar10", "colour", 10),
        ("coco_stuff", "palette", 172),
        ("celebamask_hq", "palette", 19),
        ("cityscapes", "palette", 20),
        ("ade20k", "palette", 151),
    ],
)
def test_classes_are_known_without_the_data(tiny_experiment, source, encoding, num_classes):
    values = {"data.source": source, "data.dir": "nowhere", "semantics.encoding": encoding}
    values["data.name"] = "mnist" if source == "tfds" else ""
    assert tiny_experiment(**values).without_files().schema.num_classes == num_classes


def test_classes_that_are_not_known_without_the_data_can_be_named(tiny_experiment):
    values = {"data.source": "npz", "data.dir": "nowhere", "semantics.encoding": "plane"}
    with pytest.raises(DataError, match=r"nowhere.* Without the data, .*data\.class_names"):
        tiny_experiment(**values).without_files().schema
    named = tiny_experiment(**values, **{"data.class_names": ("benign", "malignant")})
    assert named.without_files().schema.names == ("benign", "malignant")
    folder = tiny_experiment(
        **{
            "data.source": "paired_folder",
            "data.dir": "nowhere",
            "data.class_names": ("sky", "road"),
            "data.class_ids": (7, 11),
            "data.ignored_id": 255,
        }
    )
    assert folder.without_files().schema.raw_ids == (7, 11, 255)


def test_data_with_labels_of_another_kind_is_no_reason_to_guess(tiny_experiment):
    values = {"data.source": "idx", "data.dir": "nowhere", "semantics.encoding": "palette"}
    with pytest.raises(ValueError, match="'palette' learns a mask, but 'idx' has only label"):
        tiny_experiment(**values)


_CONFIGS = sorted(
    path.stem for path in (pathlib.Path(__file__).parents[3] / "configs").glob("*.py")
)


@pytest.mark.parametrize("name", _CONFIGS)
def test_every_config_describes_a_method(name):
    values = importlib.import_module(f"configs.{name}").get_config()
    experiment = Experiment(conversion.from_config_dict(values))
    method = experiment.with_schema(numbered_classes(10)).method
    state = jax.eval_shape(method.init, jax.random.key(0))
    assert jax.tree.leaves(state)
    is_latent = name in ("celebamask_hq", "coco", "coco_small")
    assert isinstance(method.codec, LatentCodec) == is_latent


def test_the_small_config_of_coco_differs_in_sizes_alone():
    large, small = (
        conversion.to_json(
            conversion.from_config_dict(importlib.import_module(f"configs.{name}").get_config())
        )
        for name in ("coco", "coco_small")
    )
    assert small["network"]["name"] == large["network"]["name"]
    assert small["semantics"] == large["semantics"]
    data = {key for key, value in large["data"].items() if small["data"][key] != value}
    assert data == {"image_size"}
