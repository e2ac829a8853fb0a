"""Whole trainings on data with unknown pixels, without masks, and with extra pairs."""

import json
import signal

import jax
import numpy as np
import pytest
from PIL import Image

import symmflow_jax
from symmflow_jax.data.source import DataError
from symmflow_jax.evaluation.evaluator import evaluator_of
from symmflow_jax.inference.files.generation import generate_files
from symmflow_jax.loop.start import Start
from symmflow_jax.runs.checkpointing import opening, restoring
from symmflow_jax.runs.identity import with_ignored_as_saved
from symmflow_jax.runtime.signals import Interrupted, InterruptionRequest
from tests.loop.training import train_only

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_OWN = {
    "data.source": "paired_folder",
    "data.class_names": ("sky", "road"),
    "semantics.encoding": "onehot",
    "train.num_epochs": 3.0,
    "train.batch_size": 4,
    "train.clock": "mixed",
    "eval.metrics": ("objective",),
}


def _history(workdir) -> list[dict]:
    return [json.loads(line) for line in (workdir / "history.jsonl").read_text().splitlines()]


def _write(root, ignored_id: int) -> None:
    """Four pairs for training and one for evaluation, with holes of an id."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 1)):
        for kind in ("images", "masks"):
            (root / split / kind).mkdir(parents=True)
        for number in range(count):
            image = rng.integers(256, size=(8, 8, 3), dtype=np.uint8)
            mask = rng.integers(2, size=(8, 8), dtype=np.uint8)
            mask[rng.random((8, 8)) < 0.3] = ignored_id
            Image.fromarray(image).save(root / f"{split}/images/{number}.png")
            Image.fromarray(mask).save(root / f"{split}/masks/{number}.png")


@pytest.fixture(scope="module")
def with_holes(tiny_experiment, tmp_path_factory):
    """A trained run on masks with holes, and its experiment."""
    root = tmp_path_factory.mktemp("holes")
    _write(root / "data", 255)
    experiment = tiny_experiment(**_OWN, **{"data.dir": str(root / "data"), "data.ignored_id": 255})
    with jax.numpy_dtype_promotion("standard"):
        train_only(experiment, root / "run")
    return experiment, root / "run"


def test_the_ids_of_ignored_pixels_change_no_bit(with_holes, tiny_experiment, tmp_path):
    _, workdir = with_holes
    _write(tmp_path / "data", 77)
    other = tiny_experiment(**_OWN, **{"data.dir": str(tmp_path / "data"), "data.ignored_id": 77})
    train_only(other, tmp_path / "run")
    assert _history(tmp_path / "run") == _history(workdir)
    assert len(_history(workdir)) == 3


def test_an_ignored_class_is_never_an_answer(with_holes):
    experiment, workdir = with_holes
    model = symmflow_jax.load(workdir)
    assert model.schema.names == ("sky", "road") and model.schema.unknown_ids == (255,)
    assert model.method.codec.shapes.semantics == (8, 8, 2)
    images = np.random.default_rng(1).integers(256, size=(4, 8, 8, 3), dtype=np.uint8)
    assert set(np.unique(model.segment(images, jax.random.key(0)))) <= {0, 1}
    # Scores leave ignored pixels out.
    evaluator = evaluator_of(experiment)
    batch = next(evaluator.batches(0))
    assert (np.asarray(batch.labels)[0] == -1).any() and np.asarray(batch.valid)[0]


def test_masks_with_unknown_pixels_are_conditions(with_holes, random_model_of, tmp_path):
    _, workdir = with_holes
    model = symmflow_jax.load(workdir)
    mask = np.zeros((8, 8), np.int32)
    mask[:3], mask[3:5] = -1, 1
    made = model.generate_arrays(mask[None], jax.random.key(0), num_steps=2)
    assert made.shape == (1, 8, 8, 3)
    for number in (255, 99):  # The ignored id of the data, and that of unsure pixels.
        path = tmp_path / f"mask_{number}.png"
        Image.fromarray(np.where(mask < 0, number, mask).astype(np.uint8)).save(path)
    options = {"seed": 0, "num_steps": 2, "num_samples": 1, "unsure_id": 99}
    paths = [
        generate_files(model, str(tmp_path / f"mask_{number}.png"), tmp_path / "out", **options)[0]
        for number in (255, 99)
    ]
    first, second = (np.asarray(Image.open(path)) for path in paths)
    np.testing.assert_array_equal(first, second)
    whole = random_model_of({"semantics.encoding": "onehot"})
    with pytest.raises(ValueError, match=r"trained with whole masks .*config\.data\.hidden_share"):
        whole.generate(mask[None], jax.random.key(0))
    with pytest.raises(DataError, match="unsure pixels .id 99., but this model was trained with"):
        generate_files(whole, str(tmp_path / "mask_99.png"), tmp_path / "other", **options)


@pytest.fixture
def random_model_of(tiny_experiment):
    from symmflow_jax.inference.model import Model
    from symmflow_jax.methods.weights import Weights
    from tests.campaigns.experiments import random_params

    def make(values):
        experiment = tiny_experiment(**values)
        return Model(experiment, Weights(random_params(experiment.method)), step=0)

    return make


def test_the_papers_way_keeps_a_class_of_ignored_pixels(with_holes, tmp_path):
    experiment, workdir = with_holes
    paper = experiment.changed({"data.ignored": "class"})
    assert paper.schema.names == ("sky", "road", "void") and paper.schema.ignored == (2,)
    with pytest.raises(ValueError, match="config.data.ignored is 'class', was 'unknown'"):
        Start.check(paper, workdir)
    # A run of an earlier version goes on as it began, whatever the default is now.
    saved = tmp_path / "run"
    train_only(paper.changed({"train.num_epochs": 1.0}), saved)
    with opening.open_to_read(saved) as manager:
        description = restoring.restore_description(manager, 1)
    del description["config"]["data"]["ignored"]
    assert with_ignored_as_saved(experiment, description).schema == paper.schema


_POINTS = {
    "data.source": "npz",
    "data.image_size": (),
    "semantics.encoding": "plane",
    "network.name": "mlp",
    "train.clock": "independent",
    "eval.metrics": ("objective",),
    "train.batch_size": 8,
    "train.num_epochs": 1.0,
    "data.unlabelled": "learn",
    "data.extra_share": 0.25,
}


@pytest.fixture
def points(tiny_experiment, tmp_path):
    """Points, two thirds of them without a label, and extra points."""
    rng = np.random.default_rng(0)
    for name, labels in (
        ("data", np.where(np.arange(24) % 3, -1, np.arange(24) % 2)),
        ("extra", np.arange(6) % 2),
    ):
        array = rng.standard_normal((len(labels), 2)).astype(np.float32)
        np.savez(
            tmp_path / f"{name}.npz",
            **{"train_images": array, "train_labels": labels},
            **{"test_images": array, "test_labels": np.arange(len(labels)) % 2},
        )
    paths = {
        "data.dir": str(tmp_path / "data.npz"),
        "data.extra_dir": str(tmp_path / "extra.npz"),
    }
    return tiny_experiment(**_POINTS, **paths)


def test_a_mixture_goes_on_where_it_was_stopped(points, tmp_path):
    assert points.num_steps == 4  # A pass over 8 points with labels, a quarter of the examples.
    train_only(points, tmp_path / "undisturbed")
    stop = InterruptionRequest()
    stop.signal_number = signal.SIGTERM  # Stops after each step.
    for _ in range(3):
        with pytest.raises(Interrupted):
            train_only(points, tmp_path / "disturbed", stop)
    train_only(points, tmp_path / "disturbed")
    assert _history(tmp_path / "disturbed") == _history(tmp_path / "undisturbed")


def test_other_extra_pairs_are_told(points, tmp_path):
    train_only(points, tmp_path / "run")
    more = np.zeros((9, 2), np.float32)
    np.savez(tmp_path / "extra.npz", train_images=more, train_labels=np.arange(9) % 2)
    with pytest.raises(ValueError, match="was trained on other data"):
        Start.check(points.changed({"train.num_epochs": 2.0}), tmp_path / "run")
