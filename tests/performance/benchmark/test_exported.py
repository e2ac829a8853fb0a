"""A model beside its exports."""

import sys

import numpy as np
import pytest

from symmflow_jax.performance.benchmark import exported, tables


@pytest.fixture
def points(tiny_experiment):
    """An experiment of points, whose network is small."""
    return tiny_experiment(
        **{
            "data.source": "spirals",
            "data.image_size": (),
            "semantics.encoding": "plane",
            "semantics.dequantization_beta": 4.0,
            "network.name": "mlp",
            "network.channels": 8,
        }
    )


def test_forms_are_measured_beside_the_model(points):
    rows = exported.measure(points, num_rounds=1)
    assert rows[0].name == "JAX, the model itself" and rows[0].num_bytes == 0
    assert "StableHLO" in [row.name for row in rows]
    for row in rows:
        assert (row.num_other_ids, row.num_ids) == (0, 8)
        assert row.difference < 1e-4 and row.seconds > 0
    assert all(row.num_bytes > 1_000 for row in rows[1:])
    table = tables.exports(rows)
    assert "one step of one image, ms" in table and "| StableHLO |" in table


def test_what_is_not_installed_is_left_out(points, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert [row.name for row in exported.measure(points, 1)] == [
        "JAX, the model itself", "StableHLO",
    ]  # fmt: skip


def test_an_output_that_differs_is_seen():
    ours = {"ids": np.asarray([1, 2]), "confidence": np.asarray([0.5, 0.5])}
    other = {"ids": np.asarray([1, 3]), "confidence": np.asarray([0.5, 0.75])}
    row = exported._row("x", 1, {"x": [other, ours], exported._OURS: [ours, ours]}, 1.0)
    assert (row.num_other_ids, row.num_ids, row.difference) == (1, 4, 0.25)
