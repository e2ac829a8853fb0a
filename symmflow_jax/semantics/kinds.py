"""The kinds of semantics: a class for every pixel, or one for the whole image."""

import enum


class SemanticsKind(enum.StrEnum):
    """What of an example is learned; its value is the key of a source's elements.

    Attributes:
        MASK: int `[height, width]`.
        LABEL: int `[]`.
    """

    MASK = "mask"
    LABEL = "label"

    @property
    def task(self) -> str:
        """What predicting it is called in a protocol."""
        return {SemanticsKind.MASK: "segmentation", SemanticsKind.LABEL: "classification"}[self]
