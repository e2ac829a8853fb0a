"""Encodings by name, and the kind of semantics that is learned."""

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
        kinds: the semantics that it encodes, the preferred one first.
        parameterization: what a network predicts of it by default, a name of
            `PARAMETERIZATIONS`.
    """

    kinds: tuple[SemanticsKind, ...]
    parameterization: str = "velocity"


ENCODINGS: dict[str, EncodingChoice] = {
    "palette": EncodingChoice(
        "symmflow_jax.semantics.palette_mask:PaletteMask.of_classes",
        "masks as pictures in the colours of a palette",
        (MASK,),
    ),
    "plane": EncodingChoice(
        "symmflow_jax.semantics.class_plane:ClassPlane.of_classes",
        "a label as a plane of one grey value",
        (LABEL,),
    ),
    "colour": EncodingChoice(
        "symmflow_jax.semantics.class_plane:ClassColour.of_classes",
        "a label as a plane of one colour",
        (LABEL,),
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
    """The kind that a source has and an encoding takes, preferred by the encoding.

    Args:
        encoding: a name of `ENCODINGS`.
        source: name of the source, for the message.
        kinds_of_source: what it has.

    Raises:
        ValueError: if there is none.
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
    """The encoding of a schema's classes.

    Raises:
        ValueError: if it has no room for so many classes.
    """
    # One label is repeated over the grid of the image; a mask has labels everywhere on it.
    spatial_shape = config.data.image_size if kind is SemanticsKind.LABEL else ()
    constructor = ENCODINGS[config.semantics.encoding].resolve()
    return constructor(schema, spatial_shape, config.semantics.dequantization_beta)
