"""Tables of names, on a network of two layers."""

import numpy as np
import pytest

from symmflow_jax.interop.names import layouts
from symmflow_jax.interop.names.layouts import (
    CONV,
    LINEAR,
    POINTWISE,
    SAME,
    from_state_dict,
    layer,
    norm,
    to_state_dict,
)

TABLE = (*layer("stem.conv", ("stem",), CONV), *norm("out.norm", ("out", "norm")))
SHAPES = {
    ("stem", "kernel"): (3, 5, 2, 4),
    ("stem", "bias"): (4,),
    ("out", "norm", "scale"): (4,),
    ("out", "norm", "bias"): (4,),
}


def _state_dict() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    shapes = {
        "stem.conv.weight": (4, 2, 3, 5),
        "stem.conv.bias": (4,),
        "out.norm.weight": (4,),
        "out.norm.bias": (4,),
    }
    return {key: generator.standard_normal(shape, np.float32) for key, shape in shapes.items()}


@pytest.mark.parametrize(
    ("layout", "in_torch", "here"),
    [
        (SAME, (7,), (7,)),
        (LINEAR, (7, 5), (5, 7)),
        (CONV, (7, 5, 3, 2), (3, 2, 5, 7)),
        (POINTWISE, (7, 5, 1), (5, 7)),
    ],
)
def test_a_layout_goes_there_and_back(layout, in_torch, here):
    array = np.arange(np.prod(in_torch)).reshape(in_torch)
    ours = layout.from_torch(array)
    assert ours.shape == here
    # The last output of the last input: the largest number.
    assert ours.flat[-1] == array.flat[-1]
    np.testing.assert_array_equal(layout.to_torch(ours), array)


def test_parameters_stand_where_the_table_says():
    state_dict = _state_dict()
    params = from_state_dict(state_dict, TABLE, SHAPES, "Remedy.")
    assert layouts.shapes_of(params) == SHAPES
    kernel = params["stem"]["kernel"]
    assert kernel[2, 1, 0, 3] == state_dict["stem.conv.weight"][3, 0, 2, 1]
    np.testing.assert_array_equal(params["out"]["norm"]["scale"], state_dict["out.norm.weight"])


def test_a_state_dict_comes_back_in_the_order_of_the_table():
    state_dict = _state_dict()
    mixed = dict(reversed(state_dict.items()))
    again = to_state_dict(from_state_dict(mixed, TABLE, SHAPES, ""), TABLE, SHAPES, "")
    assert list(again) == list(state_dict)
    for key, array in state_dict.items():
        np.testing.assert_array_equal(again[key], array)
        assert again[key].flags.c_contiguous


def test_weights_of_any_precision_become_float32():
    halves = {key: array.astype(np.float16) for key, array in _state_dict().items()}
    params = from_state_dict(halves, TABLE, SHAPES, "")
    assert params["stem"]["kernel"].dtype == np.float32
    doubles = {"stem": {"kernel": params["stem"]["kernel"].astype(np.float64)}}
    exported = to_state_dict(params | {"stem": params["stem"] | doubles["stem"]}, TABLE, SHAPES, "")
    assert exported["stem.conv.weight"].dtype == np.float32


def test_all_that_does_not_fit_is_listed_with_the_remedy():
    weights = _state_dict()
    del weights["stem.conv.bias"]
    weights |= {"ema.decay": np.zeros(()), "out.norm.bias": np.zeros(3)}
    with pytest.raises(ValueError) as error:
        from_state_dict(weights, TABLE, SHAPES, "Take other weights.")
    assert str(error.value) == (
        "The weights do not fit the network (missing: stem.conv.bias; surplus: ema.decay; "
        "misshapen: out.norm.bias is (3,), not (4,)). Take other weights."
    )


def test_parameters_that_do_not_fit_are_named_by_their_paths():
    params = from_state_dict(_state_dict(), TABLE, SHAPES, "")
    del params["out"]["norm"]["bias"]
    with pytest.raises(ValueError, match=r"\(missing: out/norm/bias\)\. Take others\."):
        to_state_dict(params, TABLE, SHAPES, "Take others.")


def test_of_very_many_names_the_first_are_told():
    surplus = {f"layer{number}": np.zeros(1) for number in range(100)}
    with pytest.raises(ValueError, match=r"surplus: layer0, .*layer29 and 70 more\)"):
        from_state_dict(_state_dict() | surplus, TABLE, SHAPES, "")
