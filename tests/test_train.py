"""Training as a whole: what a run leaves behind, and what it survives."""

import dataclasses
import json
import pathlib
import re
import shutil
import signal
import subprocess

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest
import tifffile
from PIL import Image

import symmflow_jax
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data import pipeline
from symmflow_jax.data.source import DataError
from symmflow_jax.evaluation.measurement import Measurement
from symmflow_jax.inference.export.programs import ProgramForm, recognizer
from symmflow_jax.inference.files.generation import generate_files
from symmflow_jax.inference.files.sampling import sample_files
from symmflow_jax.inference.files.segmentation import segment_files
from symmflow_jax.loop import run as run_lib
from symmflow_jax.methods.symmflow import Sampled, SymmFlow
from symmflow_jax.runs import folder
from symmflow_jax.runs.checkpointing import layout
from symmflow_jax.runs.resumption import Resume
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.train import NonFiniteLoss, train_and_evaluate
from tests.loop.training import POINTS, losses_of, train_only, weights_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]


# For runs whose evaluation is not looked at: its programs take longer to compile than the training.
LOSS_ONLY = {"eval.metrics": ("objective",)}
LOSS_ONLY_FLAG = "--config.eval.metrics=objective"


def _assert_same_weights(first, second) -> None:
    for a, b in zip(weights_of(first), weights_of(second), strict=True):
        np.testing.assert_array_equal(a, b)


def _finish(process: subprocess.Popen) -> str:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


@dataclasses.dataclass(frozen=True)
class Finished:
    """A run that has come to its end, which tests only read.

    Attributes:
        experiment: the run.
        workdir: its folder.
        table: what its final evaluation has returned.
        traces: how often each program of the method was traced.
    """

    experiment: Experiment
    workdir: pathlib.Path
    table: list[Measurement]
    traces: dict[str, int]

    def copy(self, workdir: pathlib.Path) -> pathlib.Path:
        """A copy of its folder for a test that changes it."""
        shutil.copytree(self.workdir, workdir)
        return workdir


@pytest.fixture(scope="module")
def finished(tiny_experiment, tmp_path_factory) -> Finished:
    """A run of twenty steps with three small evaluations and the final one."""
    traces = {"losses": 0, "generate": 0}

    def counting(name):
        method = getattr(SymmFlow, name)

        def counted(self, *args, **kwargs):
            traces[name] += 1
            return method(self, *args, **kwargs)

        return counted

    # A dequantisation width of its own keeps programs of other tests from being found again.
    experiment = tiny_experiment(
        **{
            "network.channel_multipliers": (1, 2),
            "train.eval_every_steps": 5,
            "semantics.dequantization_beta": 5.5,
            "eval.num_examples": 12,
        }
    )
    workdir = tmp_path_factory.mktemp("finished") / "run"
    with pytest.MonkeyPatch.context() as patch, jax.numpy_dtype_promotion("standard"):
        for name in traces:
            patch.setattr(SymmFlow, name, counting(name))
        table = train_and_evaluate(experiment, workdir)
    return Finished(experiment, workdir, table, traces)


def test_a_run_leaves_everything_that_it_promises(finished):
    workdir = finished.workdir
    saved = json.loads((workdir / "config.json").read_text())
    assert Experiment.from_json(saved) == finished.experiment
    versions = json.loads((workdir / "versions.json").read_text())
    assert versions["jax"] == jax.__version__
    assert versions["symmflow_jax"] == symmflow_jax.__version__
    assert list(workdir.glob("events.out.tfevents.*"))
    for picture in ("pictures/step_0000010.png", "pictures/examples.png", "loss.png"):
        assert (workdir / picture).stat().st_size > 1_000
    assert list(losses_of(workdir)) == list(range(1, 21))

    measurements = json.loads((workdir / "metrics.json").read_text())
    assert len(measurements) == len(finished.table)
    keys = {"task", "dataset", "solver", "num_steps", "nfe", "metric", "value", "num_examples"}
    assert all(keys <= measurement.keys() for measurement in measurements)
    two_steps = [m for m in measurements if m["metric"] == "miou" and m["num_steps"] == 2]
    assert [(m["task"], m["nfe"], m["num_examples"]) for m in two_steps] == [
        ("segmentation", 2, 12)
    ]
    report = (workdir / "report.md").read_text()
    assert f"{two_steps[0]['value']:.4f}" in report
    assert "pictures/examples.png" in report


def test_programs_are_traced_once(finished):
    # The objective is traced for the train step and for the loss on unseen data; generation,
    # which runs in three small evaluations and the final one, for its one batch shape.
    assert finished.traces == {"losses": 2, "generate": 1}


def test_a_killed_run_ends_as_if_undisturbed(run_main, tiny_experiment, tmp_path):
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    arguments = (LOSS_ONLY_FLAG,)
    train_only(tiny_experiment(**LOSS_ONLY), undisturbed)
    rng = np.random.default_rng(0)
    stops = sorted(rng.choice(np.arange(2, 19), size=2, replace=False))
    for stop in stops:
        process = run_main(f"--workdir={disturbed}", *arguments)
        for line in process.stdout:
            if f"step {stop}/20" in line:
                process.kill()
        assert process.wait() == -signal.SIGKILL
    assert "Resumed" in _finish(run_main(f"--workdir={disturbed}", *arguments))
    _assert_same_weights(undisturbed, disturbed)
    assert losses_of(undisturbed) == losses_of(disturbed)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_before_leaving(run_main, tmp_path, number):
    process = run_main(f"--workdir={tmp_path}/run", "--config.train.checkpoint_every_steps=1000")
    output = []
    for line in process.stdout:
        output.append(line)
        if "step 3/20" in line:
            process.send_signal(number)
    assert process.wait() == 128 + number, "".join(output)
    saved = [line for line in output if "Saved step" in line]
    assert len(saved) == 1 and "the same command goes on from here" in saved[0]
    step = symmflow_jax.load(tmp_path / "run").step
    assert 3 <= step < 20
    assert list(losses_of(tmp_path / "run")) == list(range(1, step + 1))


def test_eight_devices_learn_as_one(run_main, tiny_experiment, tmp_path, simulated_devices):
    values = {
        "train.num_epochs": 0.5,
        "train.peak_learning_rate": 1e-4,
        "network.dropout_rate": 0.1,
    }
    one = tiny_experiment(**values, **LOSS_ONLY)
    train_only(one, tmp_path / "pmap1")
    for parallel in ("pmap", "fsdp"):
        _finish(
            run_main(
                f"--workdir={tmp_path}/{parallel}8",
                f"--config.parallel={parallel}",
                *(f"--config.{key}={value}" for key, value in values.items()),
                LOSS_ONLY_FLAG,
                XLA_FLAGS=simulated_devices(8),
            )
        )
    one, *others = (
        list(losses_of(tmp_path / name).values()) for name in ("pmap1", "pmap8", "fsdp8")
    )
    assert json.loads((tmp_path / "fsdp8" / "versions.json").read_text())["num_devices"] == 8
    for losses in others:
        np.testing.assert_allclose(losses, one, rtol=1e-5)
    # What was trained and evaluated in parts is whole to whoever loads it.
    for whole, parts in zip(
        weights_of(tmp_path / "pmap8"), weights_of(tmp_path / "fsdp8"), strict=True
    ):
        np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_changed_data_that_was_chosen_goes_on_under_its_own_step(tiny_experiment, tmp_path):
    experiment = tiny_experiment(**POINTS)
    train_and_evaluate(experiment, tmp_path)
    report = (tmp_path / "report.md").read_text()
    more = experiment.changed({"data.train_size": 96})
    with pytest.raises(ValueError, match=r"other data until step 4: .*96 examples, was 64"):
        train_and_evaluate(more, tmp_path)
    assert (tmp_path / "report.md").read_text() == report
    fewer = experiment.changed({"data.train_size": 40})
    with pytest.raises(ValueError, match=r"would end at step 2, but the checkpoint .* of step 4"):
        train_and_evaluate(fewer, tmp_path, Resume.CHANGED_DATA)
    table = train_and_evaluate(more, tmp_path, Resume.CHANGED_DATA)
    assert {m.protocol.train_step for m in table} == {symmflow_jax.load(tmp_path).step} == {6}
    data = json.loads((tmp_path / "data.json").read_text())
    assert data["train"]["keys"]["data.train_size"] == 96


def test_a_loss_that_is_no_number_stops_the_run(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    diverging = finished.experiment.changed(
        {
            "train.num_epochs": 5.0,
            "train.peak_learning_rate": 1e30,
            "train.warmup_epochs": 0.0,
            "train.eval_every_steps": 0,
            **LOSS_ONLY,
        }
    )
    with pytest.raises(NonFiniteLoss, match=r"Step \d+: the loss is .*clip_norm=1\.0") as error:
        train_and_evaluate(diverging, run)
    (path,) = run.glob("non_finite_step_*.npz")
    assert str(path) in str(error.value)
    saved = np.load(path)
    source = diverging.training_source
    batches = pipeline.training_batches(
        source,
        diverging.preparation,
        batch_size=8,
        seed=diverging.seed,
    )
    batch = [next(batches) for _ in range(int(saved["step"]) + 1)][-1]
    for name, array in batch.to_arrays().items():
        np.testing.assert_array_equal(saved[name], array)
    # What was saved before is whole, and its weights are numbers.
    model = symmflow_jax.load(run)
    assert model.step <= int(saved["step"])
    assert all(np.isfinite(array).all() for array in weights_of(run))


def test_a_folder_in_which_another_run_trains_is_left_alone(tiny_experiment, tmp_path):
    with folder.Claim(tmp_path) as claim:
        claim.take()
        with pytest.raises(ValueError, match="Another training"):
            train_and_evaluate(tiny_experiment(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["training.lock"]


@pytest.mark.parametrize(
    ("place", "name", "message", "step"),
    [
        (
            ocp.CheckpointManager,
            "save",
            r"checkpoint could not be written to .*none was complete",
            0,
        ),
        (folder.History, "append", r"run could not be written .*no checkpoint is complete", 0),
        (run_lib, "report_evaluation", r"run could not be written .*step 4 is complete", 4),
    ],
)
def test_a_full_disk_ends_in_one_message(
    tiny_experiment, tmp_path, monkeypatch, place, name, message, step
):
    def refuse(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(place, name, refuse)
    with pytest.raises(CheckpointError, match=message) as error:
        train_and_evaluate(tiny_experiment(**POINTS), tmp_path / "run")
    assert "(No space left on device)" in str(error.value) and "Free space" in str(error.value)
    assert "\n" not in str(error.value)
    assert (layout.latest_step(tmp_path / "run") or 0) == step


_SMALL_RUN = (
    LOSS_ONLY_FLAG,
    "--config.data.source=spirals",
    "--config.data.image_size=()",
    "--config.semantics.encoding=plane",
    "--config.network.name=mlp",
    "--config.train.num_epochs=1",
)


@pytest.fixture
def small_disk(tmp_path):
    """A function from a number of KiB to the folder of a file system of that size."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(size: int) -> pathlib.Path:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("This user may not mount a file system.")
        return folder

    yield mount
    subprocess.run(["umount", str(folder)], capture_output=True, check=False)


def test_a_disk_that_is_full_ends_in_one_line(run_main, small_disk):
    run = small_disk(160) / "run"
    process = run_main(f"--workdir={run}", *_SMALL_RUN)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 1, output
    *others, last = output.splitlines()
    message = r"Error: .*/checkpoints \(No space left on device\); step 2 is complete\. Free space"
    assert re.match(message, last)
    # Nothing of the libraries, neither before it nor at the end of the process.
    assert [line for line in others if not re.match(r"\d\d:\d\d:\d\d  |[|+]|Total: ", line)] == []


def test_a_half_written_checkpoint_is_never_restored(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    unfinished = run / "checkpoints" / "21.orbax-checkpoint-tmp"
    (unfinished / "ema_params").mkdir(parents=True)
    (unfinished / "ema_params" / "manifest.ocdbt").write_bytes(b"half")
    assert symmflow_jax.load(run).step == 20


def test_images_of_many_channels_and_16_bits_are_learned_and_read(tiny_experiment, tmp_path):
    rng = np.random.default_rng(0)
    for kind in ("images", "masks"):
        (tmp_path / "train" / kind).mkdir(parents=True)
    for number in range(8):
        ids = np.repeat(np.repeat(rng.integers(0, 2, (2, 2)), 4, 0), 4, 1).astype(np.uint8)
        bands = (1000 + 2000 * ids.astype(int)[..., None] + rng.integers(0, 50, (8, 8, 5))).astype(
            np.uint16
        )
        path = tmp_path / "train" / "images" / f"{number}.tif"
        tifffile.imwrite(path, bands, photometric="minisblack", planarconfig="contig")
        Image.fromarray(ids).save(tmp_path / "train" / "masks" / f"{number}.png")
    keys = {
        "source": "paired_folder",
        "dir": str(tmp_path),
        "class_names": ("low", "high"),
        "val_share": 0.25,
        "image_channels": 5,
        "image_depth": 16,
        "value_range": (0.0, 4000.0),
        "picture_channels": (4, 1, 0),
    }
    experiment = tiny_experiment(
        **{f"data.{key}": value for key, value in keys.items()},
        **{"train.num_epochs": 2, "train.batch_size": 2, "eval.metrics": ("recognition", "cycle")},
    )
    train_and_evaluate(experiment, tmp_path / "run")
    assert Image.open(tmp_path / "run" / "pictures" / "examples.png").mode == "RGB"
    model = symmflow_jax.load(tmp_path / "run")
    assert model.image_shape == (8, 8, 5)
    common = {"seed": 0, "num_steps": 1}
    images, masks = (str(tmp_path / "train" / kind) for kind in ("images", "masks"))
    written = segment_files(model, images, tmp_path / "masks", ensemble_size=1, **common)
    assert len(written) == 8 and np.asarray(Image.open(written[0])).shape == (8, 8)
    overlay = np.asarray(Image.open(tmp_path / "masks" / "0_overlay.png"))
    assert overlay.shape == (8, 8, 3)
    made = generate_files(model, masks, tmp_path / "made", num_samples=1, **common)
    assert np.asarray(Image.open(made[0])).shape == (8, 8, 3)
    Image.new("RGB", (8, 8)).save(tmp_path / "colour.png")
    with pytest.raises(DataError, match="has 3 channels, but config.data.image_channels is 5"):
        segment_files(
            model, str(tmp_path / "colour.png"), tmp_path / "x", ensemble_size=1, **common
        )
    with pytest.raises(ValueError, match="reads images of 5 channels and 16 bits, and an export"):
        recognizer(model, ProgramForm())
    with pytest.raises(ValueError, match="makes images of 5 channels and 16 bits, but files of"):
        sample_files(model, Sampled.PAIRS, tmp_path / "y", num_samples=1, **common)
