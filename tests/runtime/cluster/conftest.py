"""Processes that find each other, as threads of one."""

import concurrent.futures
import socket
from collections.abc import Callable

import pytest

from symmflow_jax.runtime.cluster.channel import Channel
from symmflow_jax.runtime.cluster.rendezvous import open_channel
from symmflow_jax.runtime.cluster.settings import Settings


@pytest.fixture
def settings():
    """A function from the number of a process to its settings."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return lambda index, count=3, timeout=10.0: Settings("127.0.0.1", port, count, index, timeout)


@pytest.fixture
def open_all() -> Callable[..., list[Channel | BaseException]]:
    """A function from the settings of processes to their channels or errors."""
    return _open_all


def _open_all(*processes: Settings, **options) -> list[Channel | BaseException]:
    def attempt(own: Settings) -> Channel | BaseException:
        try:
            return open_channel(own, **options)
        except Exception as error:
            return error

    with concurrent.futures.ThreadPoolExecutor() as pool:
        return list(pool.map(attempt, processes))
