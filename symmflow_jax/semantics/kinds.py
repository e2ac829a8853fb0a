"""The kinds of semantics: a class for every pixel, or one for the whole image."""

import enum


class SemanticsKind(enum.StrEnum):
    """The kind of labels that is learned; its value is the key in a source's elements.

    Attributes:
        MASK: int `[height, width]`.
        LABEL: int `[]`.
    """

    MASK = "mask"
    LABEL = "label"

    @property
    def task(self) -> str:
        """The name of the prediction task in reports."""
        return {SemanticsKind.MASK: "segmentation", SemanticsKind.LABEL: "classification"}[self]
