"""The mixture at a small size, where the order of the methods shows already."""

import pytest

from symmflow_jax.flow.editing.known import Langevin, RePaint, Replacement
from symmflow_jax.flow.solvers import fixed_steps
from symmflow_jax.studies.editing import mixture
from symmflow_jax.studies.editing.mixture import Size

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_SMALL = Size(contexts=16, draws=64, points=64)


@pytest.mark.parametrize("passes", mixture.BUDGETS)
def test_all_methods_take_the_passes_of_their_column(passes):
    for name in (mixture.REPLACED, mixture.REPAINTED, mixture.SETTLED, mixture.UNGUIDED):
        filling, solve = mixture.of_budget(name, passes)
        assert solve.nfe + filling.passes(solve) == passes


def test_replacement_is_worse_than_what_lets_both_parts_settle():
    found, solve = mixture.Regions(0, _SMALL), fixed_steps.euler(10)
    distances = [
        found.distance(filling, solve) for filling in (Replacement(), RePaint(5), Langevin(5))
    ]
    assert distances[0] > 1.5 * max(distances[1:])
    assert found.nothing() > distances[0] > found.floor()
    assert abs(found.floor()) < 0.03


def test_a_way_back_is_nearer_with_a_better_solver(monkeypatch):
    trips = {"euler": {0: fixed_steps.euler(10)}, "heun": {0: fixed_steps.heun(10)}}
    monkeypatch.setattr(mixture, "ROUND_TRIPS", trips)
    found = mixture.round_trips(0, _SMALL)
    assert (found["euler"][0].passes, found["heun"][0].passes) == (20, 40)
    assert found["heun"][0].rmse < 0.3 * found["euler"][0].rmse < 0.3


def test_an_edit_goes_a_shorter_way_than_an_image_from_noise():
    found = mixture.swaps(0, _SMALL)
    ways = [found[name][mixture.MOVED] for name in (mixture.EDITED, mixture.INVERTED, mixture.MADE)]
    assert ways[0] < ways[1] < ways[2]
