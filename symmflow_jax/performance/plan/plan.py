"""Memory, operations and collectives of a config on a TPU slice, without a TPU (`--mode=plan`)."""

import functools
import logging
import pathlib
from collections.abc import Callable
from typing import Any

import jax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.performance import workloads
from symmflow_jax.performance.plan import programs
from symmflow_jax.performance.plan.chips import Chip
from symmflow_jax.performance.plan.programs import Compiler, Cost, DoesNotFit
from symmflow_jax.performance.plan.roofline import roofline
from symmflow_jax.performance.plan.search import largest
from symmflow_jax.performance.plan.topology import open_host, open_topology
from symmflow_jax.runtime import files, outputs, processes

_logger = logging.getLogger(__name__)

_NOTE = (
    "These are bounds found by compiling, not timings: nothing was run. A step takes at least as "
    "long as the higher of the two bounds, and longer by what chips wait for each other."
)


_NETWORKS = {False: "within a slice", True: "between slices"}


def plan(
    experiment: Experiment, workdir: pathlib.Path, *, overwrite: bool = False
) -> dict[str, Any]:
    """Compiles a config's train step and generation for a topology; logs and writes their costs.

    Args:
        experiment: the run; `config.plan` names the topology.
        workdir: folder to write `plan.json` to.
        overwrite: whether to replace files that exist.

    Returns:
        the contents of `plan.json`.

    Raises:
        ValueError: if there is no such topology, if libtpu is missing or in use, or if the chips
            do not divide a batch.
        OutputError: if a file exists or cannot be written.
    """
    path = workdir / "plan.json"
    outputs.check_outputs([path], overwrite=overwrite, instead="another --workdir")
    dump = pathlib.Path(experiment.plan.dump) if experiment.plan.dump else None
    dumped = [] if dump is None else [programs.dumped(dump, name) for name in programs.NAMES]
    outputs.check_outputs(dumped, overwrite=overwrite, instead="another config.plan.dump")
    # All other computations run on CPU, not on an accelerator of this machine.
    jax.config.update("jax_platforms", "cpu")
    # The cache cannot load programs for devices that do not exist here.
    jax.config.update("jax_enable_compilation_cache", False)
    chip, devices = open_topology(experiment.plan.topology, experiment.plan.num_slices)
    batch_size = experiment.plan.batch_size or experiment.train.batch_size
    _check_batch_sizes(experiment, batch_size, devices)
    compiler = Compiler(experiment.plan.optimization_level, dump)
    result = _head(experiment, chip, devices)
    _logger.info("%s, %d slices, %d chips, %s, optimized to %s. %s", experiment.plan.topology,
                 experiment.plan.num_slices, len(devices), experiment.parallel,
                 experiment.plan.optimization_level, _NOTE)  # fmt: skip
    host = open_host(experiment.plan.topology, devices)
    train_step = _train_steps(experiment, batch_size, devices, compiler)
    planned = {"train step": lambda: train_step(batch_size)}
    if workloads.GENERATION in workloads.subject(experiment, 1).names:
        planned["generation"] = lambda: programs.generation(experiment, host, compiler)
    for name, compile_program in planned.items():
        result["programs"][name] = _planned(name, compile_program, chip)
        # The next compilation may take an hour; results so far are written before it.
        files.write_json(path, result)
    if experiment.plan.search:
        parts = len(devices) * experiment.train.num_microbatches
        most = largest(
            lambda count: _fits(train_step, count * parts, len(devices), chip), batch_size // parts
        )
        result["largest_batch_per_chip"] = most * experiment.train.num_microbatches
        _logger.info("Largest batch: %d for each chip.", result["largest_batch_per_chip"])
        files.write_json(path, result)
    _logger.info("Written to %s.", path)
    return result


def _head(experiment: Experiment, chip: Chip, devices: tuple[jax.Device, ...]) -> dict[str, Any]:
    return {
        "note": _NOTE,
        "topology": experiment.plan.topology,
        "num_slices": experiment.plan.num_slices,
        "parallel": experiment.parallel,
        "optimization_level": experiment.plan.optimization_level,
        "num_chips": len(devices),
        "chip": chip._asdict(),
        "programs": {},
    }


def _train_steps(
    experiment: Experiment, batch_size: int, devices: tuple[jax.Device, ...], compiler: Compiler
) -> Callable[[int], Cost]:
    """A function from a batch size to the cost of a train step; each size is compiled once."""

    @functools.cache
    def train_step(size: int) -> Cost:
        # Only the planned step is dumped, not those of the search.
        kept = compiler if size == batch_size else compiler._replace(dump=None)
        return programs.train_step(experiment, size, devices, kept)

    return train_step


def _planned(name: str, compile_program: Callable[[], Cost], chip: Chip) -> dict[str, Any]:
    """Compiles a program and logs its cost; returns the entry for plan.json."""
    try:
        cost = compile_program()
    except DoesNotFit as error:
        _logger.info("%s does not fit: %s.", name, error)
        return {"fits": False, "reason": str(error)}
    _logger.info("%s", _as_text(cost, chip))
    return _as_json(cost, chip)


def _fits(train_step: Callable[[int], Cost], batch_size: int, num_chips: int, chip: Chip) -> bool:
    per_chip = batch_size // num_chips
    try:
        cost = train_step(batch_size)
    except DoesNotFit as error:
        _logger.info("%d for each chip: does not fit (%s).", per_chip, error)
        return False
    _logger.info("%d for each chip: %s.", per_chip, _size(cost.memory.peak))
    return cost.memory.peak <= chip.hbm_bytes


def _check_batch_sizes(
    experiment: Experiment, batch_size: int, devices: tuple[jax.Device, ...]
) -> None:
    parts = len(devices) * experiment.train.num_microbatches
    name = "plan" if experiment.plan.batch_size else "train"
    processes.check_batch_size(batch_size, parts, f"config.{name}.batch_size")
    own = [device for device in devices if device.process_index == 0]
    processes.check_batch_size(experiment.eval.batch_size, len(own), "config.eval.batch_size")


def _as_json(cost: Cost, chip: Chip) -> dict[str, Any]:
    bounds = _bounds(cost, chip)
    return cost._asdict() | {
        "fits": cost.memory.peak <= chip.hbm_bytes,
        "memory": cost.memory._asdict(),
        "collectives": [collective._asdict() for collective in cost.collectives],
        "roofline": bounds._asdict() | {"bound_by": bounds.bound_by},
    }


def _as_text(cost: Cost, chip: Chip) -> str:
    memory, bounds = cost.memory, _bounds(cost, chip)
    lines = [
        f"{cost.name}: {cost.batch_size} examples, {cost.batch_size // cost.num_chips} for each "
        f"of {cost.num_chips} chips",
        f"  memory of a chip: peak {_size(memory.peak)} of {_size(chip.hbm_bytes)}; arguments "
        f"{_size(memory.arguments)}, outputs {_size(memory.outputs)} (in place of arguments "
        f"{_size(memory.aliased)}), temporaries {_size(memory.temporaries)}, code "
        f"{_size(memory.code)}",
        f"  work of a chip: {cost.flops / 1e9:,.1f} GFLOP as written; compiled, loops once, "
        f"{cost.compiled_flops / 1e9:,.1f} GFLOP and {_size(cost.compiled_bytes)} accessed",
        f"  memory traffic of a chip: {_size(cost.num_bytes)}",
        f"  at least {bounds.compute_seconds * 1e3:,.2f} ms of arithmetic and "
        f"{bounds.memory_seconds * 1e3:,.2f} ms of memory traffic: {bounds.bound_by} binds",
    ]
    for collective in cost.collectives:
        lines.append(
            f"  {collective.kind} {_NETWORKS[collective.between_slices]}: {collective.num_runs}, "
            f"{_size(collective.num_bytes)}"
        )
    return "\n".join(lines if cost.collectives else [*lines, "  no collectives between chips"])


def _bounds(cost: Cost, chip: Chip):
    return roofline(cost.flops, cost.num_bytes, chip)


def _size(num_bytes: float) -> str:
    """Formats bytes with a unit."""
    for unit in ("B", "KiB", "MiB"):
        if num_bytes < 1024:
            return f"{num_bytes:,.1f} {unit}"
        num_bytes /= 1024
    return f"{num_bytes:,.2f} GiB"
