"""The `labelmap.txt` of CVAT's "Segmentation mask 1.1": labels and the colours of their masks."""

import pathlib

from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import first_line, shown

Colour = tuple[int, int, int]


def read_labelmap(path: pathlib.Path) -> dict[str, Colour]:
    """The colour of each label, in the order of the file.

    A line is `label:red,green,blue:parts:actions`, as CVAT and Datumaro write it.

    Raises:
        DataError: if the file is missing, a line has no colour, or two labels have one.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise DataError(
            f"{shown(path)} cannot be read ({first_line(error)}). Export the task from CVAT as "
            "'Segmentation mask 1.1', and set --config.data.dir to the unpacked folder."
        ) from error
    colours: dict[str, Colour] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{shown(path)}, line {number}"
        label, colour = _entry(line, where)
        if label in colours or colour in colours.values():
            raise DataError(f"{where}: the label {label!r} or its colour occurs twice; mend it.")
        colours[label] = colour
    if not colours:
        raise DataError(f"{shown(path)} names no labels; export the task from CVAT again.")
    return colours


def _entry(line: str, where: str) -> tuple[str, Colour]:
    # A label may have colons itself, the rest of the line has three.
    parts = line.rsplit(":", 3)
    try:
        red, green, blue = (int(level) for level in parts[1].split(","))
    except (ValueError, IndexError) as error:
        raise DataError(
            f"{where} is {line.strip()!r}, not written as label:red,green,blue:parts:actions."
        ) from error
    if not all(0 <= level < 256 for level in (red, green, blue)):
        raise DataError(f"{where} has the colour {parts[1]}; levels are 0 to 255.")
    return parts[0], (red, green, blue)
