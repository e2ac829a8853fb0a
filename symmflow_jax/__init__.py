"""Symmetrical Flow Matching in JAX: one network that generates, segments or classifies images.

In a notebook:

    model = symmflow_jax.load("runs/shapes")
    images = model.generate(masks, jax.random.key(0))
    masks = model.segment(images, jax.random.key(1))
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symmflow_jax.inference.model import Model, load

__version__ = "0.1.0"

__all__ = ["Model", "load"]


def __getattr__(name: str) -> Any:
    """Imports JAX and Orbax on first access to `Model` or `load`."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from symmflow_jax.inference import model

    return getattr(model, name)


def _command() -> None:
    """The console command `symmflow`, which is `python -m symmflow_jax.main`.

    It runs the module as Python does, so that signals are watched from the module's first line on.
    """
    import runpy

    runpy.run_module("symmflow_jax.main", run_name="__main__", alter_sys=True)
