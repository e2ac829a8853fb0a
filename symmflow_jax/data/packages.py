"""Optional packages that some forms of data need."""

import importlib
from typing import Any

from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import first_line


def package(name: str, extra: str, purpose: str) -> Any:
    """An optional package.

    Args:
        name: module to import.
        extra: the extra of this project that has it.
        purpose: what it is for, for the message.

    Raises:
        DataError: if it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DataError(
            f"{purpose} needs the package {name.partition('.')[0]}, which is not installed "
            f"({first_line(error)}). Run: pip install 'symmflow_jax[{extra}]'"
        ) from error
