import ml_dtypes
import numpy as np
import pytest

from symmflow_jax.interop.finite import check_finite


def test_finite_floats_of_any_dtype_pass():
    for dtype in (np.float64, np.float32, np.float16, ml_dtypes.bfloat16):
        check_finite({"a": np.ones((2, 3), dtype), "none": np.zeros(0, dtype)})


def test_arrays_are_named_with_the_number_of_their_values():
    sound = np.ones((2, 3), np.float32)
    nan = sound.copy()
    nan[0, :2], nan[1, 0] = np.nan, -np.inf
    with pytest.raises(ValueError) as error:
        check_finite({"sound": sound, "stem.weight": nan, "large": np.array([1e300, 1.0])})
    assert str(error.value).startswith(
        "2 of 3 arrays hold values that are no finite float32 numbers: stem.weight (2 NaN, 1 "
        "infinite of 6 values), large (1 too large for float32 of 2 values). "
    )
    many = {str(number): np.array([np.nan], ml_dtypes.bfloat16) for number in range(30)}
    with pytest.raises(ValueError, match="4 .1 NaN of 1 values. and 25 more. .*earlier checkpoint"):
        check_finite(many)


@pytest.mark.parametrize("dtype", ["int8", "complex64", "bool"])
def test_numbers_that_are_no_floats_are_refused(dtype):
    with pytest.raises(ValueError, match=f"quantized .of dtype {dtype}, no floats"):
        check_finite({"quantized": np.ones(2, dtype)})
