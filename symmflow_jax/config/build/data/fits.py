"""Table of fits: how images of any size come to the model's size."""

from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import Config
from symmflow_jax.data.geometry.fit import AtScale, Crop, Fit, Letterbox, Stretch

FITS: dict[str, Choice] = {
    "crop": Choice(Crop, "the largest part of the model's aspect ratio, at the centre"),
    "letterbox": Choice(Letterbox, "the whole image with its aspect ratio, on a grey ground"),
    "stretch": Choice(Stretch, "the whole image, whatever its aspect ratio"),
}
"""The values of `config.data.fit`."""


def make_fit(config: Config) -> Fit:
    """Makes the fit of a config.

    Raises:
        ValueError: if `data.random_scale` is no range, or does not go with `data.fit`, or with
            points.
    """
    data, fit = config.data, FITS[config.data.fit].resolve()()
    if not data.random_scale:
        return fit
    if len(data.random_scale) != 2 or data.random_scale[0] > data.random_scale[1]:
        raise ValueError(
            f"config.data.random_scale is {data.random_scale}; give the smallest and the largest "
            "scale, such as (0.75, 1.5), or () for none."
        )
    if not data.image_size:
        raise ValueError(
            f"config.data.random_scale is {data.random_scale}, but config.data.image_size is "
            "empty, which means points, and they have no scale; set random_scale to ()."
        )
    if not fit.crops:
        whole = [name for name, choice in FITS.items() if choice.resolve()().crops]
        raise ValueError(
            f"config.data.random_scale is {data.random_scale}, which cuts windows out of images, "
            f"but config.data.fit={data.fit!r} keeps whole images; set config.data.fit to "
            f"{' or '.join(whole)}, or random_scale to ()."
        )
    return AtScale(*data.random_scale)
