"""A model in one line, for a notebook."""

from typing import Any

_MOST_NAMES = 8


def describe(
    values: dict[str, Any],
    *,
    place: str,
    learned: str,
    dataset: str,
    image_shape: tuple[int, ...],
    names: tuple[str, ...],
    num_parameters: int,
    step: int,
) -> str:
    """The line of a model: what it is of, its data, size, classes, network and training.

    Args:
        values: its config as plain nested values.
        place: where it was loaded from, or "".
        learned: what it has learned besides images, such as "masks"; "" for images alone.
        dataset: name of its data set.
        image_shape: height, width and channels, or the numbers of a point.
        names: names of its classes.
        num_parameters: number of parameters of its network.
        step: number of training steps.
    """
    *sides, last = image_shape
    size = f"{'x'.join(map(str, sides))}x{last} images" if sides else f"points of {last} numbers"
    shown = ", ".join(names[:_MOST_NAMES])
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    network = f"{values['network']['name']} of {num_parameters:,} parameters"
    kinds = f"{learned} and {size}" if learned else size
    parts = [
        f"Model{f' in {place}' if place else ''}: {kinds} of {dataset}",
        f"{len(names)} classes ({shown}{more})",
        f"encoding {values['semantics']['encoding']}, clock {values['train']['clock']}, {network}",
        f"step {step}",
    ]
    return f"<{', '.join(parts)}>"
