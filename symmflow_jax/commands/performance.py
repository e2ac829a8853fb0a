"""Plans, timings and the examination of machines."""

import logging
import pathlib
import sys
from typing import TYPE_CHECKING

from absl import flags

from symmflow_jax.commands.flags import paths
from symmflow_jax.commands.mode import FILES, RUN, Mode
from symmflow_jax.config.command_line import path_flag
from symmflow_jax.config.reading.range_flags import define_number
from symmflow_jax.config.schema.ranges import at_least
from symmflow_jax.runtime.storage import place

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment

_logger = logging.getLogger(__name__)

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


def _plan(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.performance.plan.plan import plan

    plan(experiment, workdir, overwrite=paths.OVERWRITE.value)


def _benchmark(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.performance.benchmark.command import benchmark
    from symmflow_jax.runtime import files, outputs

    del workdir
    output = place.place(path_flag(paths.OUTPUT) or "", "--output") if paths.OUTPUT.value else None
    if output:
        outputs.check_outputs([output], overwrite=paths.OVERWRITE.value)
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


PLAN = Mode(_plan, "compiles for a TPU slice, without a TPU", ("overwrite",), (*RUN, "plan"))
BENCHMARK = Mode(
    _benchmark,
    "times train step, generation, recognition, compilation and reading",
    (*FILES, "batch_sizes", "num_rounds", "only", "packed"),
    RUN,
)
DOCTOR = Mode(
    _doctor,
    "checks processes, devices, network, data and the workdir, the first thing on a new pod",
    keys=RUN,
    several=True,
)
