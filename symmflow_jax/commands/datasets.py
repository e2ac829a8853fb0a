"""Checks, caches and packed forms of a data set."""

import pathlib
import sys
from typing import TYPE_CHECKING

from symmflow_jax.commands.flags import paths
from symmflow_jax.commands.mode import FILES, KIND, MODEL, Mode
from symmflow_jax.config.command_line import path_flag
from symmflow_jax.config.reading.range_flags import define_number
from symmflow_jax.config.schema.ranges import at_least
from symmflow_jax.runtime.storage import place

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment

_EXAMPLES_PER_SHARD = define_number(
    "examples_per_shard", 1024, "Examples in each file of packed data.", int, at_least(1)
)


def _check_data(experiment: "Experiment", workdir: pathlib.Path) -> None:
    """Exits with an error status if training would stop at an example.

    In the folder of the run, the files of an earlier check are replaced.
    """
    from symmflow_jax.preparation.check_data import check_data, files_of
    from symmflow_jax.runtime import outputs

    output = paths.output(workdir / "check_data")
    if paths.OUTPUT.present:
        outputs.check_outputs(files_of(output), overwrite=paths.OVERWRITE.value)
    if not check_data(experiment, output):
        sys.exit("Error: training would stop at the examples marked with '!' above.")


def _encode(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.preparation.encode_latents import encode

    encode(experiment, workdir)


def _pack(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.preparation.pack import pack

    given = path_flag(paths.OUTPUT) or workdir / "pack"
    program = "gcloud storage" if str(given).startswith("gs") else "aws s3"
    place.refuse(
        given,
        "--output of --mode=pack",
        f"Pack to a disk, and copy the folder: `{program} cp --recursive FOLDER {given}`. Then "
        "--config.data.dir may be that place in the bucket.",
    )
    output = paths.output(workdir / "pack")
    pack(experiment, output, _EXAMPLES_PER_SHARD.value, overwrite=paths.OVERWRITE.value)


CHECK_DATA = Mode(
    _check_data,
    "looks at all examples, and draws some with their masks",
    FILES,
    keys=("seed", "data", *KIND),
)
ENCODE = Mode(
    _encode,
    "encodes the training images once, into a cache of latents",
    keys=("seed", "data", *MODEL, "eval.batch_size", "train.log_every_steps"),
)
PACK = Mode(
    _pack,
    "packs the data set into few large files, for the data source packed",
    (*FILES, "examples_per_shard"),
    ("seed", "data", *KIND),
)
