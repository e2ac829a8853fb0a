"""Flags of the integration from noise."""

import pytest

from symmflow_jax.commands.flags import integration
from symmflow_jax.config import command_line


def test_a_solver_by_flag_has_as_many_steps_as_it_takes(flag_values, tiny_experiment):
    experiment = tiny_experiment()
    assert integration.num_steps(experiment, 25) == 25
    flag_values(solver="heun", num_steps="12")
    assert integration.num_steps(experiment, 25) == 12
    assert integration.with_solver(experiment).eval.solvers == ("heun",)
    flag_values(solver="dopri5")
    with pytest.raises(ValueError, match="num_steps=12 is given, but --solver=dopri5 chooses"):
        integration.num_steps(experiment, 25)
    flag_values(solver="leapfrog")
    with pytest.raises(ValueError, match="The solver is 'leapfrog'; choose one of euler, midpoint"):
        integration.with_solver(experiment)


def test_two_ways_to_name_solvers_are_one_too_many(flag_values, tiny_experiment, monkeypatch):
    assert integration.with_solver(tiny_experiment()).eval.solvers == ("euler",)
    flag_values(solver="heun")
    monkeypatch.setattr(command_line, "given_keys", lambda: ["eval.solvers"])
    with pytest.raises(ValueError, match="--solver and --config.eval.solvers are both given"):
        integration.with_solver(tiny_experiment())
