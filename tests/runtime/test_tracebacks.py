"""Errors of the Python interface are short."""

import traceback

import numpy as np
import pytest

from symmflow_jax.runtime import tracebacks
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.semantics import palettes


@tracebacks.short
def _colour(text: str):
    """Reads a colour."""
    return palettes.from_hex(text)


def test_the_project_s_errors_have_no_frames_of_it():
    with pytest.raises(ValueError, match="'red'") as caught:
        _colour("red")
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert [frame.name for frame in frames][1:] == ["call"]
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_errors_of_libraries_and_faults_keep_theirs():
    for function, error in ((np.reshape, ValueError), (lambda a, b: a.missing, AttributeError)):
        with pytest.raises(error) as caught:
            tracebacks.short(function)(3, (2, 2))
        assert len(traceback.extract_tb(caught.value.__traceback__)) >= 2
        assert not caught.value.__suppress_context__


def test_the_wrapped_function_keeps_its_name_and_result():
    assert _colour("#ff0080") == (255, 0, 128)
    assert _colour.__name__ == "_colour" and _colour.__doc__ == "Reads a colour."


def test_a_checkpoint_error_is_one_of_them(tmp_path):
    from symmflow_jax.inference.loading import load

    with pytest.raises(CheckpointError) as caught:
        load(tmp_path)
    assert len(traceback.extract_tb(caught.value.__traceback__)) == 2
