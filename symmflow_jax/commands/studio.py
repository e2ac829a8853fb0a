"""The studio: a page in the browser."""

import os
import pathlib
from typing import TYPE_CHECKING

from absl import flags

from symmflow_jax.commands.flags import integration, views
from symmflow_jax.commands.mode import MODEL_KEYS, Mode
from symmflow_jax.config import command_line
from symmflow_jax.config.reading.range_flags import define_number
from symmflow_jax.config.schema.ranges import between

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment

_ADDRESS = flags.DEFINE_string(
    "address",
    "127.0.0.1",
    "Address to serve the studio at; 0.0.0.0 for all of this machine. Any other than loopback "
    "asks for a password: that of SYMMFLOW_STUDIO_PASSWORD, or one that is made and logged.",
)
_PORT = define_number("port", 8000, "Port; 0 for any free one.", int, between(0, 2**16 - 1))
_LONGEST_SIDE = define_number(
    "longest_side",
    1024,
    "Most pixels of a row or a column of a photo in the studio; larger photos are made smaller.",
    int,
    between(16, 4096),
)


def _studio(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.studio.web import guard

    try:
        from symmflow_jax.studio.web.server import Serving, serve
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("aiohttp"):
            raise
        raise ValueError(
            "--mode=studio needs the package aiohttp; pip install 'symmflow_jax[studio]'."
        ) from error
    from symmflow_jax.studio.engine import Engine

    model = integration.load(experiment, workdir)
    engine = Engine(model, views.view_of_masks(model))
    serving = Serving(
        address=_ADDRESS.value,
        port=_PORT.value,
        password=os.environ.get(guard.PASSWORD_VARIABLE),
        longest_side=_LONGEST_SIDE.value,
        name=workdir.name,
    )
    serve(engine, _run_flags(workdir, _ADDRESS.value), serving)


def _run_flags(workdir: pathlib.Path, address: str) -> tuple[str, ...]:
    """The flags that name the run and its view.

    On other addresses than loopback, they do not tell where the run lies.
    """
    from symmflow_jax.studio.web import guard

    shown = workdir if guard.is_loopback(address) else pathlib.Path("runs") / workdir.name
    given = [name for name in views.MAKING if flags.FLAGS[name].present]
    return (
        f"--config={command_line.config_text()}",
        f"--workdir={shown}",
        *(f"--{name}={flags.FLAGS[name].value}" for name in given),
    )


STUDIO = Mode(
    _studio,
    "serves a page in the browser that reads, paints and edits photos",
    ("address", "port", "longest_side", *views.MAKING),
    MODEL_KEYS,
)
