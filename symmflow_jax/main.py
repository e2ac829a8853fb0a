"""The command line: `python -m symmflow_jax.main --config=configs/shapes.py`."""

import dataclasses
import logging
import pathlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from symmflow_jax.runtime import signals

# Before the imports that take seconds, so that a signal is told to the other processes of a run.
_WATCH = signals.Watch() if __name__ == "__main__" else None

# ruff: noqa: E402
from absl import flags

from symmflow_jax.config import command_line
from symmflow_jax.config.command_line import path_flag
from symmflow_jax.config.reading import overrides
from symmflow_jax.config.reading.range_flags import define_number
from symmflow_jax.config.schema.ranges import at_least, between
from symmflow_jax.runtime.storage import place

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment
    from symmflow_jax.inference.model import Model

_logger = logging.getLogger("symmflow_jax.main")

flags.adopt_module_key_flags(command_line)  # --help shows --config too.

_WORKDIR = flags.DEFINE_string(
    "workdir",
    None,
    "Folder of the run, also in a bucket (gs://BUCKET/FOLDER, s3://BUCKET/FOLDER); runs/<config "
    "name> by default.",
)
_INPUT = flags.DEFINE_string(
    "input",
    "",
    "Image or mask file, a folder of them (without its sub-folders), or (generate) labels: 3,7 or "
    "cat,dog; (import) PyTorch weights: a .pt, .pth, .bin or .safetensors file, a folder of "
    "diffusers, whole or in shards, or hf:OWNER/NAME/FILE@REVISION on the Hugging Face hub.",
)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "File or folder to write, also in a bucket; <workdir>/<mode> by default, (export) "
    "<workdir>/weights.safetensors or <workdir>/<format>, (evaluate) the workdir.",
)
_OVERWRITE = flags.DEFINE_bool(
    "overwrite",
    False,
    "Replace files that exist; without it they are kept. Inputs are always kept.",
)
_PROMPT_EMBEDDING = flags.DEFINE_string(
    "prompt_embedding",
    None,
    "File of the empty prompt's embedding, or zeros (import of a latent U-Net).",
)
_WEIGHTS_KEY = flags.DEFINE_string(
    "weights_key",
    "",
    "Key of the weights in a training checkpoint, such as ema or state_dict/ema_model (import); "
    "looked for by default, averaged weights first.",
)
_WEIGHTS_PREFIX = flags.DEFINE_string(
    "weights_prefix",
    "",
    "Module before every name of exported weights, such as unet for the published SymmFMSD; import "
    "finds it itself.",
)
_NEW_ATTENTION_ORDER = flags.DEFINE_bool(
    "use_new_attention_order",
    False,
    "Weights of a pixel U-Net that has this setting in PyTorch (import, export); no file tells it.",
)
_NUM_CHECKED = define_number(
    "num_checked",
    None,
    "Examples of the data on which import checks the loss of the weights: 64, or 8 for a latent "
    "U-Net, if it is not given; 0 for no check.",
    int,
    at_least(0),
)
_FORMAT = flags.DEFINE_enum(
    "format",
    "safetensors",
    ["safetensors", "stablehlo", "onnx"],
    "What to export: weights with PyTorch's names, or programs that run without this package "
    "(docs/export.md).",
)
_FUNCTIONS = flags.DEFINE_list(
    "functions",
    None,
    "Functions to export as StableHLO, of generate, segment and classify; all that the model has, "
    "if they are not given.",
)
_PLATFORMS = flags.DEFINE_list(
    "platforms", ["cpu", "cuda", "tpu"], "Platforms of JAX for which StableHLO is exported."
)
_RESUME = flags.DEFINE_enum(
    "resume",
    "same",
    ["same", "changed_data", "never"],
    "Training in a folder with checkpoints: go on if the data is the same, go on with changed data "
    "too, or never.",
)
_SEED = define_number("seed", 0, "Seed of the noise.", int, between(0, 2**32 - 1))
_NUM_STEPS = define_number(
    "num_steps",
    None,
    "Steps of the solver: 25 to generate and sample, 1 to segment and classify, if it is not "
    "given; (export to stablehlo) those of all functions. Not for the adaptive dopri5, which takes "
    "--config.eval.tolerance.",
    int,
    at_least(1),
)
_SOLVER = flags.DEFINE_string(
    "solver",
    "euler",
    "Solver, a name in docs/choices.md; (evaluate) the only one of the table, instead of "
    "config.eval.solvers. To generate in 10 passes and more, heun is nearer to the flow than euler "
    "at the same cost (docs/likelihood.md).",
)
_NUM_SAMPLES = define_number(
    "num_samples",
    1,
    "Images of each condition (generate), or samples in all (sample).",
    int,
    at_least(1),
)
_WHAT = flags.DEFINE_enum(
    "what", "pairs", ["pairs", "images", "semantics"], "What to make from noise alone."
)
_NUM_DRAWS = define_number(
    "num_draws", 1, "Noise samples for each image; their predictions vote.", int, at_least(1)
)
_MIN_CONFIDENCE = define_number(
    "min_confidence",
    0.0,
    "Pixels (segment) or labels (classify) with a lower confidence are unsure.",
    float,
    between(0, 1),
)
_UNSURE_ID = define_number(
    "unsure_id", 255, "Id of unsure pixels; no class has it.", int, between(0, 2**16 - 1)
)
_PROBABILITIES = flags.DEFINE_bool(
    "probabilities", False, "Also write the probabilities of each pixel's classes."
)
_CLASSIFIER_STEPS = define_number(
    "classifier_steps", 350, "Steps of training a classifier.", int, at_least(1)
)
_EXAMPLES_PER_SHARD = define_number(
    "examples_per_shard", 1024, "Examples in each file of packed data.", int, at_least(1)
)
_BATCH_SIZES = flags.DEFINE_list(
    "batch_sizes", None, "Batch sizes to time; that of the config by default."
)
_NUM_ROUNDS = define_number("num_rounds", 5, "Timed calls of each workload.", int, at_least(1))
_ONLY = flags.DEFINE_enum(
    "only",
    None,
    ["compile", "speed", "input", "packed", "export"],
    "Measure this alone: compile times, speed of the workloads, input pipeline, packed data, or "
    "exported models.",
)
_PACKED = flags.DEFINE_string(
    "packed", "", "Folder of the config's data, packed, whose reading is compared (benchmark)."
)


@dataclasses.dataclass(frozen=True)
class Mode:
    """One entry of `MODES`.

    Attributes:
        run: function of an experiment and the folder of the run.
        summary: description for `--help`.
        flags: the flags that it uses, besides `--config` and `--workdir`.
        keys: the sections and keys of the config that it uses.
        several: True if it shares its work among several processes.
        leaves: True if a signal may end it in its stages, because it says what is saved.
    """

    run: Callable[["Experiment", pathlib.Path], None]
    summary: str
    flags: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    several: bool = False
    leaves: bool = False


def _train(experiment: "Experiment", workdir: pathlib.Path) -> None:
    # The import of TensorBoard's writer takes seconds, and only training needs it.
    from symmflow_jax.runs.resumption import Resume
    from symmflow_jax.train import train_and_evaluate

    train_and_evaluate(experiment, workdir, Resume(_RESUME.value))


def _evaluate(experiment: "Experiment", workdir: pathlib.Path) -> None:
    """Takes data and measurements from the command, network and encoding from the checkpoint."""
    from symmflow_jax.evaluation.evaluator import EvaluatedWeights, evaluator_of
    from symmflow_jax.evaluation.report.place import check_place
    from symmflow_jax.evaluation.report.report import report_evaluation
    from symmflow_jax.runtime.cluster import session

    experiment = _with_solver(experiment)
    model = _load(experiment, workdir)
    measured = model.experiment.measured_as(experiment)
    output = _output(workdir)
    check_place(output, workdir, measured, overwrite=_OVERWRITE.value)
    evaluator = evaluator_of(measured, output)
    evaluated = EvaluatedWeights(model.weights, model.step)
    with session.stage():
        report_evaluation(evaluator, evaluated, workdir, output)


def _generate(experiment: "Experiment", workdir: pathlib.Path) -> None:
    """Takes guidance from the command and everything else from the checkpoint."""
    from symmflow_jax.inference.files.generation import generate_files

    num_steps = _num_steps(experiment, 25)
    model = _load(experiment, workdir)
    generate_files(
        model,
        _input() if model.reads_masks else _INPUT.value,
        _output(workdir / "generate"),
        seed=_SEED.value,
        num_steps=num_steps or 1,
        num_samples=_NUM_SAMPLES.value,
        solver=_SOLVER.value,
        guidance=experiment.guidance(num_steps),
        overwrite=_OVERWRITE.value,
    )


def _segment(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.inference.files.recognition import segment_files

    segment_files(
        _load(experiment, workdir),
        _input(),
        _output(workdir / "segment"),
        seed=_SEED.value,
        num_steps=_num_steps(experiment, 1) or 1,
        solver=_SOLVER.value,
        ensemble_size=_NUM_DRAWS.value,
        min_confidence=_MIN_CONFIDENCE.value,
        unsure_id=_UNSURE_ID.value,
        probabilities=_PROBABILITIES.value,
        overwrite=_OVERWRITE.value,
    )


def _classify(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.inference.files.recognition import classify_files

    classify_files(
        _load(experiment, workdir),
        _input(),
        _output(workdir / "classify"),
        seed=_SEED.value,
        num_steps=_num_steps(experiment, 1) or 1,
        solver=_SOLVER.value,
        ensemble_size=_NUM_DRAWS.value,
        min_confidence=_MIN_CONFIDENCE.value,
        overwrite=_OVERWRITE.value,
    )


def _sample(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.inference.files.sampling import sample_files
    from symmflow_jax.methods.symmflow import Sampled

    sample_files(
        _load(experiment, workdir),
        Sampled[_WHAT.value.upper()],
        _output(workdir / "sample"),
        seed=_SEED.value,
        num_steps=_num_steps(experiment, 25) or 1,
        solver=_SOLVER.value,
        num_samples=_NUM_SAMPLES.value,
        overwrite=_OVERWRITE.value,
    )


def _check_data(experiment: "Experiment", workdir: pathlib.Path) -> None:
    """Exits with an error status if training would stop at an example."""
    from symmflow_jax.preparation.check_data import check_data

    del workdir
    if not check_data(experiment):
        sys.exit("Error: training would stop at the examples marked with '!' above.")


def _encode(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.preparation.encode_latents import encode

    encode(experiment, workdir)


def _pack(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.preparation.pack import pack

    output = _output(workdir / "pack")
    program = "gcloud storage" if str(output).startswith("gs") else "aws s3"
    place.refuse(
        output,
        "--output of --mode=pack",
        f"Pack to a disk, and copy the folder: `{program} cp --recursive FOLDER {output}`. Then "
        "--config.data.dir may be that place in the bucket.",
    )
    pack(experiment, output, _EXAMPLES_PER_SHARD.value, overwrite=_OVERWRITE.value)


def _finetune_vae(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.preparation.finetune_decoder import finetune_vae

    finetune_vae(experiment, workdir, overwrite=_OVERWRITE.value)


def _import(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.preparation.import_weights import import_weights

    if not _INPUT.value:
        sys.exit("Error: --mode=import needs --input, a file, folder or hf: address of weights.")
    import_weights(
        experiment,
        path_flag(_INPUT) or "",
        workdir,
        path_flag(_PROMPT_EMBEDDING),
        _WEIGHTS_KEY.value,
        new_attention_order=_NEW_ATTENTION_ORDER.value,
        num_checked=_NUM_CHECKED.value,
    )


def _export(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.inference.export.exporters import EXPORTERS, export
    from symmflow_jax.inference.export.programs import ProgramForm
    from symmflow_jax.interop.names.torch_form import TorchForm

    name = _FORMAT.value
    users = {other: exporter.flags for other, exporter in EXPORTERS.items()}
    _refuse_flags_of_others("format", name, users)
    _name_unused_keys(overrides.unused(command_line.given_keys(), EXPORTERS[name].keys))
    ending = EXPORTERS[name].ending
    form: TorchForm | ProgramForm
    if ending:
        form = TorchForm.of_flags(_WEIGHTS_PREFIX.value, _NEW_ATTENTION_ORDER.value)
    else:
        num_steps = _num_steps(experiment, 25)
        form = ProgramForm(
            functions=tuple(_FUNCTIONS.value or ()),
            solver=_SOLVER.value,
            num_steps=_NUM_STEPS.value,
            tolerance=_tolerance(experiment),
            ensemble_size=_NUM_DRAWS.value,
            guidance=experiment.guidance(num_steps),
            platforms=tuple(_PLATFORMS.value),
            seed=_SEED.value,
        )
    output = _output(workdir / (f"weights{ending}" if ending else name))
    checkpoint = experiment.eval.checkpoint
    export(workdir, output, checkpoint, form, format_name=name, overwrite=_OVERWRITE.value)


def _train_classifier(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.preparation.train_classifier import train_classifier

    output = _output(workdir / "classifier.safetensors")
    train_classifier(experiment, output, _CLASSIFIER_STEPS.value, overwrite=_OVERWRITE.value)


def _plan(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.performance.plan.plan import plan

    plan(experiment, workdir, overwrite=_OVERWRITE.value)


def _benchmark(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.performance.benchmark.command import benchmark
    from symmflow_jax.runtime import files, outputs

    del workdir
    output = place.place(path_flag(_OUTPUT) or "", "--output") if _OUTPUT.value else None
    if output:
        outputs.check_outputs([output], overwrite=_OVERWRITE.value)
    packed = path_flag(_PACKED) or ""
    text = benchmark(experiment, _BATCH_SIZES.value, _NUM_ROUNDS.value, _ONLY.value, packed)
    _logger.info("\n%s", text)
    if output:
        files.write_text(output, text + "\n")


def _doctor(experiment: "Experiment", workdir: pathlib.Path) -> None:
    """Exits with an error status if something is wrong."""
    from symmflow_jax.performance.doctor.doctor import examine
    from symmflow_jax.runtime.cluster import session

    with session.stage():
        problems = examine(experiment, workdir)
    if problems:
        sys.exit(f"Error: {len(problems)} of the checks above found what '!' marks.")
    _logger.info("Nothing is wrong.")


_MODEL = ("semantics", "network", "autoencoder")
_RUN = ("seed", "parallel", "data", *_MODEL, "train", "eval", "guidance")
_KIND = ("semantics.encoding", "semantics.kind")
_FILES = ("output", "overwrite")
_INTEGRATION = ("seed", "num_steps", "solver")
_ANSWERS = ("input", *_FILES, *_INTEGRATION, "num_draws", "min_confidence")
_MODEL_KEYS = ("eval.checkpoint", "eval.tolerance")

MODES: dict[str, Mode] = {
    "train": Mode(
        _train,
        "trains and evaluates; goes on where a run stopped",
        ("resume",),
        _RUN,
        several=True,
        leaves=True,
    ),
    "evaluate": Mode(
        _evaluate,
        "measures the weights in the workdir",
        (*_FILES, "solver"),
        ("seed", "data", "eval", "guidance"),
        several=True,
    ),
    "generate": Mode(
        _generate,
        "makes images of masks or labels",
        ("input", *_FILES, *_INTEGRATION, "num_samples"),
        (*_MODEL_KEYS, "guidance"),
    ),
    "segment": Mode(
        _segment,
        "reads masks in images",
        (*_ANSWERS, "unsure_id", "probabilities"),
        _MODEL_KEYS,
    ),
    "classify": Mode(_classify, "reads labels in images", _ANSWERS, _MODEL_KEYS),
    "sample": Mode(
        _sample,
        "makes images, semantics or pairs from noise alone",
        (*_FILES, *_INTEGRATION, "num_samples", "what"),
        _MODEL_KEYS,
    ),
    "check_data": Mode(
        _check_data,
        "looks at all examples",
        keys=("seed", "data", *_KIND),
    ),
    "encode": Mode(
        _encode,
        "encodes the training images once, into a cache of latents",
        keys=("seed", "data", *_MODEL, "eval.batch_size", "train.log_every_steps"),
    ),
    "pack": Mode(
        _pack,
        "packs the data set into few large files, for the data source packed",
        (*_FILES, "examples_per_shard"),
        ("seed", "data", *_KIND),
    ),
    "finetune_vae": Mode(
        _finetune_vae,
        "tunes the autoencoder's decoder for masks",
        ("overwrite",),
        (
            *("seed", "data", *_MODEL, "finetune", "train.log_every_steps"),
            *("eval.batch_size", "eval.num_examples"),
        ),
    ),
    "import": Mode(
        _import,
        "makes a run from PyTorch weights",
        ("input", "prompt_embedding", "weights_key", "use_new_attention_order", "num_checked"),
        (*_RUN, "plan"),
    ),
    "export": Mode(
        _export,
        "writes weights with PyTorch's names, or programs that run without this package",
        (
            *(*_FILES, "format", "weights_prefix", "use_new_attention_order"),
            *("functions", "platforms", *_INTEGRATION, "num_draws"),
        ),
        (*_MODEL_KEYS, "guidance"),
    ),
    "train_classifier": Mode(
        _train_classifier,
        "trains a classifier whose features measure small images",
        (*_FILES, "classifier_steps"),
        ("seed", "data", *_KIND, "train.batch_size"),
    ),
    "plan": Mode(_plan, "compiles for a TPU slice, without a TPU", ("overwrite",), (*_RUN, "plan")),
    "benchmark": Mode(
        _benchmark,
        "times train step, generation, recognition, compilation and reading",
        (*_FILES, "batch_sizes", "num_rounds", "only", "packed"),
        _RUN,
    ),
    "doctor": Mode(
        _doctor,
        "checks processes, devices, network, data and the workdir, the first thing on a new pod",
        keys=_RUN,
        several=True,
    ),
}
"""The values of `--mode`."""

_MODE = flags.DEFINE_enum(
    "mode",
    "train",
    list(MODES),
    "What to do: " + "; ".join(f"{name} {mode.summary}" for name, mode in MODES.items()) + ".",
)


def main(experiment: "Experiment") -> None:
    """Runs the mode that `--mode` names.

    Raises:
        ValueError: if a flag was given that the mode does not use, or if the name of the workdir is
            not UTF-8.
    """
    mode = MODES[_MODE.value]
    _refuse_flags_of_others("mode", _MODE.value, {name: m.flags for name, m in MODES.items()})
    given = command_line.given_keys()
    unused = overrides.unused(given, mode.keys) + experiment.unused_keys(given)
    _name_unused_keys(unused)
    default = pathlib.Path("runs") / command_line.config_name()
    workdir = place.place(path_flag(_WORKDIR) or str(default), "--workdir")
    _check_name(workdir)
    mode.run(experiment, workdir)


def _name_unused_keys(unused: Sequence[str]) -> None:
    """Warns of given keys of the config that the command does not use."""
    if unused:
        keys = ", ".join(f"config.{key}" for key in dict.fromkeys(unused))
        _logger.warning("Not used by this command: %s.", keys)


def _refuse_flags_of_others(kind: str, name: str, users: Mapping[str, Sequence[str]]) -> None:
    """Raises a ValueError for a given flag that the chosen mode or format would ignore.

    Args:
        kind: "mode" or "format".
        name: the chosen one.
        users: the flags of each, by name.
    """
    for flag in {flag for used in users.values() for flag in used} - set(users[name]):
        if flags.FLAGS[flag].present:
            others = [other for other, used in users.items() if flag in used]
            raise ValueError(
                f"--{flag} is not used by --{kind}={name}, but by {', '.join(others)}; leave it "
                f"out, or choose another --{kind}."
            )


def _check_name(workdir: pathlib.Path) -> None:
    """Raises a ValueError for a name that the writers of checkpoints and events cannot take."""
    try:
        str(workdir).encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"--workdir={ascii(str(workdir))} is no text in UTF-8, as checkpoints need; give "
            f"another --workdir. {command_line.LOCALE_ADVICE}"
        ) from None


def _num_steps(experiment: "Experiment", default: int) -> int | None:
    """The number of steps; None for an adaptive solver.

    Raises:
        ValueError: if there is no such solver, or if an adaptive one is given a number of steps.
    """
    if not experiment.is_adaptive(_SOLVER.value):
        return default if _NUM_STEPS.value is None else _NUM_STEPS.value
    if _NUM_STEPS.value is not None:
        raise ValueError(
            f"--num_steps={_NUM_STEPS.value} is given, but --solver={_SOLVER.value} chooses its "
            "own steps; leave it out, or set --config.eval.tolerance."
        )
    return None


def _with_solver(experiment: "Experiment") -> "Experiment":
    """The experiment with the solver of `--solver` alone, if that is given."""
    if not flags.FLAGS["solver"].present:
        return experiment
    if "eval.solvers" in command_line.given_keys():
        raise ValueError(
            "--solver and --config.eval.solvers are both given; leave one out. --solver measures "
            "one solver, --config.eval.solvers several."
        )
    experiment.is_adaptive(_SOLVER.value)  # Names an unknown solver.
    return experiment.changed({"eval.solvers": (_SOLVER.value,)})


def _load(experiment: "Experiment", workdir: pathlib.Path) -> "Model":
    """The model of the workdir, with the tolerance of the command."""
    from symmflow_jax.inference.model import load

    model, tolerance = load(workdir, experiment.eval.checkpoint), _tolerance(experiment)
    if tolerance is None:
        return model
    return dataclasses.replace(model, experiment=model.experiment.with_tolerance(tolerance))


def _tolerance(experiment: "Experiment") -> float | None:
    """The tolerance of adaptive solvers, if the command gives one; None for that of the run."""
    return experiment.eval.tolerance if "eval.tolerance" in command_line.given_keys() else None


def _input() -> str:
    """The value of `--input`; raises ValueError for images in a bucket."""
    text = path_flag(_INPUT) or ""
    place.local(text, "--input", "Copy the files to a disk, and give their folder there.")
    return text


def _output(default: pathlib.Path) -> pathlib.Path:
    if _OUTPUT.present and not _OUTPUT.value:
        raise ValueError(f"--output is empty; give a place, or leave it out for {default}.")
    return place.place(path_flag(_OUTPUT) or str(default), "--output")


if __name__ == "__main__":
    command_line.start(
        main,
        _WATCH,
        only_one=lambda: "" if MODES[_MODE.value].several else f"--mode={_MODE.value}",
        leaves=lambda: MODES[_MODE.value].leaves,
    )
