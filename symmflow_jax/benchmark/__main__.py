"""The benchmark's command; it prints Markdown.

    python -m symmflow_jax.benchmark --config=configs/mnist.py --batch_sizes=64,128
    python -m symmflow_jax.benchmark --config=configs/coco_pixels.py --only=input

With PyTorch and torchcfm installed (`pip install -e '.[benchmark]'`), the same network does the
same work there, in turn with this project's. Measure on an idle machine.
"""

import contextlib
import logging
import pathlib

import jax
from absl import flags

from symmflow_jax.benchmark import compile_times, input_pipeline, tables, torch_peer, workloads
from symmflow_jax.benchmark.processes import MakeTasks, in_own_process
from symmflow_jax.benchmark.timing import Task, alternate
from symmflow_jax.benchmark.workloads import NAMES
from symmflow_jax.config import command_line
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.sources.source import DataError

_logger = logging.getLogger("symmflow_jax.benchmark")

_BATCH_SIZES = flags.DEFINE_list("batch_sizes", None, "Batch sizes; that of the config by default.")
_NUM_ROUNDS = flags.DEFINE_integer("num_rounds", 5, "Timed calls of each workload.")
_ONLY = flags.DEFINE_enum(
    "only",
    None,
    ["compile", "speed", "input"],
    "Measure this alone: programs' compile times, speed of the workloads, or the input pipeline.",
)
_OUTPUT = flags.DEFINE_string("output", None, "Markdown file to write beside printing.")


def main(experiment: Experiment) -> None:
    """Measures and shows the tables.

    Raises:
        ValueError: if a batch size is no positive number.
    """
    batch_sizes = _batch_sizes(experiment)
    peak = workloads.matmul_flops_per_second()
    parts = {
        "compile": lambda: tables.compile_times(*compile_times.measure(experiment, batch_sizes[0])),
        "speed": lambda: tables.speed(
            [row for batch_size in batch_sizes for row in _speed(experiment, batch_size, peak)]
        ),
        "input": lambda: _input(experiment, batch_sizes[0]),
    }
    chosen = [_ONLY.value] if _ONLY.value else list(parts)
    text = "\n\n".join([tables.machine(peak), *(parts[name]() for name in chosen)])
    _logger.info("\n%s", text)
    if _OUTPUT.value:
        pathlib.Path(_OUTPUT.value).write_text(text + "\n")


def _speed(experiment: Experiment, batch_size: int, peak: float) -> list[tables.Speed]:
    subject = workloads.subject(experiment, batch_size)
    flops = workloads.flops(subject)
    rows = []
    with contextlib.ExitStack() as stack:

        def apart(make_tasks: MakeTasks) -> dict[str, Task]:
            return stack.enter_context(in_own_process(make_tasks, experiment, batch_size, NAMES))

        # An accelerator is this process's.
        on_cpu = jax.default_backend() == "cpu"
        ours = apart(workloads.tasks) if on_cpu else workloads.tasks(experiment, batch_size)
        contenders = {"ours": ours}
        if experiment.network.name == "unet" and torch_peer.is_installed():
            contenders["peer"] = apart(torch_peer.tasks)
        for name in NAMES:
            _logger.info("%s, batch %d", name, batch_size)
            seconds = alternate({who: tasks[name] for who, tasks in contenders.items()},
                                _NUM_ROUNDS.value)  # fmt: skip
            rows.append(tables.Speed(name, batch_size, seconds["ours"], seconds.get("peer"),
                                     flops[name], peak))  # fmt: skip
    return rows


def _input(experiment: Experiment, batch_size: int) -> str:
    try:
        return tables.input_pipeline(input_pipeline.measure(experiment, batch_size))
    except DataError as error:
        return f"Input pipeline: not measured. {error}"


def _batch_sizes(experiment: Experiment) -> list[int]:
    words = _BATCH_SIZES.value or [str(experiment.train.batch_size)]
    if not all(word.isdigit() and int(word) for word in words):
        raise ValueError(f"--batch_sizes is {','.join(words)}; give numbers such as 64,128.")
    for word in words:
        if int(word) % jax.local_device_count():
            raise ValueError(
                f"--batch_sizes holds {word}, which {jax.local_device_count()} devices do not "
                "divide."
            )
    return [int(word) for word in words]


if __name__ == "__main__":
    command_line.start(main)
