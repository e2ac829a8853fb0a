"""Symmetrical Flow Matching in JAX: one network that generates, segments or classifies images.

In a notebook:

    model = symmflow_jax.train("shapes", workdir="runs/shapes")
    model = symmflow_jax.load("runs/shapes")
    result = model.segment("photo.jpg")
    images = model.generate(result)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symmflow_jax.commands.python import evaluate as evaluate, train as train
    from symmflow_jax.inference.loading import load as load
    from symmflow_jax.inference.model import Model as Model

__version__ = "0.1.0"

_PLACES = {
    "Model": "symmflow_jax.inference.model:Model",
    "evaluate": "symmflow_jax.commands.python:evaluate",
    "load": "symmflow_jax.inference.loading:load",
    # A module that can be called; it would take the place of a function of this name.
    "train": "symmflow_jax.train",
}

__all__ = ["Model", "evaluate", "load", "train"]


def __getattr__(name: str) -> Any:
    """Imports JAX and Orbax on first access to one of the names."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pkgutil

    return pkgutil.resolve_name(_PLACES[name])


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def _command() -> None:
    """The console command `symmflow`, which is `python -m symmflow_jax.main`.

    It runs the module as Python does, so that signals are watched from the module's first line on.
    """
    import runpy

    runpy.run_module("symmflow_jax.main", run_name="__main__", alter_sys=True)
