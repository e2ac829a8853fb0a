"""Images of files for a trained model, and pictures of them."""

import dataclasses
import pathlib

import numpy as np

from symmflow_jax.data.decoding.decoding import Decoding
from symmflow_jax.data.decoding.image_files import read_image
from symmflow_jax.data.photos.format import PhotoFormat
from symmflow_jax.data.photos.photo import read_photo


@dataclasses.dataclass(frozen=True)
class PhotoReader:
    """Reads image files as the training did.

    Attributes:
        photos: how images become signals; None for 8-bit pictures in grey or colour.
    """

    photos: PhotoFormat | None = None

    @property
    def has_signals(self) -> bool:
        """True if images are signals, of more bits or other channels than pictures."""
        return self.photos is not None

    def read(self, path: str | pathlib.Path) -> np.ndarray:
        """An image: RGB pixels, uint8 `[height, width, 3]`, or a signal, float32 in [-1, 1].

        Raises:
            DataError: if the file cannot be read, or has other channels than the model.
        """
        if self.photos is None:
            return read_image(path)
        return np.asarray(read_photo(pathlib.Path(path), Decoding(photos=self.photos)).image)

    def picture(self, image: np.ndarray) -> np.ndarray:
        """What is shown of an image or a batch, uint8 `[..., height, width, 1 or 3]`.

        Args:
            image: pixels, uint8, or signals in [-1, 1], `[..., height, width, channels]`.
        """
        image = np.asarray(image)
        if self.photos is None:
            return image
        if image.dtype == np.uint8:
            return self.photos.shown_of(image)
        return self.photos.picture(image)
