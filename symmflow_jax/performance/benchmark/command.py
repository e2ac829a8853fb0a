"""Speed of a config's programs on this machine, as Markdown (`--mode=benchmark`).

    python -m symmflow_jax.main --mode=benchmark --config=configs/mnist.py --batch_sizes=64,128
    python -m symmflow_jax.main --mode=benchmark --config=configs/coco_pixels.py --only=input
    python -m symmflow_jax.main --mode=benchmark --config=configs/coco_pixels.py --only=packed \
        --config.data.dir=LOOSE --packed=PACKED
    python -m symmflow_jax.main --mode=benchmark --config=configs/shapes.py --only=export

If PyTorch and torchcfm are installed (`pip install -e '.[benchmark]'`), the same network runs
the same workloads there, alternately with this project's. Measure on an idle machine.
"""

import contextlib
import logging
from collections.abc import Sequence

import jax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.source import DataError
from symmflow_jax.performance import workloads
from symmflow_jax.performance.benchmark import (
    compile_times,
    exported,
    input_pipeline,
    packed_files,
    tables,
    torch_peer,
)
from symmflow_jax.performance.benchmark.processes import MakeTasks, in_own_process
from symmflow_jax.performance.timing import Task, alternate

_logger = logging.getLogger(__name__)


def benchmark(
    experiment: Experiment,
    batch_sizes: Sequence[str] | None,
    num_rounds: int,
    only: str | None = None,
    packed: str = "",
) -> str:
    """Runs the benchmark and returns its tables as Markdown.

    Args:
        experiment: the experiment to time.
        batch_sizes: batch sizes as strings; None takes the training's batch size.
        num_rounds: number of timed calls of each workload.
        only: the part to run, "compile", "speed", "input", "packed" or "export"; None runs all
            that it can but the last one.
        packed: folder of the config's data, packed, whose reading is compared; "" for none.

    Raises:
        DataError: if packed data, or what it is compared with, is missing.
        ValueError: if a batch size is not a positive number, if the local devices do not divide
            it, or if packed data is to be measured and none is given.
    """
    sizes = _batch_sizes(batch_sizes or [str(experiment.train.batch_size)])
    peak = workloads.matmul_flops_per_second()
    parts = {
        "compile": lambda: tables.compile_times(*compile_times.measure(experiment, sizes[0])),
        "speed": lambda: tables.speed(
            [row for size in sizes for row in _speed(experiment, size, peak, num_rounds)]
        ),
        "input": lambda: _input(experiment, sizes[0]),
    }
    if packed:
        parts["packed"] = lambda: tables.packed_files(
            packed_files.measure(experiment, packed, sizes[0], num_rounds)
        )
    if only == "export":
        if batch_sizes:
            raise ValueError("--batch_sizes is not used by --only=export, which takes one image.")
        parts["export"] = lambda: tables.exports(exported.measure(experiment, num_rounds))
    chosen = [only] if only else list(parts)
    if only and only not in parts:
        raise ValueError(f"--only={only} needs --packed, the folder that --mode=pack wrote.")
    return "\n\n".join([tables.machine(peak), *(parts[name]() for name in chosen)])


def _speed(
    experiment: Experiment, batch_size: int, peak: float, num_rounds: int
) -> list[tables.Speed]:
    subject = workloads.subject(experiment, batch_size)
    flops = workloads.flops(subject)
    rows = []
    with contextlib.ExitStack() as stack:

        def own_process(make_tasks: MakeTasks) -> dict[str, Task]:
            return stack.enter_context(
                in_own_process(make_tasks, experiment, batch_size, subject.names)
            )

        # An accelerator may serve only one process, this one.
        on_cpu = jax.default_backend() == "cpu"
        ours = own_process(workloads.tasks) if on_cpu else workloads.tasks(experiment, batch_size)
        contenders = {"ours": ours}
        has_peer = torch_peer.has_form_of(subject.method.network) and not subject.method.has_span
        if has_peer and torch_peer.is_installed():
            contenders["peer"] = own_process(
                torch_peer.cpu_tasks if on_cpu else torch_peer.cuda_tasks
            )
        for name in subject.names:
            _logger.info("%s, batch %d", name, batch_size)
            seconds = alternate({who: tasks[name] for who, tasks in contenders.items()},
                                num_rounds)  # fmt: skip
            rows.append(tables.Speed(name, batch_size, seconds["ours"], seconds.get("peer"),
                                     flops[name], peak))  # fmt: skip
    return rows


def _input(experiment: Experiment, batch_size: int) -> str:
    try:
        return tables.input_pipeline(input_pipeline.measure(experiment, batch_size))
    except DataError as error:
        return f"Input pipeline: not measured. {error}"


def _batch_sizes(words: Sequence[str]) -> list[int]:
    if not all(word.isdigit() and int(word) for word in words):
        raise ValueError(f"--batch_sizes is {','.join(words)}; give numbers such as 64,128.")
    for word in words:
        if int(word) % jax.local_device_count():
            raise ValueError(
                f"--batch_sizes holds {word}, which {jax.local_device_count()} devices do not "
                "divide."
            )
    return [int(word) for word in words]
