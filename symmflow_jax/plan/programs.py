"""The programs of a config, compiled for devices that need not be there."""

import pathlib
import re
from typing import Any, NamedTuple

import jax

from symmflow_jax import build, predictions
from symmflow_jax.benchmark import workloads
from symmflow_jax.config import Config
from symmflow_jax.flow.solvers import EULER, FixedSteps
from symmflow_jax.plan.collectives import Collective, collectives
from symmflow_jax.symmflow import Weights


class Memory(NamedTuple):
    """Bytes of a chip's memory that a program needs.

    Attributes:
        arguments: what it is given.
        outputs: what it gives.
        aliased: outputs that take the place of arguments.
        temporaries: what it needs in between.
        code: the program itself.
        peak: the most at any time.
    """

    arguments: int
    outputs: int
    aliased: int
    temporaries: int
    code: int
    peak: int


class Cost(NamedTuple):
    """A program that was compiled, in figures for one chip.

    Attributes:
        name: "train step" or "generation".
        batch_size: examples over all chips that run it.
        num_chips: these chips.
        flops: operations of the network as it is written.
        compiled_flops: operations as XLA counts them in the compiled module.
        num_bytes: memory traffic, counted likewise.
        num_repeats: how often the loop runs whose body the two counts above hold once.
        memory: what it needs.
        collectives: messages between the chips.
    """

    name: str
    batch_size: int
    num_chips: int
    flops: float
    compiled_flops: float
    num_bytes: float
    num_repeats: int
    memory: Memory
    collectives: list[Collective]


class DoesNotFit(Exception):
    """The compiler found no way to keep a program within a chip's memory."""


def train_step(
    config: Config, batch_size: int, devices: tuple[jax.Device, ...], dump: pathlib.Path | None
) -> Cost:
    """The train step over all devices.

    Args:
        config: the run.
        batch_size: examples of the whole batch.
        devices: what to compile for.
        dump: folder for the module's text, or None.

    Raises:
        DoesNotFit: if memory is too small.
    """
    subject = workloads.subject(config, batch_size)
    optimizer, create = workloads.beginning(subject)
    parallelism = build.parallelism(config, devices)
    step = build.train_step(config, subject.flow, optimizer, parallelism)
    state = jax.eval_shape(create, jax.random.key(0))
    lowered = step.lower(*parallelism.arguments(state, subject.batch))
    return _cost(
        workloads.TRAIN_STEP, lowered, subject, len(devices), config.train.num_microbatches, dump
    )


def generation(config: Config, devices: tuple[jax.Device, ...], dump: pathlib.Path | None) -> Cost:
    """Generation over the devices of one process, as evaluation does it; see `train_step`."""
    subject = workloads.subject(config, config.eval.batch_size)
    parallelism = build.parallelism(config, devices)
    flow = subject.flow
    shapes = jax.eval_shape(
        lambda key: Weights(flow.init(key), flow.codec.init(key)), jax.random.key(0)
    )
    weights, batch = parallelism.inference_arguments(shapes, subject.batch)
    num_steps = config.eval.generation_steps
    lowered = predictions.generate.lower(
        flow,
        weights,
        jax.eval_shape(jax.random.key, 0),
        batch["position"],
        batch["labels"],
        FixedSteps(EULER, num_steps),
    )
    num_chips = len(batch["position"].sharding.device_set)
    return _cost(workloads.GENERATION, lowered, subject, num_chips, num_steps, dump)


def _cost(
    name: str,
    lowered: jax.stages.Lowered,
    subject: workloads.Subject,
    num_chips: int,
    num_repeats: int,
    dump: pathlib.Path | None,
) -> Cost:
    compiled = _compile(lowered)
    text = compiled.as_text() or ""
    if dump is not None:
        dump.mkdir(parents=True, exist_ok=True)
        (dump / f"{name.replace(' ', '_')}.hlo.txt").write_text(text)
    analysis: Any = compiled.cost_analysis()
    return Cost(
        name=name,
        batch_size=subject.batch_size,
        num_chips=num_chips,
        flops=workloads.flops(subject)[name] / num_chips,
        compiled_flops=analysis["flops"],
        num_bytes=analysis["bytes accessed"],
        num_repeats=num_repeats,
        memory=_memory(compiled),
        collectives=collectives(text),
    )


def _compile(lowered: jax.stages.Lowered) -> jax.stages.Compiled:
    try:
        return lowered.compile()
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
