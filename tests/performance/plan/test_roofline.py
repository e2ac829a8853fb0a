"""The roofline, against figures worked by hand."""

import pytest

from symmflow_jax.performance.plan.chips import CHIPS, Chip
from symmflow_jax.performance.plan.roofline import roofline

CHIP = Chip("slow", flops_per_second=200.0, hbm_bytes=1, hbm_bytes_per_second=50.0)


@pytest.mark.parametrize(
    ("flops", "num_bytes", "compute", "memory", "bound_by"),
    [(1000.0, 100.0, 5.0, 2.0, "compute"), (100.0, 100.0, 0.5, 2.0, "memory")],
)
def test_the_higher_bound_binds(flops, num_bytes, compute, memory, bound_by):
    bounds = roofline(flops, num_bytes, CHIP)
    assert (bounds.compute_seconds, bounds.memory_seconds) == (compute, memory)
    assert bounds.seconds == max(compute, memory)
    assert bounds.bound_by == bound_by


def test_a_square_product_on_v5e():
    """8192 x 8192 in bfloat16: 1.0995e12 operations and 4.027e8 bytes, by hand."""
    bounds = roofline(2 * 8192**3, 3 * 2 * 8192**2, CHIPS["v5e"])
    assert bounds.compute_seconds == pytest.approx(5.581e-3, rel=1e-3)
    assert bounds.memory_seconds == pytest.approx(0.4916e-3, rel=1e-3)
