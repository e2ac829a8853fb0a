"""Programs of a config, compiled for devices that need not exist on this machine."""

import pathlib
import re
from typing import Any, NamedTuple

import jax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.methods.weights import Weights
from symmflow_jax.performance import workloads
from symmflow_jax.performance.plan import hlo
from symmflow_jax.performance.plan.collectives import Collective, collectives
from symmflow_jax.performance.plan.traffic import traffic
from symmflow_jax.runtime import files


class Memory(NamedTuple):
    """Bytes of a chip's memory that a program needs.

    Attributes:
        arguments: its arguments.
        outputs: its results.
        aliased: results that reuse the memory of arguments.
        temporaries: its intermediate arrays.
        code: its machine code.
        peak: largest use at any time.
    """

    arguments: int
    outputs: int
    aliased: int
    temporaries: int
    code: int
    peak: int


class Cost(NamedTuple):
    """Cost of a compiled program; all figures are for one chip unless stated otherwise.

    Attributes:
        name: "train step" or "generation".
        batch_size: number of examples over all chips that run it.
        num_chips: number of these chips.
        flops: operations of the lowered program; see `workloads.flops`.
        compiled_flops: operations that XLA counts in the compiled module, with the body of a loop
            counted once.
        compiled_bytes: accessed bytes that XLA counts in the same way, also in vector memory.
        num_bytes: traffic of main memory in bytes; see `traffic`.
        memory: its memory.
        collectives: collectives between the chips.
    """

    name: str
    batch_size: int
    num_chips: int
    flops: float
    compiled_flops: float
    compiled_bytes: float
    num_bytes: float
    memory: Memory
    collectives: list[Collective]


class Compiler(NamedTuple):
    """Settings of the compilation.

    Attributes:
        optimization_level: XLA's optimization effort, "O0" to "O3".
        dump: folder for the modules' text, or None.
    """

    optimization_level: str
    dump: pathlib.Path | None = None


NAMES = (workloads.TRAIN_STEP, workloads.GENERATION)
"""Names of the programs."""


def dumped(folder: pathlib.Path, name: str) -> pathlib.Path:
    """The file of a program's text in the folder for modules' text."""
    return folder / f"{name.replace(' ', '_')}.hlo.txt"


class DoesNotFit(Exception):
    """A program needs more memory than a chip has."""


def train_step(
    experiment: Experiment, batch_size: int, devices: tuple[jax.Device, ...], compiler: Compiler
) -> Cost:
    """Compiles the train step over all devices.

    Args:
        experiment: the run.
        batch_size: number of examples of the whole batch.
        devices: the devices to compile for.
        compiler: settings of the compilation.

    Raises:
        DoesNotFit: if the memory is too small.
    """
    subject = workloads.subject(experiment, batch_size)
    optimizer, create = workloads.beginning(subject)
    parallelism = experiment.parallelism(devices)
    step = subject.experiment.train_step(optimizer, parallelism)
    state, frozen = workloads.shapes(subject, create)
    lowered = step.lower(*parallelism.arguments(state, frozen, subject.batch))
    return _cost(workloads.TRAIN_STEP, lowered, subject, len(devices), compiler)


def generation(experiment: Experiment, devices: tuple[jax.Device, ...], compiler: Compiler) -> Cost:
    """Compiles generation over the devices of one process, as in an evaluation.

    Arguments and errors are as in `train_step`; the batch size is `config.eval.batch_size`.
    """
    subject = workloads.subject(experiment, experiment.eval.batch_size)
    parallelism = experiment.parallelism(devices)
    method = subject.method
    shapes = jax.eval_shape(
        lambda key: Weights(method.init(key), method.codec.init(key)), jax.random.key(0)
    )
    weights, batch = parallelism.inference_arguments(shapes, subject.batch)
    lowered = predictions.generate.lower(
        method,
        weights,
        jax.eval_shape(jax.random.key, 0),
        batch.example_index,
        batch.labels,
        experiment.generation_row[-1],
    )
    num_chips = len(batch.example_index.sharding.device_set)
    return _cost(workloads.GENERATION, lowered, subject, num_chips, compiler)


def _cost(
    name: str,
    lowered: jax.stages.Lowered,
    subject: workloads.Subject,
    num_chips: int,
    compiler: Compiler,
) -> Cost:
    compiled = _compile(lowered, compiler.optimization_level)
    text = compiled.as_text() or ""
    if compiler.dump is not None:
        files.write_text(dumped(compiler.dump, name), text)
    module = hlo.parse(text)
    analysis: Any = compiled.cost_analysis()
    return Cost(
        name=name,
        batch_size=subject.batch_size,
        num_chips=num_chips,
        flops=workloads.flops(subject, [name])[name] / num_chips,
        compiled_flops=analysis["flops"],
        compiled_bytes=analysis["bytes accessed"],
        num_bytes=traffic(module),
        memory=_memory(compiled),
        collectives=collectives(module),
    )


def _compile(lowered: jax.stages.Lowered, optimization_level: str) -> jax.stages.Compiled:
    try:
        return lowered.compile({"xla_optimization_level": f"EFFORT_{optimization_level}"})
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        used = re.search(r"Used \S+ of \S+ hbm", str(error))
        reason = used[0] if used else str(error).splitlines()[0].rstrip(".")
        raise DoesNotFit(reason) from error


def _memory(compiled: jax.stages.Compiled) -> Memory:
    stats: Any = compiled.memory_analysis()
    return Memory(
        arguments=stats.argument_size_in_bytes,
        outputs=stats.output_size_in_bytes,
        aliased=stats.alias_size_in_bytes,
        temporaries=stats.temp_size_in_bytes,
        code=stats.generated_code_size_in_bytes,
        peak=stats.peak_memory_in_bytes,
    )
