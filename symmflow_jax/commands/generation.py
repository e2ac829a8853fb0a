"""Images of masks or labels, and samples of noise alone."""

import pathlib
from typing import TYPE_CHECKING

from absl import flags

from symmflow_jax.commands.flags import integration, paths, views
from symmflow_jax.commands.mode import FILES, INTEGRATION, MODEL_KEYS, Mode
from symmflow_jax.commands.recognition import UNSURE_ID
from symmflow_jax.config.reading.range_flags import define_number
from symmflow_jax.config.schema.ranges import Range, at_least

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment

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


_KEEP_BEST = define_number(
    "keep_best",
    1.0,
    "Share of the pairs that are kept: those whose mask or label agrees best with the model's own "
    "reading of the image (sample).",
    float,
    Range(0, 1, open_low=True),
)


def _generate(experiment: "Experiment", workdir: pathlib.Path) -> None:
    """Takes guidance from the command and everything else from the checkpoint."""
    from symmflow_jax.inference.files.generation import generate_files

    num_steps = integration.num_steps(experiment, 25)
    model = integration.load(experiment, workdir)
    generate_files(
        model,
        paths.input_files() if model.reads_masks else paths.INPUT.value,
        paths.output(workdir / "generate"),
        seed=integration.SEED.value,
        num_steps=num_steps or 1,
        num_samples=_NUM_SAMPLES.value,
        solver=integration.SOLVER.value,
        guidance=experiment.guidance(num_steps),
        view=views.view_of_masks(model),
        unsure_id=UNSURE_ID.value,
        overwrite=paths.OVERWRITE.value,
    )


def _sample(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.inference.files.sampling import sample_files
    from symmflow_jax.methods.symmflow import Sampled

    sample_files(
        integration.load(experiment, workdir),
        Sampled[_WHAT.value.upper()],
        paths.output(workdir / "sample"),
        seed=integration.SEED.value,
        num_steps=integration.num_steps(experiment, 25) or 1,
        solver=integration.SOLVER.value,
        num_samples=_NUM_SAMPLES.value,
        keep_best=_KEEP_BEST.value,
        overwrite=paths.OVERWRITE.value,
    )


GENERATE = Mode(
    _generate,
    "makes images of masks or labels",
    ("input", *FILES, *INTEGRATION, "num_samples", "unsure_id", *views.MAKING),
    (*MODEL_KEYS, "guidance"),
)
SAMPLE = Mode(
    _sample,
    "makes images, semantics or pairs from noise alone",
    (*FILES, *INTEGRATION, "num_samples", "what", "keep_best"),
    MODEL_KEYS,
)
