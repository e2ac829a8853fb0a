"""The number of a step, which adaptive solvers do not have."""

import jax.numpy as jnp
import pytest

from symmflow_jax.flow.moment import Moment, numbered_step


def test_a_moment_of_fixed_steps_has_a_number():
    assert int(numbered_step(Moment(jnp.float32(0.5), jnp.int32(3)), "FlowEdit")) == 3


def test_an_adaptive_solver_is_refused_by_name():
    with pytest.raises(ValueError, match=r"FlowEdit draws noise .* choose a solver of fixed steps"):
        numbered_step(Moment(jnp.float32(0.5)), "FlowEdit")
