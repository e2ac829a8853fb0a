import pytest

from symmflow_jax.flow.state import JointState, map_components


def test_components_of_several_states_meet():
    first, second = JointState(7, 10), JointState(2, 4)
    assert map_components(lambda a, b: a - b, first, second) == JointState(5, 6)


@pytest.mark.parametrize(
    "components",
    [(None, None), (None, {"a": 1, "b": None}), ({}, (1, (2, 3))), ([], JointState(1, 2))],
)
def test_components_are_handed_over_whole(components):
    seen = []
    result = map_components(seen.append, JointState(*components))
    assert len(seen) == 2
    assert all(handed is component for handed, component in zip(seen, components, strict=True))
    assert result == JointState(None, None)


def test_results_may_be_anything():
    state = map_components(lambda n: {"square": n * n, "nothing": None}, JointState(2, 3))
    assert state.image == {"square": 4, "nothing": None}
    assert state.semantics == {"square": 9, "nothing": None}
