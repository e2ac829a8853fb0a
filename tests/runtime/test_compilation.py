"""Compiler flags: added once, and never against the user's own; programs that run once."""

import os

import jax
import numpy as np

from symmflow_jax.runtime import compilation


def test_the_flag_is_added_to_the_users_flags_once(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=8")
    compilation.choose_fast_cpu_kernels()
    flags = os.environ["XLA_FLAGS"]
    assert flags.startswith("--xla_force_host_platform_device_count=8 --xla_cpu")
    compilation.choose_fast_cpu_kernels()
    assert os.environ["XLA_FLAGS"] == flags


def test_the_users_choice_stays(monkeypatch):
    chosen = "--xla_cpu_experimental_ynn_fusion_type=LIBRARY_FUSION_TYPE_REDUCE"
    monkeypatch.setenv("XLA_FLAGS", chosen)
    compilation.choose_fast_cpu_kernels()
    assert os.environ["XLA_FLAGS"].startswith(f"{chosen} --xla_cpu_parallel_codegen_split_count=")


def test_a_program_that_runs_once_gives_what_any_other_gives():
    def draw(key):
        return jax.random.normal(key, (3,))

    once = compilation.jit_once(draw)(jax.random.key(0))
    np.testing.assert_allclose(once, jax.jit(draw)(jax.random.key(0)), rtol=1e-6)
