"""The published figures of TPU chips."""

import pytest

from symmflow_jax.performance.plan.chips import CHIPS


@pytest.mark.parametrize("name", CHIPS)
def test_figures_are_of_the_size_of_a_chip(name):
    """A slip of a unit would be a factor of a thousand."""
    chip = CHIPS[name]
    assert chip.name == name
    assert 100e12 < chip.flops_per_second < 5_000e12
    assert chip.hbm_bytes % 2**30 == 0 and 8 <= chip.hbm_bytes // 2**30 <= 256
    # Operations for each byte that memory gives in the same time.
    assert 100 < chip.flops_per_second / chip.hbm_bytes_per_second < 1_000


def test_later_chips_compute_faster():
    assert CHIPS["v6e"].flops_per_second > CHIPS["v5e"].flops_per_second
    assert CHIPS["v5p"].flops_per_second > CHIPS["v4"].flops_per_second
    assert CHIPS["v5p"].hbm_bytes == max(chip.hbm_bytes for chip in CHIPS.values())


def test_only_a_chip_of_two_cores_is_configured():
    assert {name for name, chip in CHIPS.items() if chip.config_name} == {"v4"}
