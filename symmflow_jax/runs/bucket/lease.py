"""The lock of a folder in a bucket: a lease with an owner and a time, which is renewed.

A bucket has no locks. Its owner writes a small file, and writes it again as long as it runs. Who
finds the file waits to see whether it is renewed: if it is, the folder is taken; if not, its owner
has ended without a word, and the lease may be taken over. Clocks of machines are not compared.
"""

import contextlib
import datetime
import json
import logging
import os
import pathlib
import secrets
import socket
import threading
import time
from typing import Any

from symmflow_jax.runtime import files
from symmflow_jax.runtime.storage import faults

_logger = logging.getLogger(__name__)

NAME = "training.lease"
"""Name of the file."""

LIFETIME = 60.0
"""Seconds without renewal after which a lease has run out."""

_RENEWAL = 15.0
_SETTLING = 1.0
"""Seconds in which a lease that another one writes at the same moment is seen."""

_LONGEST_GOODBYE = 10.0
_PROC = pathlib.Path("/proc")


_held: set[str] = set()
"""The tokens of the leases that this process holds."""


class Taken(ValueError):
    """Another command holds the lease."""


class Lease:
    """The lease of one command for a folder.

    Args:
        folder: folder in a bucket.
    """

    def __init__(self, folder: pathlib.Path):
        self._path = folder / NAME
        self._token = secrets.token_hex(12)
        self._count = 0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._loss = ""

    @property
    def is_held(self) -> bool:
        """True between `take` and `release`."""
        return self._thread is not None and not self._ended.is_set()

    def take(self) -> None:
        """Takes the lease, after waiting for the end of one that is no longer renewed.

        Raises:
            Taken: if another command holds it.
            StorageError: if the bucket refuses.
        """
        found = self._read()
        if found is not None:
            self._see_end_of(found)
        self._write()
        # Of several that write at once, the last one has it.
        time.sleep(_SETTLING)
        holder = self._read()
        if holder is None or holder.get("token") != self._token:
            raise Taken(self._refusal(holder or {}))
        _held.add(self._token)
        self._thread = threading.Thread(target=self._renew, daemon=True, name="lease")
        self._thread.start()

    def check(self) -> None:
        """Raises Taken if another command has taken the lease over."""
        if self._loss:
            raise Taken(self._loss)

    def release(self) -> None:
        """Gives the lease back; waits no longer than seconds for a server that does not answer."""
        if not self.is_held:
            return
        self._ended.set()
        _held.discard(self._token)
        if self._loss or faults.is_gone():
            return  # It runs out by itself.
        remover = threading.Thread(target=self._remove, daemon=True)
        remover.start()
        remover.join(_LONGEST_GOODBYE)

    def _remove(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            if (self._read() or {}).get("token") == self._token:
                self._path.unlink(missing_ok=True)

    def _renew(self) -> None:
        while not self._ended.wait(_RENEWAL):
            try:
                holder = self._read()
                if holder is None or holder.get("token") != self._token:
                    self._loss = (
                        f"The lease {self._path} of this training ran out, and "
                        f"{_owner(holder or {})} has it now. Nothing more is written here; end "
                        "that command before you run this one again."
                    )
                    return
                if not self._ended.is_set():
                    self._write()
            except (OSError, RuntimeError) as error:
                _logger.debug("The lease was not renewed: %s", error)

    def _see_end_of(self, found: dict[str, Any]) -> None:
        """Returns when a lease has run out; raises Taken if its owner runs."""
        runs = _runs_here(found.get("process"))
        if runs and found["process"] == _this_process():
            runs = found.get("token") in _held
        if runs:
            raise Taken(self._refusal(found))
        if runs is None:
            _logger.info(
                "%s holds a lease of %s; waiting up to %.0f s to see whether it still runs.",
                _owner(found),
                self._path.parent,
                LIFETIME,
            )
            end = time.monotonic() + LIFETIME
            while time.monotonic() < end:
                time.sleep(min(_SETTLING, LIFETIME / 4))
                now = self._read()
                if now is None:
                    return
                if now != found:
                    raise Taken(self._refusal(now))
        _logger.warning(
            "Took over %s of %s, which has ended without giving it back.", self._path, _owner(found)
        )

    def _refusal(self, holder: dict[str, Any]) -> str:
        return (
            f"Another training is writing to {self._path.parent} ({_owner(holder)}). Wait until it "
            "ends, stop it, or give another --workdir."
        )

    def _read(self) -> dict[str, Any] | None:
        try:
            values = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            values = {}
        return values if isinstance(values, dict) else {}

    def _write(self) -> None:
        self._count += 1
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        values = {
            "owner": f"process {os.getpid()} on {socket.gethostname()}",
            "renewed": now,
            "runs out after seconds": LIFETIME,
            "number": self._count,
            "token": self._token,
            "process": _this_process(),
        }
        self._path.write_text(files.as_json(values, indent=1) + "\n", encoding="utf-8")


def _owner(holder: dict[str, Any]) -> str:
    owner = holder.get("owner")
    return owner if isinstance(owner, str) and owner.isprintable() else "an unknown command"


def _this_process() -> list[str] | None:
    """What tells this process from all others; None on a system without /proc."""
    try:
        return [*_machine(), str(os.getpid()), _started(os.getpid())]
    except OSError:
        return None


def _machine() -> tuple[str, str]:
    """This start of the machine, and its processes that see each other (those of a container)."""
    boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    return boot, os.readlink(_PROC / "self/ns/pid")


def _started(process: int) -> str:
    """When a process was started; raises OSError if there is none."""
    text = (_PROC / str(process) / "stat").read_text(encoding="utf-8", errors="replace")
    return text.rpartition(")")[2].split()[19]


def _runs_here(process: Any) -> bool | None:
    """Whether a process of this machine runs; None for one that only another machine can see."""
    try:
        boot, container, number, started = process
        if (boot, container) != _machine():
            return None
        return _started(int(number)) == started
    except (FileNotFoundError, ProcessLookupError):
        return False
    except (OSError, TypeError, ValueError):
        return None
