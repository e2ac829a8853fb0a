"""Errors that name the value and the remedy, shown in a notebook without the frames below them."""

import functools
import logging
import types
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.runtime.storage.faults import StorageError

_logger = logging.getLogger(__name__)

_EXPLAINED = (ValueError, ArithmeticError, CheckpointError, StorageError)
_PACKAGE = __name__.partition(".")[0]

P = ParamSpec("P")
T = TypeVar("T")


def short(function: Callable[P, T]) -> Callable[P, T]:
    """Wraps a function of the Python interface: the project's own errors come without its frames.

    Their messages say what was wrong with what was given, and what to do. Errors that another
    library has raised, and faults of the project, keep their traceback. The log has all of them at
    the level DEBUG.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except _EXPLAINED as error:
            if not _is_raised_here(error):
                raise
            _logger.debug("The error in full:", exc_info=error)
            explained = error
        raise explained.with_traceback(None) from None

    return call


def _is_raised_here(error: BaseException) -> bool:
    """True if a module of this package has raised an error, and not a library that it calls."""
    place: types.TracebackType | None = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    name = place.tb_frame.f_globals.get("__name__", "") if place else ""
    return name.partition(".")[0] == _PACKAGE
