"""Regions of images as users have them: files, folders, Pillow images and arrays."""

import pathlib
from typing import Any

import numpy as np
from PIL import Image

from symmflow_jax.data.masks.ids import read_mask
from symmflow_jax.inference.files.inputs import image_paths
from symmflow_jax.inference.files.made import Made
from symmflow_jax.inference.given.images import (
    Given,
    is_array,
    is_place,
    local_path,
    single_ones,
)
from symmflow_jax.runtime.errors import shown_value


def read_region(path: pathlib.Path) -> np.ndarray:
    """The region of a file, bool `[height, width]`: its pixels above 0.

    Raises:
        DataError: if the file cannot be read.
    """
    return read_mask(path) > 0


def given_regions(regions: Any) -> Given[np.ndarray]:
    """The regions that a user has given, bool `[height, width]` of any sizes.

    One region is a file or a Pillow image in grey, whose pixels above 0 count, or a bool array
    `[height, width]`. Several are a folder, an array `[batch, height, width]`, or a list of single
    ones.

    Raises:
        DataError: if there is no region, or a file cannot be read.
        ValueError: if an array has another shape or dtype, or a Pillow image has colours.
    """
    if is_place(regions):
        path = local_path(regions, "keep")
        found = image_paths(str(path), Made.MASK, "keep")
        return Given([read_region(file) for file in found], is_one=path.is_file())
    if isinstance(regions, Image.Image):
        return Given([_single(regions, "The region")], is_one=True)
    single, is_one = single_ones(
        regions, "region", lambda array: array.ndim <= 2, "an array of bool"
    )
    return Given([_single(region, name) for region, name in single], is_one)


def _single(region: Any, name: str) -> np.ndarray:
    if is_place(region):
        return read_region(local_path(region, name))
    if isinstance(region, Image.Image):
        levels = np.asarray(region)
        if levels.ndim != 2:
            raise ValueError(
                f"{name} is a Pillow image of mode {region.mode}; give one in grey, by "
                'region.convert("L").'
            )
        return levels > 0
    if not is_array(region):
        raise ValueError(
            f"{name} is {shown_value(region)}; give a file, a Pillow image, or an array of bool."
        )
    array = np.asarray(region)
    if array.dtype != bool or array.ndim != 2 or not array.size:
        raise ValueError(
            f"{name} is {array.dtype} of shape {array.shape}; give bool [height, width], such as "
            "mask > 0."
        )
    return array
