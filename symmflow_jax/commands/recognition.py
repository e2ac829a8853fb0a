"""Masks and labels of images."""

import pathlib
from typing import TYPE_CHECKING

from absl import flags

from symmflow_jax.commands.flags import integration, paths, views
from symmflow_jax.commands.mode import FILES, INTEGRATION, MODEL_KEYS, Mode
from symmflow_jax.config.reading.range_flags import define_number
from symmflow_jax.config.schema.ranges import between

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment

_MIN_CONFIDENCE = define_number(
    "min_confidence",
    0.0,
    "Pixels (segment) or labels (classify) with a lower confidence are unsure.",
    float,
    between(0, 1),
)
UNSURE_ID = define_number(
    "unsure_id",
    255,
    "Id of unsure pixels; no class has it. In masks to generate from they are unknown.",
    int,
    between(0, 2**16 - 1),
)
_PROBABILITIES = flags.DEFINE_bool(
    "probabilities", False, "Also write the probabilities of each pixel's classes."
)


_ANSWERS = ("input", *FILES, *INTEGRATION, "num_draws", "min_confidence")


def _segment(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.inference.files.segmentation import segment_files

    model = integration.load(experiment, workdir)
    segment_files(
        model,
        paths.input_files(),
        paths.output(workdir / "segment"),
        seed=integration.SEED.value,
        num_steps=integration.num_steps(experiment, 1) or 1,
        solver=integration.SOLVER.value,
        ensemble_size=integration.NUM_DRAWS.value,
        min_confidence=_MIN_CONFIDENCE.value,
        unsure_id=UNSURE_ID.value,
        probabilities=_PROBABILITIES.value,
        view=views.view(model),
        overwrite=paths.OVERWRITE.value,
    )


def _classify(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.inference.files.classification import classify_files

    classify_files(
        integration.load(experiment, workdir),
        paths.input_files(),
        paths.output(workdir / "classify"),
        seed=integration.SEED.value,
        num_steps=integration.num_steps(experiment, 1) or 1,
        solver=integration.SOLVER.value,
        ensemble_size=integration.NUM_DRAWS.value,
        min_confidence=_MIN_CONFIDENCE.value,
        overwrite=paths.OVERWRITE.value,
    )


SEGMENT = Mode(
    _segment,
    "reads masks in images",
    (*_ANSWERS, "unsure_id", "probabilities", *views.READING),
    MODEL_KEYS,
)
CLASSIFY = Mode(_classify, "reads labels in images", _ANSWERS, MODEL_KEYS)
