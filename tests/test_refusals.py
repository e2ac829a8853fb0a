"""What a refused command leaves behind: nothing. Not a byte of a run's folder differs."""

import dataclasses
import hashlib
import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from PIL import Image

import symmflow_jax
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.evaluation.evaluator import evaluator_of
from symmflow_jax.evaluation.report.place import check_place
from symmflow_jax.inference.export.exporters import export
from symmflow_jax.inference.files.segmentation import segment_files
from symmflow_jax.loop.run import Run
from symmflow_jax.loop.start import Start
from symmflow_jax.preparation.encode_latents import encode
from symmflow_jax.preparation.finetune_decoder import finetune_vae
from symmflow_jax.preparation.import_weights import import_weights
from symmflow_jax.runs.checkpointing import saving
from symmflow_jax.runs.folder import Claim
from symmflow_jax.runs.resumption import Resume
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.runtime.signals import InterruptionRequest
from symmflow_jax.train import train_and_evaluate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

REFUSALS = (ValueError, ArithmeticError, CheckpointError)
"""The errors that the command line prints as one line."""


def _draw_pairs(folder: pathlib.Path, number: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for part, shape in (("images", (8, 8, 3)), ("masks", (8, 8))):
        for split in ("train", "val"):
            (folder / split / part).mkdir(parents=True, exist_ok=True)
            for index in range(number):
                values = rng.integers(0, 256 if part == "images" else 2, shape, np.uint8)
                Image.fromarray(values).save(folder / split / part / f"{index}.png")


@dataclasses.dataclass(frozen=True)
class Place:
    """A trained run, and what commands are given.

    Attributes:
        make: a function from overrides to the experiment of the run.
        root: a folder with the data sets "data", "other" and "fewer".
        workdir: the folder of the run.
        before: what is in it before a command.
    """

    make: Callable[..., Experiment]
    root: pathlib.Path
    workdir: pathlib.Path
    before: dict[str, Any] = dataclasses.field(default_factory=dict)


@pytest.fixture(scope="module")
def trained(tiny_experiment, tmp_path_factory) -> Place:
    """A run of four steps on eight pairs of files."""
    root = tmp_path_factory.mktemp("refusals")
    for name, number, seed in (("data", 8, 0), ("other", 8, 1), ("fewer", 6, 0)):
        _draw_pairs(root / name, number, seed)

    def make(**overrides):
        values = {
            "data.source": "paired_folder",
            "data.dir": str(root / "data"),
            "data.class_names": ("sky", "road"),
            "train.batch_size": 4,
            "train.num_epochs": 2.0,
            "eval.metrics": ("objective",),
        }
        return tiny_experiment(**values | overrides)

    _train_without_report(make(), root / "run")
    export(root / "run", root / "weights.safetensors")
    (root / "other" / "x").mkdir()
    (root / "other" / "x" / "0.png").write_bytes(b"an earlier mask")
    (root / "damaged.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    return Place(make, root, root / "run")


@pytest.fixture
def place(trained, tmp_path) -> Place:
    """A copy of the run for a test that changes it."""
    shutil.copytree(trained.workdir, tmp_path / "run")
    return dataclasses.replace(trained, workdir=tmp_path / "run", before={})


def _train_without_report(experiment: Experiment, workdir: pathlib.Path) -> None:
    """Its programs take longer to compile than those of the training."""
    with jax.numpy_dtype_promotion("standard"), Claim(workdir) as claim:
        claim.take()
        run = Run.begin(Start.check(experiment, workdir), claim)
        run.train(*run.first_state(), InterruptionRequest())
        saving.finish(run.manager)
        run.close()
    for name in ("report.md", "metrics.json", "pictures/examples.png"):
        (workdir / name).parent.mkdir(exist_ok=True)
        (workdir / name).write_text("as it was")


def _contents(folder: pathlib.Path) -> dict[str, Any]:
    """Name, time of the last change and SHA-256 of everything in a folder."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder",
        )
        for path in [folder, *folder.rglob("*")]
    }


def _train(resume: Resume = Resume.SAME, **overrides):
    return lambda place: train_and_evaluate(place.make(**overrides), place.workdir, resume)


def _train_on(folder: str, resume: Resume = Resume.SAME, **overrides):
    def run(place: Place) -> None:
        experiment = place.make(**{"data.dir": str(place.root / folder)} | overrides)
        train_and_evaluate(experiment, place.workdir, resume)

    return run


def _evaluate(place: Place, experiment: Experiment) -> None:
    model = symmflow_jax.load(place.workdir, experiment.eval.checkpoint)
    evaluator_of(model.experiment.measured_as(experiment), place.workdir)


def _segment(place: Place, images: pathlib.Path, output: pathlib.Path) -> None:
    model = symmflow_jax.load(place.workdir)
    arguments = {"seed": 0, "num_steps": 1, "ensemble_size": 1}
    segment_files(model, str(images), output, **arguments)


def _report_on(place: Place, experiment: Experiment) -> None:
    """The checks of an evaluation in the folder of a run that has a report on its own data."""
    measured = symmflow_jax.load(place.workdir).experiment.measured_as(experiment)
    protocol = {"dataset": "paired_folder", "split": "val", "data_digest": "0123456789abcdef"}
    rows = [protocol | {"metric": "miou", "value": 0.5}]
    (place.workdir / "metrics.json").write_text(json.dumps(rows))
    place.before.update(_contents(place.workdir))
    check_place(place.workdir, place.workdir, measured)


def _import(name: str, **overrides):
    return lambda place: import_weights(place.make(**overrides), place.root / name, place.workdir)


def _damaged(path: str, command: Callable[[Place], Any]):
    """The command on a run of which one file is damaged before."""
    command.damaged = path  # type: ignore[attr-defined]
    return command


_NOWHERE = {"autoencoder.weights": "nowhere.safetensors"}

COMMANDS: dict[str, tuple[Callable[[Place], Any], str]] = {
    "train, classes in another order": (
        _train(**{"data.class_names": ("road", "sky")}),
        r"are of another model: class names is .*another --workdir",
    ),
    "train, another network": (
        _train(**{"network.channels": 16}),
        r"config\.network\.channels is 16, was 8.*--workdir",
    ),
    "train, other data": (
        _train_on("other"),
        r"was trained on other data until step 4: its training data: 8 examples \(16 files\) in "
        r".*other/train, was 8 examples \(16 files\) in .*data/train.*--resume=changed_data",
    ),
    "train, less data": (_train_on("fewer"), r"6 examples \(12 files\).*was 8 examples"),
    "train, less data, chosen": (
        _train_on("fewer", Resume.CHANGED_DATA),
        r"would end at step 3, but the checkpoint in .* is of step 4.*num_epochs to 2\.67 or more",
    ),
    "train, other ids of the classes": (
        _train(**{"data.class_ids": (1, 0)}),
        r"config\.data\.class_ids is \[1, 0\], was \[\]",
    ),
    "train, fewer epochs": (_train(**{"train.num_epochs": 1.0}), r"would end at step 2, but"),
    "train, larger batches": (
        _train(**{"train.batch_size": 8}),
        r"would end at step 2.*config\.train\.batch_size is 8, was 4.*4 or more",
    ),
    "train, never": (_train(Resume.NEVER), r"checkpoint of step 4, and --resume=never"),
    "train, batches that devices do not divide": (
        _train(**{"train.num_microbatches": 3}),
        r"batch_size is 4, which 3 devices",
    ),
    "train, missing data": (_train_on("nowhere"), r"nowhere.* does not exist"),
    "train, data without the classes of a mask": (
        _train_on("other", Resume.CHANGED_DATA, **{"data.class_names": ("sky", "road", "tree")}),
        r"are of another model",
    ),
    "train, missing latents": (
        _train(**_NOWHERE, **{"data.latents": "nowhere"}),
        r"nowhere",
    ),
    "train, missing autoencoder": (_train(**_NOWHERE), r"nowhere\.safetensors"),
    "train, missing weights of a metric": (
        _train(
            **{
                "eval.lpips_weights": "nowhere.safetensors",
                "eval.metrics": ("sample_quality",),
                "eval.num_feature_samples": 2,
            }
        ),
        r"eval\.lpips_weights is 'nowhere\.safetensors', which is no file",
    ),
    "train, damaged description": (
        _damaged("checkpoints/4/description/metadata", _train()),
        r"checkpoint of step 4 in .* cannot be read",
    ),
    "train, damaged weights": (
        _damaged("checkpoints/4/ema_params/manifest.ocdbt", _train(**{"train.num_epochs": 3.0})),
        r"checkpoint of step 4 in .* cannot be read .*goes on from the one before",
    ),
    "evaluate, other classes": (
        lambda place: _evaluate(place, place.make(**{"data.class_names": ("sky", "sea")})),
        r"The model knows the classes sky, road, but the data has sky, sea",
    ),
    "evaluate, missing data": (
        lambda place: _evaluate(place, place.make(**{"data.dir": "nowhere"})),
        r"nowhere.* does not exist",
    ),
    "evaluate, an unknown checkpoint": (
        lambda place: _evaluate(place, place.make(**{"eval.checkpoint": "first"})),
        r"eval\.checkpoint is 'first'; choose",
    ),
    "evaluate, a report on other data": (
        lambda place: _report_on(place, place.make(**{"data.dir": str(place.root / "other")})),
        r"metrics\.json is of paired_folder .* and this evaluation is of .*--overwrite",
    ),
    "segment among the photos": (
        lambda place: _segment(place, *[place.root / "data" / "train" / "images"] * 2),
        r"--output is the folder of --input",
    ),
    "segment over earlier files": (
        lambda place: _segment(place, place.root / "data/train/images", place.root / "other/x"),
        r"0\.png exists already .*--overwrite",
    ),
    "segment below a file": (
        lambda place: _segment(
            place, place.root / "data/train/images", place.root / "weights.safetensors"
        ),
        r"cannot be a folder to write to: .* is a file",
    ),
    "export over a file": (
        lambda place: export(place.workdir, place.root / "weights.safetensors"),
        r"weights\.safetensors exists already. Give --overwrite",
    ),
    "import into a run": (_import("weights.safetensors"), r"already has a checkpoint of step 4"),
    "import damaged weights": (_import("damaged.safetensors"), r"already has a checkpoint|damaged"),
    "export to an unknown suffix": (
        lambda place: export(place.workdir, place.workdir / "weights.onnx"),
        r"weights\.onnx must end in",
    ),
    "encode without an autoencoder": (
        lambda place: encode(place.make(**{"data.latents": "x"}), place.workdir),
        r"--mode=encode",
    ),
    "tune without an autoencoder": (
        lambda place: finetune_vae(place.make(), place.workdir),
        r"--mode=finetune_vae",
    ),
    "a value out of its range": (_train(**{"train.num_epochs": -1.0}), r"it must be above 0"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_refused_command_changes_nothing(place, name):
    command, message = COMMANDS[name]
    if hasattr(command, "damaged"):
        (place.workdir / command.damaged).write_bytes(b"")
    # What an ended training may have left is not tidied up either.
    (place.workdir / "checkpoints" / "5.orbax-checkpoint-tmp").mkdir()
    with (place.workdir / "history.jsonl").open("a") as file:
        file.write('{"step": 9, "loss": 1.0}\n{"step')
    place.before.update(_contents(place.workdir))
    given = _contents(place.root)
    with pytest.raises(REFUSALS, match=message) as error:
        command(place)
    assert "\n" not in str(error.value)
    assert _contents(place.workdir) == place.before
    assert _contents(place.root) == given


def test_a_second_training_changes_nothing(place):
    with Claim(place.workdir) as claim:
        claim.take()
        before = _contents(place.workdir)
        with pytest.raises(ValueError, match="Another training is writing to"):
            train_and_evaluate(place.make(**{"train.num_epochs": 3.0}), place.workdir)
        assert _contents(place.workdir) == before


@pytest.mark.parametrize(
    "command",
    [
        _train_on("nowhere"),
        _train(**{"train.num_microbatches": 3}),
        _train(**_NOWHERE),
        _import("damaged.safetensors"),
        _import("weights.safetensors", **{"network.channels": 16}),
        lambda place: finetune_vae(place.make(), place.workdir),
        lambda place: export(place.workdir, place.workdir / "weights.safetensors"),
    ],
)
def test_a_refused_beginning_leaves_no_folder(trained, tmp_path, command):
    with pytest.raises(REFUSALS) as error:
        command(dataclasses.replace(trained, workdir=tmp_path / "deep" / "new"))
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
