"""The command line: `python -m symmflow_jax.main --config=configs/shapes.py`."""

import pathlib
import sys
from collections.abc import Callable

from absl import flags

from symmflow_jax.config import command_line
from symmflow_jax.config.build.experiment import Experiment

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run; runs/<config name> by default.")
_MODE = flags.DEFINE_enum(
    "mode",
    "train",
    [
        "train",
        "evaluate",
        "generate",
        "segment",
        "classify",
        "sample",
        "check_data",
        "encode",
        "finetune_vae",
        "import",
        "export",
        "plan",
    ],
    "What to do. Evaluate, generate, segment, classify, sample and export use the weights in the "
    "workdir.",
)
_INPUT = flags.DEFINE_string(
    "input",
    "",
    "Image or mask file, a folder of them, or (generate) labels: 3,7 or cat,dog; (import) PyTorch "
    "weights: a .pt, .pth or .safetensors file, or a folder of diffusers.",
)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Where to write; <workdir>/<mode> by default, (export) <workdir>/weights.safetensors.",
)
_PROMPT_EMBEDDING = flags.DEFINE_string(
    "prompt_embedding",
    None,
    "File of the empty prompt's embedding, or zeros (import of a latent U-Net).",
)
_SEED = flags.DEFINE_integer("seed", 0, "Origin of the noise, but for train and evaluate.")
_NUM_STEPS = flags.DEFINE_integer(
    "num_steps", None, "Euler steps: 25 to generate and sample, 1 to segment and classify."
)
_NUM_SAMPLES = flags.DEFINE_integer(
    "num_samples", 1, "Images of each condition (generate), or samples in all (sample)."
)
_WHAT = flags.DEFINE_enum(
    "what", "pairs", ["pairs", "images", "semantics"], "What to make from noise alone (sample)."
)
_NUM_DRAWS = flags.DEFINE_integer("num_draws", 1, "Noises for each image that vote.")
_MIN_CONFIDENCE = flags.DEFINE_float(
    "min_confidence", 0.0, "Pixels (segment) or labels (classify) less sure than that are unsure."
)
_UNSURE_ID = flags.DEFINE_integer("unsure_id", 255, "Id of unsure pixels; no class has it.")
_PROBABILITIES = flags.DEFINE_bool(
    "probabilities", False, "Also write the probabilities of each pixel's classes (segment)."
)


def main(experiment: Experiment) -> None:
    """Does what `--mode` says."""
    _modes()[_MODE.value](experiment, _workdir())


def _workdir() -> pathlib.Path:
    if _WORKDIR.value:
        return pathlib.Path(_WORKDIR.value)
    return pathlib.Path("runs") / command_line.config_name()


def _modes() -> dict[str, Callable[[Experiment, pathlib.Path], None]]:
    return {
        "train": _train,
        "evaluate": _evaluate,
        "generate": _generate,
        "segment": _segment,
        "classify": _classify,
        "sample": _sample,
        "check_data": _check_data,
        "encode": _encode,
        "finetune_vae": _finetune_vae,
        "import": _import,
        "export": _export,
        "plan": _plan,
    }


def _train(experiment: Experiment, workdir: pathlib.Path) -> None:
    # TensorBoard's writer takes seconds to import, which only training needs.
    from symmflow_jax.train import train_and_evaluate

    train_and_evaluate(experiment, workdir)


def _evaluate(experiment: Experiment, workdir: pathlib.Path) -> None:
    """Data and measurements as the command says; network and encoding as they were trained."""
    from symmflow_jax.evaluation.evaluator import Trained, evaluator_of
    from symmflow_jax.evaluation.report import report_evaluation

    model = _load(experiment, workdir)
    evaluator = evaluator_of(model.experiment.measured_as(experiment), workdir)
    report_evaluation(evaluator, Trained(model.weights, model.step), workdir)


def _generate(experiment: Experiment, workdir: pathlib.Path) -> None:
    """Guidance as the command says; all else as the network was trained."""
    from symmflow_jax.inference.generation import generate_files

    num_steps = _NUM_STEPS.value or 25
    generate_files(
        _load(experiment, workdir),
        _INPUT.value,
        _output(workdir),
        seed=_SEED.value,
        num_steps=num_steps,
        num_samples=_NUM_SAMPLES.value,
        guidance=experiment.guidance(num_steps),
    )


def _segment(experiment: Experiment, workdir: pathlib.Path) -> None:
    from symmflow_jax.inference.recognition import segment_files

    segment_files(
        _load(experiment, workdir),
        _INPUT.value,
        _output(workdir),
        seed=_SEED.value,
        num_steps=_NUM_STEPS.value or 1,
        num_draws=_NUM_DRAWS.value,
        min_confidence=_MIN_CONFIDENCE.value,
        unsure_id=_UNSURE_ID.value,
        probabilities=_PROBABILITIES.value,
    )


def _classify(experiment: Experiment, workdir: pathlib.Path) -> None:
    from symmflow_jax.inference.recognition import classify_files

    classify_files(
        _load(experiment, workdir),
        _INPUT.value,
        _output(workdir),
        seed=_SEED.value,
        num_steps=_NUM_STEPS.value or 1,
        num_draws=_NUM_DRAWS.value,
        min_confidence=_MIN_CONFIDENCE.value,
    )


def _sample(experiment: Experiment, workdir: pathlib.Path) -> None:
    from symmflow_jax.inference.sampling import sample_files
    from symmflow_jax.symmflow import Sampled

    sample_files(
        _load(experiment, workdir),
        Sampled[_WHAT.value.upper()],
        _output(workdir),
        seed=_SEED.value,
        num_steps=_NUM_STEPS.value or 25,
        num_samples=_NUM_SAMPLES.value,
    )


def _check_data(experiment: Experiment, workdir: pathlib.Path) -> None:
    """Ends with an error status where training would not get through the data."""
    from symmflow_jax.check_data import check_data

    del workdir
    if not check_data(experiment):
        sys.exit("Error: training would stop at the examples marked with '!' above.")


def _encode(experiment: Experiment, workdir: pathlib.Path) -> None:
    from symmflow_jax.encode import encode

    encode(experiment, workdir)


def _finetune_vae(experiment: Experiment, workdir: pathlib.Path) -> None:
    from symmflow_jax.finetune_vae import finetune_vae

    finetune_vae(experiment, workdir)


def _import(experiment: Experiment, workdir: pathlib.Path) -> None:
    from symmflow_jax.weights import import_weights

    if not _INPUT.value:
        sys.exit("Error: --mode=import needs --input, a file or folder of PyTorch weights.")
    import_weights(experiment, _INPUT.value, workdir, _PROMPT_EMBEDDING.value)


def _export(experiment: Experiment, workdir: pathlib.Path) -> None:
    from symmflow_jax.weights import export_weights

    output = pathlib.Path(_OUTPUT.value) if _OUTPUT.value else workdir / "weights.safetensors"
    export_weights(workdir, output, experiment.eval.checkpoint)


def _plan(experiment: Experiment, workdir: pathlib.Path) -> None:
    from symmflow_jax.plan.plan import plan

    plan(experiment, workdir)


def _load(experiment: Experiment, workdir: pathlib.Path):
    from symmflow_jax.model import load

    return load(workdir, experiment.eval.checkpoint)


def _output(workdir: pathlib.Path) -> pathlib.Path:
    return pathlib.Path(_OUTPUT.value) if _OUTPUT.value else workdir / _MODE.value


if __name__ == "__main__":
    command_line.start(main)
