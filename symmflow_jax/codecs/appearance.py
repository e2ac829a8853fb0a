"""Random changes of how images look: colour jitter and blur, for images that nobody learns."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from symmflow_jax.codecs import blur, colours, images
from symmflow_jax.data.batch import Images, Pixels, Signals
from symmflow_jax.flow import keys
from symmflow_jax.flow.shapes import ExampleKeys, Scalar


@dataclasses.dataclass(frozen=True)
class Appearance:
    """A random change of brightness, contrast, saturation, hue and sharpness, in this order.

    Each is drawn for each example, uniformly within its range. A range of 0 draws and changes
    nothing. Saturation and hue are of images with 3 channels.

    Attributes:
        brightness, contrast, saturation: largest distance of the factor from 1, in [0, 1].
        hue: largest turn of the hues, as a share of their circle, in [0, 0.5].
        blur: largest standard deviation of the Gaussian blur, in pixels.
        share: share of the images that change.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    blur: float = 0.0
    share: float = 1.0

    def __call__(
        self, example_keys: ExampleKeys, image: Images, held: Bool[Array, " batch"]
    ) -> Images:
        """Changes some of the images of a batch; the others keep every bit.

        Pixels stay pixels of 8 bits.

        Args:
            example_keys: keys `[batch]`.
            image: the images.
            held: whether each example's image is held clean, so that it is not learned.

        Raises:
            TypeError: if the images have no pixels.
        """
        if not isinstance(image, Pixels | Signals):
            raise TypeError(f"{type(image).__name__} have no colours that can change.")
        signal = images.to_signal(image.values) if isinstance(image, Pixels) else image.values
        changed = jax.vmap(self.change)(example_keys, jnp.asarray(signal, jnp.float32))
        if isinstance(image, Pixels):
            # The choice is between integers, which no compiler rounds in two ways.
            changed = images.to_pixels(changed)
        chosen = held & jax.vmap(self._is_chosen)(keys.stream(example_keys, "share"))
        chosen = chosen.reshape(-1, *(1,) * (changed.ndim - 1))
        return type(image)(jnp.where(chosen, changed, jnp.asarray(image.values)))

    def _is_chosen(self, key: Key[Array, ""]) -> Bool[Array, ""]:
        return jax.random.uniform(key) < self.share

    def change(
        self, key: Key[Array, ""], signal: Float[Array, "height width channels"]
    ) -> Float[Array, "height width channels"]:
        """Changes one image in [-1, 1], float `[height, width, channels]`."""

        def drawn(name: str, size: float) -> Scalar:
            return jax.random.uniform(keys.stream(key, name), minval=-size, maxval=size)

        image = 0.5 * signal + 0.5
        factors = (
            ("brightness", self.brightness, colours.brightened),
            ("contrast", self.contrast, colours.contrasted),
            ("saturation", self.saturation, colours.saturated),
        )
        for name, size, changed in factors:
            if size:
                image = changed(image, 1.0 + drawn(name, size))
        if self.hue:
            image = colours.hue_turned(image, drawn("hue", self.hue))
        if self.blur:
            deviation = jnp.abs(drawn("blur", self.blur))
            image = blur.blurred(image, deviation, self.blur)
        return 2.0 * image - 1.0
