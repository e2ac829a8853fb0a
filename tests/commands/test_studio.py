"""The command that serves the studio."""

import pathlib
import sys
import types

import pytest

from symmflow_jax.commands import studio
from symmflow_jax.commands.flags import integration
from symmflow_jax.studio import engine
from symmflow_jax.studio.web.guard import PASSWORD_VARIABLE


@pytest.fixture
def serve(called, monkeypatch, tiny_experiment):
    """A function that runs the command and returns what the server was given."""
    pytest.importorskip("aiohttp")
    call = called("studio.web.server:serve")
    monkeypatch.setattr(integration, "load", lambda *_: types.SimpleNamespace(reads_masks=True))
    monkeypatch.setattr(engine, "Engine", lambda model, view: "engine")
    monkeypatch.setattr(sys, "argv", ["main"])

    def run(workdir: pathlib.Path):
        studio.STUDIO.run(tiny_experiment(), workdir)
        return call.arguments

    return run


def test_loopback_is_the_default(serve, flag_values, tmp_path, monkeypatch):
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    flag_values(config="configs/shapes.py", port="0", longest_side="256")
    given, run_flags, serving = serve(tmp_path / "shapes")
    assert given == "engine" and serving.address == "127.0.0.1"
    assert (serving.port, serving.password, serving.longest_side) == (0, None, 256)
    assert run_flags == ("--config=configs/shapes.py", f"--workdir={tmp_path / 'shapes'}")


def test_others_do_not_learn_where_the_run_lies(serve, flag_values, tmp_path, monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, "a good password")
    flag_values(config="configs/shapes.py", address="0.0.0.0")
    _, run_flags, serving = serve(tmp_path / "shapes")
    assert run_flags[1] == "--workdir=runs/shapes"
    assert serving.password == "a good password" and serving.name == "shapes"


def test_a_missing_package_is_named(flag_values, tmp_path, tiny_experiment, monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delitem(sys.modules, "symmflow_jax.studio.web.server", raising=False)
    monkeypatch.delitem(sys.modules, "symmflow_jax.studio.web.routes", raising=False)
    with pytest.raises(ValueError, match=r"pip install 'symmflow_jax\[studio\]'"):
        studio.STUDIO.run(tiny_experiment(), tmp_path)
