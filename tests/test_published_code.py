"""The settings of the paper's published code, and the page that compares it with this project."""

import ast
import operator
import pathlib
import re

import pytest

from symmflow_jax.config import conversion
from symmflow_jax.config.reading import config_file
from symmflow_jax.config.values import Config
from symmflow_jax.data.sources.segmentation import celebamask_hq, coco_stuff
from symmflow_jax.semantics import palettes

ROOT = pathlib.Path(__file__).parents[1]
PAGE = ROOT / "docs" / "published_code.md"

# The commands of its docs/TRAINING.md, and what its code fixes or has by default.
_ALL = {
    "semantics.label_scale": 1.0,
    "network.num_groups": 32,
    "network.head_channels": 64,
    "network.num_res_blocks": 2,
    "network.dropout_rate": 0.0,
    "train.epoch_steps": "whole",
    "train.num_microbatches": 1,
    "train.end_learning_rate": 1e-6,
    "train.weight_decay": 0.0,
    "train.clip_norm": None,
    "train.clock": "tied",
    "train.prob_at_one": 0.0,
    "train.path": "linear",
    "train.sigma_min": 1e-4,
    "train.coupling": "independent",
    "train.image_parameterization": "velocity",
    "train.semantics_parameterization": "",
    "data.random_flip": False,
    "data.latents": "",
    "eval.protocol": "published",
    "eval.num_examples": 0,
    "eval.solvers": ("euler",),
    "eval.ensemble_size": 1,
    "eval.num_seeds": 1,
    "eval.clock": "",
    "eval.checkpoint": "latest",
    "eval.generation_steps": 25,
    "guidance.weight": 1.0,
}
_SMALL = {
    "data.image_size": (32, 32),
    "data.eval_split": "test",
    "data.resampling": "bilinear",
    "data.random_crop": False,
    "data.dequantize_images": False,
    "semantics.encoding": "plane",
    "semantics.dequantization_beta": 4.0,
    "network.name": "unet",
    "network.channel_multipliers": (1, 2, 2, 2),
    "network.attention_rates": (),  # The published 16 is no rate of four levels.
    "network.dtype": "float32",
    "autoencoder.weights": "",
    "train.num_epochs": 1000.0,
    "train.warmup_epochs": 100.0,
    "train.ema_decay": 0.999,
    "train.image_weight": 0.9,
}
_LATENT = {
    "data.image_size": (512, 512),
    "data.image_channels": 3,
    "data.eval_split": "val",
    "semantics.encoding": "palette",
    "network.name": "latent_unet",
    "network.channels": 320,
    "network.channel_multipliers": (1, 2, 4, 4),
    "network.attention_rates": (1, 2, 4),
    "network.cross_attention_width": 1024,
    "network.dtype": "bfloat16",
    "autoencoder.weights": "sd-vae-ft-mse",
    "autoencoder.mask_decoder": "",
    "autoencoder.latent_scale": 0.18215,
    "autoencoder.dtype": "bfloat16",
    "train.num_epochs": 200.0,
    "train.warmup_epochs": 10.0,
    "train.peak_learning_rate": 8e-5,
    "train.ema_decay": 0.9,
    "train.image_weight": 0.7,
}
_PUBLISHED = {
    "mnist": _SMALL
    | {
        "data.image_channels": 1,
        "network.channels": 32,
        "train.batch_size": 512,
        "train.peak_learning_rate": 5e-4,
    },
    "cifar10": _SMALL
    | {
        "data.image_channels": 3,
        "network.channels": 256,
        "train.batch_size": 180,
        "train.peak_learning_rate": 3e-4,
    },
    "celebamask_hq": _LATENT
    | {
        "data.resampling": "bilinear",
        "data.random_crop": False,  # Its photographs are square.
        "data.dequantize_images": True,
        "semantics.dequantization_beta": 10.0,
        "train.batch_size": 2 * 32,
    },
    "coco": _LATENT
    | {
        "data.resampling": "bicubic",
        "data.random_crop": True,
        "data.dequantize_images": False,
        "semantics.dequantization_beta": 6.0,
        "train.batch_size": 4 * 32,
    },
}


@pytest.mark.parametrize("name", _PUBLISHED)
def test_the_papers_configs_have_the_published_settings(name):
    config = conversion.from_config_dict(config_file.load(str(ROOT / "configs" / f"{name}.py")))
    expected = _ALL | _PUBLISHED[name]
    assert {key: operator.attrgetter(key)(config) for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("mnist", {1, 25}),
        ("cifar10", {1, 25}),
        ("celebamask_hq", {1, 2, 5, 10, 20, 25}),
        ("coco", {1, 2, 5, 10, 20, 25}),
        ("spirals", {1, 2, 5, 10, 20, 50}),
    ],
)
def test_the_papers_configs_measure_all_steps_of_its_tables(name, steps):
    config = conversion.from_config_dict(config_file.load(str(ROOT / "configs" / f"{name}.py")))
    assert steps <= set(config.eval.num_steps)


def test_colours_of_faces_are_those_of_the_published_scorer():
    # Its utils/masks.py, in the order of the classes.
    assert palettes.CELEBAMASK_HQ == (
        (0, 0, 0), (204, 0, 0), (76, 153, 0), (204, 204, 0), (51, 51, 255),
        (204, 0, 204), (0, 255, 255), (255, 204, 204), (102, 51, 0), (255, 0, 0),
        (102, 204, 0), (255, 255, 0), (0, 0, 153), (0, 0, 204), (255, 51, 153),
        (0, 204, 204), (0, 51, 0), (255, 153, 51), (0, 204, 0),
    )  # fmt: skip


def test_what_the_published_scores_leave_out():
    assert celebamask_hq.SCHEMA.ignored == (0,)
    assert coco_stuff.SCHEMA.ignored == (171,)
    assert coco_stuff.SCHEMA.raw_ids[171] == 255


def _rows() -> list[list[str]]:
    """The cells of all rows of the page, without heads."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    heads = {i + j for i, row in enumerate(rows) for j in (-1, 0) if row[0].startswith("---")}
    return [row for i, row in enumerate(rows) if i not in heads]


def _tests_in(path: pathlib.Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_of_the_page_names_its_tests():
    rows = _rows()
    assert len(rows) > 40
    for row in rows:
        assert len(row) == 4 and all(row), row
        names = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row[3])
        rest = re.sub(r"`tests/[\w/]+\.py::test_\w+`", "", row[3])
        assert names and not rest.strip(" ,"), row
        for file, name in names:
            assert name in _tests_in(ROOT / file), f"{file}::{name}, of {row[0]!r}"


def test_keys_on_the_page_are_keys_of_the_config():
    named = re.findall(r"`([a-z]+\.[a-z_]+)`", PAGE.read_text(encoding="utf-8"))
    keys = [key for key in named if not key.endswith(".py")]
    assert len(keys) > 15
    for key in keys:
        operator.attrgetter(key)(Config())  # Raises for an unknown key.
