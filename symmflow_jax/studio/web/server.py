"""The server of the studio: listens, works, and ends with a signal."""

import asyncio
import dataclasses
import logging
import signal
import socket
from collections.abc import Sequence

from aiohttp import web

from symmflow_jax.runtime.errors import shown
from symmflow_jax.studio import settings
from symmflow_jax.studio.engine import Engine
from symmflow_jax.studio.jobs import Queue
from symmflow_jax.studio.web import guard
from symmflow_jax.studio.web.guard import Hosts, Password
from symmflow_jax.studio.web.routes import Routes
from symmflow_jax.studio.work import Work

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Serving:
    """Where and how to serve.

    Attributes:
        address: name or number of the address to listen at.
        port: the port; 0 for any free one.
        password: the password that is given, or None; see `guard.choose_password`.
        longest_side: most pixels of a row or a column of a photo; larger ones are made smaller.
        name: what the page calls the model.
    """

    address: str = "127.0.0.1"
    port: int = 8000
    password: str | None = None
    longest_side: int = 1024
    name: str = "a run"


def serve(engine: Engine, run_flags: Sequence[str], serving: Serving) -> None:
    """Serves the studio until SIGINT or SIGTERM.

    Args:
        engine: the model.
        run_flags: the flags that name the run on a command line.
        serving: where and how.

    Raises:
        ValueError: if the address cannot be listened at, or the password is too short.
    """
    password, is_made = guard.choose_password(serving.address, serving.password)
    listener = listen(serving.address, serving.port)
    url = url_of(serving.address, listener.getsockname()[1])
    _logger.info("The studio is at %s (Ctrl-C ends it).", url)
    if is_made:
        _logger.info("Its password is %s", password)
    if password and not guard.is_loopback(serving.address):
        _logger.warning(
            "The password and the photos travel unencrypted; on a network that others use, keep "
            "--address=127.0.0.1 and reach it by ssh -L %d:127.0.0.1:%d.",
            *(listener.getsockname()[1],) * 2,
        )
    queue = Queue()
    queue.start()
    try:
        asyncio.run(_run(engine, run_flags, serving, Password(password), queue, listener))
    finally:
        queue.close()


def application(
    engine: Engine,
    run_flags: Sequence[str],
    serving: Serving,
    password: Password,
    queue: Queue,
) -> web.Application:
    """The application of a server; the queue is started and closed by the caller."""
    work = Work(engine, run_flags)
    hosts = Hosts(serving.address)
    about = engine.about() | {"settings": settings.choices(), "name": serving.name}
    return Routes(about, work, queue, hosts, password, serving.longest_side).application()


def listen(address: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        ValueError: if the address is none of this machine, or the port is taken.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(place[:2], family=family, backlog=128)
    except OSError as error:
        raise ValueError(
            f"--address={shown(address)} with --port={port} cannot be listened at "
            f"({error.strerror or error}); give another --port (0 for any free one), or an "
            "address of this machine."
        ) from error


def url_of(address: str, port: int) -> str:
    """The address of the page for a browser on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _run(
    engine: Engine,
    run_flags: Sequence[str],
    serving: Serving,
    password: Password,
    queue: Queue,
    listener: socket.socket,
) -> None:
    """Serves until a signal."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    runner = web.AppRunner(
        application(engine, run_flags, serving, password, queue),
        access_log=None,
        shutdown_timeout=1.0,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        await stopped.wait()
    finally:
        await runner.cleanup()
