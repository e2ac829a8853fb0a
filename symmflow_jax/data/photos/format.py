"""What the values of images mean that are no 8-bit pictures: channels, range, and what is shown."""

import dataclasses

import numpy as np

from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import shown

_LUMINANCE = np.asarray([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow has it.
_DEPTH = "config.data.image_channels"


@dataclasses.dataclass(frozen=True)
class PhotoFormat:
    """How values of image files become signals, and signals pictures.

    Attributes:
        channels: number of channels.
        value_range: lowest and highest value, of all channels or of each one; empty for the range
            of the file's type.
        shown: one or three channels that pictures show; empty for the first ones.
    """

    channels: int
    value_range: tuple[float, ...] = ()
    shown: tuple[int, ...] = ()

    def to_signal(
        self, values: np.ndarray, own_range: tuple[float, float] | None, name: str
    ) -> np.ndarray:
        """The signal of an image, float32 `[height, width, channels]` in [-1, 1].

        Grey is repeated over three channels, and colour becomes luminance for one.

        Args:
            values: numbers of the file, `[height, width, c]`.
            own_range: lowest and highest number of the file's type; None if they mean nothing.
            name: the file, for messages.

        Raises:
            DataError: if the number of channels differs, numbers are not finite, or their range is
                not known.
        """
        if not np.isfinite(values).all():
            broken = int(np.sum(~np.isfinite(values).all(-1)))
            raise DataError(
                f"{name} has {broken} pixels that are no finite numbers; write values in their "
                "place, or leave the file out with --config.data.on_error=skip."
            )
        low, high = self._range(values, own_range, name)
        levels = (values.astype(np.float32) - low) / ((high - low) / 2) - 1
        return self._with_channels(np.clip(levels, -1, 1), name)

    def picture(self, signal: np.ndarray) -> np.ndarray:
        """The shown channels of signals in [-1, 1], uint8 `[..., 1 or 3]`."""
        levels = np.rint((np.asarray(signal, np.float32)[..., self.shown_channels] + 1) * 127.5)
        return np.clip(levels, 0, 255).astype(np.uint8)

    def shown_of(self, pixels: np.ndarray) -> np.ndarray:
        """The shown channels of uint8 pixels `[..., channels]`, `[..., 1 or 3]`."""
        return pixels[..., self.shown_channels]

    @property
    def shown_channels(self) -> list[int]:
        """The one or three channels that pictures show."""
        return list(self.shown or ((0, 1, 2) if self.channels >= 3 else (0,)))

    def _range(
        self, values: np.ndarray, own_range: tuple[float, float] | None, name: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest value of each channel of the file, or of all."""
        if self.value_range:
            pairs = np.asarray(self.value_range, np.float32).reshape(-1, 2)
            if len(pairs) not in (1, values.shape[-1]):
                raise DataError(
                    f"config.data.value_range has {len(pairs)} ranges, but {name} has "
                    f"{values.shape[-1]} channels; give two numbers, or two for each channel."
                )
            return pairs[:, 0], pairs[:, 1]
        if own_range is None:
            raise DataError(
                f"{name} has numbers of the type {values.dtype}, whose range is not known; this "
                f"file has {values.min():g} to {values.max():g}. Set "
                "--config.data.value_range=LOWEST,HIGHEST to that of all files."
            )
        return np.asarray(own_range[0], np.float32), np.asarray(own_range[1], np.float32)

    def _with_channels(self, signal: np.ndarray, name: str) -> np.ndarray:
        found = signal.shape[-1]
        if found == self.channels:
            return signal
        if found == 1 and self.channels == 3:
            return np.repeat(signal, 3, -1)
        if found == 3 and self.channels == 1:
            return (signal @ _LUMINANCE)[..., None]
        raise DataError(
            f"{shown(name)} has {found} channels, but {_DEPTH} is {self.channels}; set it to "
            f"{found}, or leave out the files that have others."
        )
