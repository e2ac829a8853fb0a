"""Markdown tables of the benchmark's results."""

import os
import platform
from typing import NamedTuple

import jax

from symmflow_jax.performance.benchmark import exported
from symmflow_jax.performance.benchmark.compile_times import Program
from symmflow_jax.performance.benchmark.input_pipeline import Rate
from symmflow_jax.performance.benchmark.packed_files import Rates
from symmflow_jax.runs import markdown


class Speed(NamedTuple):
    """Time of one workload.

    Attributes:
        workload: name of the workload.
        batch_size: number of images of one call.
        seconds: seconds of one call.
        peer_seconds: seconds of one call in PyTorch, or None if that was not measured.
        flops: floating-point operations of one call.
        peak: floating-point operations per second of a large matrix product on this machine.
    """

    workload: str
    batch_size: int
    seconds: float
    peer_seconds: float | None
    flops: float
    peak: float


def machine(peak: float) -> str:
    """Description of the machine, with its `peak` FLOP/s of a matrix product."""
    devices = ", ".join(sorted({device.device_kind for device in jax.local_devices()}))
    return (
        f"{jax.local_device_count()} x {devices} ({platform.machine()}, {os.cpu_count()} cores); "
        f"JAX {jax.__version__}; float32 matrix product {peak / 1e9:.0f} GFLOP/s."
    )


def compile_times(cold: dict[str, Program], cached: dict[str, Program]) -> str:
    """A table of compile times, with a row for each program."""
    rows = [
        [
            name,
            f"{first.lower_seconds:.1f}",
            f"{first.compile_seconds:.1f}",
            f"{first.seconds:.1f}",
            f"{cached[name].seconds:.1f}",
            _megabytes(first.num_argument_bytes),
            _megabytes(first.num_donated_bytes),
            _megabytes(first.num_temporary_bytes),
        ]
        for name, first in cold.items()
    ]
    header = ["program", "trace and lower, s", "compile, s", "in all, s", "cached, s"]
    return markdown.table([*header, "arguments, MB", "donated, MB", "temporaries, MB"], rows)


def speed(rows: list[Speed]) -> str:
    """A table of workloads; the columns of PyTorch are empty if it was not measured."""
    header = ["workload", "batch", "images/s", "PyTorch images/s", "ratio", "GFLOP/image"]
    return markdown.table([*header, "share of matrix product"], [_cells(row) for row in rows])


def input_pipeline(rows: list[Rate]) -> str:
    """A table of readers; the ratio is empty if there are no image files."""
    cells = [
        [
            row.reader,
            f"{row.images_per_second:.1f}",
            "" if row.ratio is None else f"{row.ratio:.2f}",
            "" if row.start_seconds is None else f"{row.start_seconds:.1f}",
        ]
        for row in rows
    ]
    return markdown.table(
        ["input", "images/s", "ratio to plain Pillow", "first batch after, s"], cells
    )


def packed_files(rows: list[Rates]) -> str:
    """A table of readers of loose files and packed data."""
    cells = [
        [
            row.reader,
            f"{row.loose:.1f}",
            f"{row.packed:.1f}",
            f"{row.packed / row.loose:.2f} ({row.ratios[0]:.2f} to {row.ratios[1]:.2f})",
        ]
        for row in rows
    ]
    return markdown.table(["input", "loose images/s", "packed images/s", "ratio (rounds)"], cells)


def exports(rows: list[exported.Row]) -> str:
    """A table of a model and its exports; the first row is the model itself."""
    cells = [
        [
            row.name,
            f"{row.num_bytes / 1e6:.2f}" if row.num_bytes else "",
            f"{row.num_other_ids} of {row.num_ids}",
            f"{row.difference:.1e}",
            f"{1e3 * row.seconds:.2f}",
            f"{rows[0].seconds / row.seconds:.2f}",
        ]
        for row in rows
    ]
    header = ["form", "files, MB", "other ids", "largest difference", "one step of one image, ms"]
    return markdown.table([*header, "times as fast"], cells)


def _cells(row: Speed) -> list[str]:
    peer, ratio = "", ""
    if row.peer_seconds is not None:
        peer = f"{row.batch_size / row.peer_seconds:.1f}"
        ratio = f"{row.peer_seconds / row.seconds:.2f}"
    return [
        row.workload,
        str(row.batch_size),
        f"{row.batch_size / row.seconds:.1f}",
        peer,
        ratio,
        f"{row.flops / row.batch_size / 1e9:.2f}",
        f"{row.flops / row.seconds / row.peak:.0%}",
    ]


def _megabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:.0f}"
