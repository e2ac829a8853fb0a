"""A command: what `--mode` names."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment


@dataclasses.dataclass(frozen=True)
class Mode:
    """One entry of `MODES`.

    Attributes:
        run: function of an experiment and the folder of the run.
        summary: description for `--help`.
        flags: the flags that it uses, besides `--config` and `--workdir`.
        keys: the sections and keys of the config that it uses.
        several: True if it shares its work among several processes.
        leaves: True if a signal may end it in its stages, because it says what is saved.
    """

    run: Callable[["Experiment", pathlib.Path], None]
    summary: str
    flags: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    several: bool = False
    leaves: bool = False


MODEL = ("semantics", "network", "autoencoder")
"""Sections of the config that a model is made of."""

RUN = ("seed", "parallel", "data", *MODEL, "train", "eval", "guidance")
"""Sections and keys of the config that a run uses."""

KIND = ("semantics.encoding", "semantics.kind")
"""Keys that say what a data set is read as."""

MODEL_KEYS = ("eval.checkpoint", "eval.tolerance")
"""Keys that commands with a trained model use."""

FILES = ("output", "overwrite")
"""Flags of commands that write files."""

INTEGRATION = ("seed", "num_steps", "solver")
"""Flags of commands that integrate from noise."""
