"""Table of encodings, and the kind of semantics that is learned."""

import dataclasses

from symmflow_jax.config.choices import Choice, choose, listed
from symmflow_jax.config.values import Config
from symmflow_jax.semantics.encoding import Encoding
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.semantics.labels import LabelSchema

MASK, LABEL = SemanticsKind.MASK, SemanticsKind.LABEL


@dataclasses.dataclass(frozen=True)
class EncodingChoice(Choice):
    """An encoding, made by `constructor(schema, spatial_shape, dequantization_beta)`.

    Attributes:
        kinds: kinds of semantics that it encodes, the preferred one first.
        parameterization: default parameterization, a name of `PARAMETERIZATIONS`.
        draws_masks: True if it shows masks as pictures in [-1, 1].
        spaced_by_beta: True if `dequantization_beta` is also the distance of the codes.
        draws_pictures: True if its signals are colour pictures of the image's size in about
            [-1, 1], which an autoencoder of images can take.
    """

    kinds: tuple[SemanticsKind, ...]
    parameterization: str = "velocity"
    draws_masks: bool = False
    spaced_by_beta: bool = False
    draws_pictures: bool = False


ENCODINGS: dict[str, EncodingChoice] = {
    "palette": EncodingChoice(
        "symmflow_jax.semantics.palette_mask:PaletteMask.of_classes",
        "masks as images in the colours of a palette",
        (MASK,),
        draws_masks=True,
        draws_pictures=True,
    ),
    "plane": EncodingChoice(
        "symmflow_jax.semantics.class_plane:ClassPlane.of_classes",
        "a label as a plane of one grey value",
        (LABEL,),
        spaced_by_beta=True,
    ),
    "colour": EncodingChoice(
        "symmflow_jax.semantics.class_plane:ClassColour.of_classes",
        "a label as a plane of one colour",
        (LABEL,),
        draws_pictures=True,
    ),
    "onehot": EncodingChoice(
        "symmflow_jax.semantics.one_hot:OneHot.of_classes",
        "a plane for each class, whose means are probabilities",
        (MASK, LABEL),
        "categorical",
    ),
}
"""The values of `config.semantics.encoding`."""


def semantics_kind(
    encoding: str, source: str, kinds_of_source: tuple[SemanticsKind, ...]
) -> SemanticsKind:
    """The first kind of semantics of an encoding that a source provides.

    Args:
        encoding: a name of `ENCODINGS`.
        source: name of the source in the error message.
        kinds_of_source: kinds of semantics of the source.

    Raises:
        ValueError: if there is no such encoding or no common kind.
    """
    for kind in choose(ENCODINGS, encoding, "config.semantics.encoding").kinds:
        if kind in kinds_of_source:
            return kind
    fitting = [name for name, c in ENCODINGS.items() if set(c.kinds) & set(kinds_of_source)]
    raise ValueError(
        f"config.semantics.encoding={encoding!r} learns a "
        f"{' or '.join(ENCODINGS[encoding].kinds)}, but {source!r} has only "
        f"{' and '.join(kinds_of_source)}; choose {listed(fitting)}."
    )


def make_encoding(config: Config, schema: LabelSchema, kind: SemanticsKind) -> Encoding:
    """Makes the encoding of the classes of a schema.

    Raises:
        ValueError: if the encoding does not support the number of classes.
    """
    # A label is repeated over the grid of the image; a mask has a label for each pixel.
    spatial_shape = config.data.image_size if kind is SemanticsKind.LABEL else ()
    constructor = ENCODINGS[config.semantics.encoding].resolve()
    return constructor(schema, spatial_shape, config.semantics.dequantization_beta)
