"""JAX's coordination service, without its way to end a process."""

import ctypes
import time
from collections.abc import Callable
from typing import Any

import jax

# JAX has no public way to set the callback.
from jax._src.lib import _jax

from symmflow_jax.runtime.cluster.settings import Settings

_HEARTBEAT_TIMEOUT = 24 * 3600
"""Losses are noticed by `channel`, which can name them."""

_kept: list[Any] = []


def connect(settings: Settings, on_failure: Callable[[], None]) -> None:
    """Sets up JAX for all processes of a run, which must have found each other.

    Args:
        settings: this process among the others.
        on_failure: function that ends the process when JAX's service in process 0 is lost; called
            in another thread.

    Raises:
        RuntimeError: if JAX cannot connect.
    """
    _end_quietly(on_failure)
    made = _jax.get_distributed_runtime_client

    def with_callback(*args: Any, **options: Any) -> Any:
        # Any callback will do: nanobind cannot convert its argument, and that terminates.
        return made(*args, **options, missed_heartbeat_callback=lambda status: None)

    _jax.get_distributed_runtime_client = with_callback
    try:
        jax.distributed.initialize(
            settings.coordinator,
            num_processes=settings.num_processes,
            process_id=settings.process_id,
            local_device_ids=settings.local_device_ids,
            cluster_detection_method="deactivate",
            initialization_timeout=max(1, round(settings.startup_timeout)),
            heartbeat_timeout_seconds=_HEARTBEAT_TIMEOUT,
        )
    finally:
        _jax.get_distributed_runtime_client = made


def _end_quietly(on_failure: Callable[[], None]) -> None:
    """Replaces C++'s handler of termination.

    When the service is lost, JAX's client would end the process at once, with the stack of C++ and
    the status of `abort`. Its callback for that case exists, but fails to be called, and so C++
    terminates.
    """

    def handler() -> None:
        on_failure()
        time.sleep(60)  # Whoever ends the process is at it.

    for name in ("libstdc++.so.6", "libc++abi.dylib"):
        try:
            set_terminate = ctypes.CDLL(name)["_ZSt13set_terminatePFvvE"]
        except (OSError, AttributeError):
            continue
        kind = ctypes.CFUNCTYPE(None)
        set_terminate.argtypes, set_terminate.restype = [kind], ctypes.c_void_p
        _kept.append(kind(handler))
        set_terminate(_kept[-1])
        return
