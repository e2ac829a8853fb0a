"""Commands of error messages, run as a user would paste them."""

import io
import pathlib
import shlex
import subprocess
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.masks.ids import read_mask


@pytest.fixture(scope="session")
def run_advice() -> Callable:
    """A function that runs the command at the end of a message, and reads the mask it has made.

    Args:
        message: the message.
        mask: the mask that it is about.
        in_shell: whether to start a shell with it, which takes longer.
    """

    def run(message: str, mask: pathlib.Path, in_shell: bool = False):
        assert "\n" not in message and str(mask) in message
        command = message[message.index("python -c ") :]
        if in_shell:
            subprocess.run(command, shell=True, check=True)
        else:
            program, option, code = shlex.split(command)
            exec(code, {})
        return read_mask(mask.parent.with_name(f"{mask.parent.name}_ids") / f"{mask.stem}.png")

    return run


def _draw(seed: int, step: int) -> np.ndarray:
    """uint8 `[120, 160]`: the regions of ten points, four classes with ids `step` apart."""
    rng = np.random.default_rng(seed)
    points = rng.uniform((0, 0), (120, 160), (10, 2))
    places = np.stack(np.mgrid[:120, :160], axis=-1)
    nearest = np.linalg.norm(places[..., None, :] - points, axis=-1).argmin(-1)
    return (np.arange(10) % 4 * step).astype(np.uint8)[nearest]


@pytest.fixture(scope="session")
def drawn_masks() -> Callable[[int, int], list[np.ndarray]]:
    """A function from a number and the distance of ids to masks."""
    return lambda count, step: [_draw(seed, step) for seed in range(count)]


@pytest.fixture(scope="session")
def compressed_masks() -> Callable[..., list[np.ndarray]]:
    """A function from a number, a quality and a distance of ids to masks that were JPEGs."""

    def compress(mask: np.ndarray, quality: int) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(mask).save(file, format="JPEG", quality=quality)
        return np.asarray(Image.open(file))

    return lambda count, quality, step=40: [
        compress(_draw(seed, step), quality) for seed in range(count)
    ]
