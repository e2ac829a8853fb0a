"""Compiler flags, programs that run once, and the folder of compiled programs."""

import logging
import os
import pathlib

import jax
import numpy as np
import pytest
from jax._src.lru_cache import LRUCache

from symmflow_jax.runtime import compilation


def test_the_flag_is_added_to_the_users_flags_once(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=8")
    compilation.choose_fast_cpu_kernels()
    flags = os.environ["XLA_FLAGS"]
    assert flags.startswith("--xla_force_host_platform_device_count=8 --xla_cpu")
    compilation.choose_fast_cpu_kernels()
    assert os.environ["XLA_FLAGS"] == flags


@pytest.mark.parametrize("version", ["0.10.2", "0.11.2", "0.12.0.1"])
def test_small_batches_keep_the_newer_kernels(monkeypatch, version):
    monkeypatch.setattr(compilation.importlib.metadata, "version", lambda name: version)
    for batch_size, has_flag in ((16, False), (64, True)):
        monkeypatch.setenv("XLA_FLAGS", "")
        compilation.choose_fast_cpu_kernels(batch_size)
        assert ("ynn_fusion_type" in os.environ["XLA_FLAGS"]) == has_flag
        assert "--xla_cpu_parallel_codegen_split_count=" in os.environ["XLA_FLAGS"]


def test_another_process_may_have_another_choice(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_other=1")
    compilation.choose_fast_cpu_kernels(64)
    large = os.environ["XLA_FLAGS"]
    small = compilation.xla_flags(16)
    assert small.startswith("--xla_other=1 ") and "ynn_fusion_type" not in small
    compilation.choose_fast_cpu_kernels(16)  # Too late for this one.
    assert os.environ["XLA_FLAGS"] == compilation.xla_flags(64) == large


@pytest.mark.parametrize("version", ["0.9.2", "0.13.0", "1.0.0"])
def test_a_jaxlib_that_may_not_know_the_flags_gets_none(monkeypatch, version):
    """XLA would end the process."""
    monkeypatch.setattr(compilation.importlib.metadata, "version", lambda name: version)
    monkeypatch.setenv("XLA_FLAGS", "--xla_other=1")
    compilation.choose_fast_cpu_kernels()
    assert os.environ["XLA_FLAGS"] == "--xla_other=1"


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


@pytest.fixture
def cache_folder(monkeypatch):
    """A function to JAX's setting, which is that of a process that starts, and returns after."""
    before = jax.config.values["jax_compilation_cache_dir"]
    jax.config.update("jax_compilation_cache_dir", None)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    yield lambda: jax.config.values["jax_compilation_cache_dir"]
    jax.config.update("jax_compilation_cache_dir", before)


def test_compiled_programs_are_kept_in_the_users_cache(cache_folder, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compilation.keep_compiled_programs()
    assert cache_folder() == str(tmp_path / "symmflow_jax")
    assert list((tmp_path / "symmflow_jax").iterdir()) == []


def _no_home():
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize("case", ["no home", "a file", "read only"])
def test_without_a_folder_for_them_nothing_is_kept(
    cache_folder, monkeypatch, tmp_path, caplog, case
):
    """As in containers, with cron and with Slurm."""
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    if case == "no home":
        monkeypatch.setattr(pathlib.Path, "home", staticmethod(_no_home))
    elif case == "a file":
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", "/proc")
    with caplog.at_level(logging.INFO):
        compilation.keep_compiled_programs()
    assert cache_folder() is None
    (line,) = caplog.messages
    assert line.startswith("Compiled programs are not kept (") and "\n" not in line
    assert "JAX_COMPILATION_CACHE_DIR names a folder" in line


@pytest.mark.parametrize(
    "chosen, message",
    [
        ("gs:/bucket/cache", "a place in a bucket is written gs://bucket/cache"),
        ("hdfs://host/cache", "hdfs:// is not known"),
        ("gs://no-such-bucket/cache", "there is no bucket 'no-such-bucket'"),
    ],
)
def test_a_folder_that_cannot_be_used_is_named_and_nothing_is_kept(
    cache_folder, bucket_servers, monkeypatch, caplog, chosen, message
):
    bucket_servers("gs")
    monkeypatch.setattr(compilation._logger.parent.parent, "propagate", True)
    jax.config.update("jax_compilation_cache_dir", chosen)
    compilation.keep_compiled_programs()
    assert cache_folder() is None
    assert "Compiled programs are not kept" in caplog.text and message in caplog.text


def test_compiled_programs_may_be_kept_in_a_bucket(cache_folder, bucket):
    jax.config.update("jax_compilation_cache_dir", bucket)
    compilation.keep_compiled_programs()
    assert cache_folder() == bucket
    cache = LRUCache(bucket, max_size=-1)
    cache.put("key", b"program")
    assert cache.get("key") == b"program" and cache.get("other") is None
