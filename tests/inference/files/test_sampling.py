"""Samples from noise alone are a data set that the project reads again."""

import ast
import importlib
import logging
import pathlib

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.inference.compiled.predictions import Sample, SemanticsPrediction
from symmflow_jax.inference.files.sampling import sample_files, training_command
from symmflow_jax.inference.model import Model
from symmflow_jax.methods.symmflow import Sampled
from symmflow_jax.runtime.outputs import OutputError
from symmflow_jax.semantics.labels import filed_under

_OPTIONS = {"seed": 0, "num_steps": 1, "solver": "heun"}
_POINTS = {
    "data.source": "spirals",
    "data.image_size": (),
    "semantics.encoding": "plane",
    "network.name": "mlp",
}
_LABELS = {"semantics.encoding": "plane", "semantics.dequantization_beta": 4.0}


@pytest.fixture
def drawn(monkeypatch):
    """Makes models draw 16 known samples at a time; a list of all of them."""
    batches: list[Sample] = []

    def sample(self, num_samples, key, num_steps, solver, what):
        assert solver == "heun"
        rng = np.random.default_rng(len(batches))
        shape = (num_samples, *self.image_shape)
        images = rng.integers(256, size=shape, dtype=np.uint8)
        labels = rng.integers(
            self.schema.num_classes, size=shape[:-1] if self.reads_masks else num_samples
        )
        if len(shape) == 2:
            images = images.astype(np.float32) / 100
        batches.append(
            Sample(
                None if what is Sampled.SEMANTICS else jnp.asarray(images),
                None if what is Sampled.IMAGES else jnp.asarray(labels),
            )
        )
        return batches[-1]

    monkeypatch.setattr(Model, "sample", sample)
    return batches


def _experiment_of(command: list[str]) -> Experiment:
    """The experiment of a command line, as its flags would make it."""
    name = command[1].removeprefix("--config=configs/").removesuffix(".py")
    values = importlib.import_module(f"configs.{name}").get_config()
    for flag in command[2:]:
        key, value = flag.removeprefix("--config.").split("=", 1)
        value = value.strip('"')
        if not value.startswith("/"):
            values.update_from_flattened_dict({key: _literal(value)})
        else:
            values.update_from_flattened_dict({key: value})
    return Experiment(conversion.from_config_dict(values))


def _literal(text: str):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _joined(batches: list[Sample], name: str, count: int) -> np.ndarray:
    return np.concatenate([np.asarray(getattr(batch, name)) for batch in batches])[:count]


def test_pairs_with_masks_are_read_again(random_model, drawn, tmp_path, caplog, monkeypatch):
    model = random_model()
    # Ids that are not the numbers of their classes, one of them of no class.
    schema = filed_under((7, 1, 300, 4), ("sky", "road", "car's", "tree"), ignored_id=9)
    model = Model(model.experiment.with_schema(schema), model.weights, 0)
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    with caplog.at_level(logging.INFO):
        sample_files(model, Sampled.PAIRS, tmp_path / "out", **_OPTIONS, num_samples=20)
    assert len(drawn) == 2
    command = training_command(model, tmp_path / "out")
    assert all(part in caplog.text for part in command)
    experiment = _experiment_of(command)
    for source in (experiment.training_source, experiment.evaluation_source):
        assert source.schemas["mask"].names == schema.names
        assert source.schemas["mask"].ignored == schema.ignored
        assert len(source) == 20
        images, labels = (_joined(drawn, name, 20) for name in ("images", "labels"))
        for index in (0, 19):
            np.testing.assert_array_equal(source[index]["image"], images[index])
            np.testing.assert_array_equal(source[index]["mask"], labels[index])


@pytest.mark.parametrize("values", [_LABELS, _POINTS])
def test_pairs_with_labels_are_read_again(random_model, drawn, tmp_path, values):
    model = random_model(**values)
    sample_files(model, Sampled.PAIRS, tmp_path, **_OPTIONS, num_samples=18)
    experiment = _experiment_of(training_command(model, tmp_path))
    assert experiment.data.image_size == model.experiment.data.image_size
    for source in (experiment.training_source, experiment.evaluation_source):
        assert len(source) == 18
        images, labels = (_joined(drawn, name, 18) for name in ("images", "labels"))
        np.testing.assert_array_equal([source[i]["image"] for i in range(18)], images)
        np.testing.assert_array_equal([source[i]["label"] for i in range(18)], labels)


def test_one_of_the_two_alone(random_model, drawn, tmp_path):
    masks, labels, points = (random_model(**values) for values in ({}, _LABELS, _POINTS))
    for name, model, what in (
        ("masks", masks, Sampled.SEMANTICS),
        ("images", masks, Sampled.IMAGES),
        ("labels", labels, Sampled.SEMANTICS),
        ("pictures", labels, Sampled.IMAGES),
        ("points", points, Sampled.IMAGES),
    ):
        sample_files(model, what, tmp_path / name, **_OPTIONS, num_samples=2)
    found = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert found == [
        "images/000000.png",
        "images/000001.png",
        "labels/samples.npz",
        "masks/train/masks/000000.png",
        "masks/train/masks/000001.png",
        "pictures/000000.png",
        "pictures/000001.png",
        "points/samples.npz",
    ]
    assert Image.open(tmp_path / "masks/train/masks/000000.png").size == (8, 8)
    with np.load(tmp_path / "labels/samples.npz") as archive:
        assert archive.files == ["train_labels"] and len(archive["train_labels"]) == 2
    with np.load(tmp_path / "points/samples.npz") as archive:
        assert archive.files == ["train_images"] and archive["train_images"].dtype == np.float32


def test_a_data_set_is_neither_replaced_nor_mixed(random_model, drawn, tmp_path):
    masks, labels = random_model(), random_model(**_LABELS)
    for model, name in ((masks, "train/masks/000000.png"), (labels, "samples.npz")):
        sample_files(model, Sampled.PAIRS, tmp_path, **_OPTIONS, num_samples=2)
        with pytest.raises(OutputError, match=rf"{name} exists already"):
            sample_files(model, Sampled.PAIRS, tmp_path, **_OPTIONS, num_samples=2)
        before = (tmp_path / name).read_bytes()
        sample_files(model, Sampled.PAIRS, tmp_path, **_OPTIONS, num_samples=2, overwrite=True)
        assert (tmp_path / name).read_bytes() != before
    message = r"train/masks holds other files \(1\), such as 000001\.png, which would be examples"
    with pytest.raises(OutputError, match=message):
        sample_files(masks, Sampled.PAIRS, tmp_path, **_OPTIONS, num_samples=1, overwrite=True)


@pytest.mark.parametrize("values", [{}, _LABELS])
def test_where_nothing_can_be_written(random_model, drawn, tmp_path, full_disk, values):
    options = _OPTIONS | {"num_samples": 1}
    model = random_model(**values)
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", pathlib.Path("/proc/samples")):
        with pytest.raises(OutputError, match=r"cannot be .* Give another --output"):
            sample_files(model, Sampled.PAIRS, folder, **options)
    assert not drawn
    with full_disk(), pytest.raises(OutputError, match=r"could not be written: File too large"):
        sample_files(model, Sampled.PAIRS, tmp_path / "out", **options)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_a_seed_draws_the_same_again(random_model, tmp_path):
    model = random_model(**_POINTS, **{"train.clock": "independent"})
    arrays = {}
    for name, seed in (("first", 0), ("same", 0), ("other", 1)):
        options = {"seed": seed, "num_steps": 2, "num_samples": 20}
        sample_files(model, Sampled.PAIRS, tmp_path / name, **options)
        with np.load(tmp_path / name / "samples.npz") as archive:
            arrays[name] = archive["train_images"]
            assert archive["train_labels"].shape == (20,)
    np.testing.assert_array_equal(arrays["first"], arrays["same"])
    assert (arrays["first"] != arrays["other"]).all()
    # Each of them has noise of its own, in the second batch too.
    assert len(np.unique(arrays["first"], axis=0)) == 20


def test_one_clock_is_an_error(random_model, tmp_path):
    with pytest.raises(ValueError, match=r"Sampling from noise alone needs a network with a clock"):
        sample_files(random_model(), Sampled.PAIRS, tmp_path, **_OPTIONS, num_samples=1)


def test_no_sample_is_an_error(random_model, tmp_path):
    with pytest.raises(ValueError, match=r"--num_samples is 0; make at least one"):
        sample_files(random_model(), Sampled.PAIRS, tmp_path, **_OPTIONS, num_samples=0)


def test_the_best_pairs_are_kept_with_a_contact_sheet(
    random_model, drawn, tmp_path, monkeypatch, caplog
):
    model = random_model()

    def read(self, images, key, *arguments):
        """Reads the mask of every other image as it was made."""
        made = np.asarray(drawn[-1].labels)
        wrong = (made + 1) % self.schema.num_classes
        is_right = np.arange(len(made)) % 2 == 0
        return SemanticsPrediction(
            np.where(is_right[:, None, None], made, wrong), None, None, None, None, None
        )

    monkeypatch.setattr(Model, "predict_semantics", read)
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    with caplog.at_level(logging.INFO):
        sample_files(model, Sampled.PAIRS, tmp_path, num_samples=20, keep_best=0.5, **_OPTIONS)
    assert "Kept 10 of 20 pairs" in caplog.text and "1.000 at least" in caplog.text
    masks = sorted((tmp_path / "train/masks").iterdir())
    assert [path.name for path in masks] == [f"{number:06d}.png" for number in range(10)]
    expected = np.concatenate([np.asarray(batch.labels) for batch in drawn])[:20:2]
    for path, mask in zip(masks, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), mask)
    assert Image.open(tmp_path / "contact_sheet.png").size[0] > 500


@pytest.mark.parametrize(
    ("what", "share", "message"),
    [
        (Sampled.IMAGES, 0.5, "ranks pairs, but --what=images makes none"),
        (Sampled.PAIRS, 0.0, "must be above 0 and at most 1"),
    ],
)
def test_what_cannot_be_ranked_is_refused(random_model, tmp_path, what, share, message):
    model = random_model()
    with pytest.raises(ValueError, match=message):
        sample_files(model, what, tmp_path, num_samples=4, keep_best=share, **_OPTIONS)
