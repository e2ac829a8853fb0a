"""Tables say what was measured."""

from symmflow_jax.performance.benchmark import tables
from symmflow_jax.performance.benchmark.compile_times import Program
from symmflow_jax.performance.benchmark.input_pipeline import Rate
from symmflow_jax.performance.benchmark.packed_files import Rates


def test_speeds_and_their_ratio():
    rows = [
        tables.Speed("train step", 64, 2.0, 1.0, flops=64e9, peak=128e9),
        tables.Speed("generation", 8, 0.5, None, flops=4e9, peak=128e9),
    ]
    lines = tables.speed(rows).splitlines()
    assert lines[2] == "| train step | 64 | 32.0 | 64.0 | 0.50 | 1.00 | 25% |"
    assert lines[3] == "| generation | 8 | 16.0 |  |  | 0.50 | 6% |"


def test_cold_and_cached_starts():
    cold = {"train step": Program(1.0, 12.0, 30_000_000, 20_000_000, 1_500_000_000)}
    cached = {"train step": Program(1.0, 0.5, 30_000_000, 20_000_000, 1_500_000_000)}
    row = tables.compile_times(cold, cached).splitlines()[2]
    assert row == "| train step | 1.0 | 12.0 | 13.0 | 1.5 | 30 | 20 | 1500 |"


def test_readers_beside_plain_pillow():
    rows = [Rate("plain", 200.0, None, 1.0), Rate("1 worker process", 190.0, 6.25, 0.95)]
    lines = tables.input_pipeline([*rows, Rate("threads", 5.0, 0.1, None)]).splitlines()
    assert lines[2:] == [
        "| plain | 200.0 | 1.00 |  |",
        "| 1 worker process | 190.0 | 0.95 | 6.2 |",
        "| threads | 5.0 |  | 0.1 |",
    ]


def test_packed_data_beside_loose_files():
    rows = [Rates("1 worker process", 200.0, 210.0, (0.9, 1.2))]
    line = tables.packed_files(rows).splitlines()[2]
    assert line == "| 1 worker process | 200.0 | 210.0 | 1.05 (0.90 to 1.20) |"
