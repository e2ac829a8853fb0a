"""Conventions of scores: what lies between a model's signals and the numbers in a table."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Conventions:
    """How examples are prepared, conditions chosen, samples stored and predicted masks read.

    Attributes:
        name: name in the protocol of a score.
        prepares_as_in_training: examples are cropped at random places, and real images bear noise
            of half an 8-bit level, if the config says so for training. Otherwise crops are central
            and images clean.
        balances_labels: images are generated from the labels 0, 1, ..., n - 1 in turn. Otherwise
            from the labels of the examples.
        repeats_together: to make more images than there are masks, each mask is taken several
            times before the next one. Otherwise all masks are taken again and again.
        cuts_levels: generated images are cut off to 8 bits. Otherwise they are rounded.
        compares_signals: LPIPS compares generated signals, neither clipped nor in 8 bits, with
            real ones. Otherwise it compares 8-bit images.
        clips_masks: predicted pictures of masks are clipped to [-1, 1] before the nearest colour
            is taken.
    """

    name: str
    prepares_as_in_training: bool = False
    balances_labels: bool = False
    repeats_together: bool = False
    cuts_levels: bool = False
    compares_signals: bool = False
    clips_masks: bool = False


OURS = Conventions("ours")
"""The conventions of this project, which leave no noise or chance in the examples."""

PUBLISHED = Conventions(
    "published",
    prepares_as_in_training=True,
    balances_labels=True,
    repeats_together=True,
    cuts_levels=True,
    compares_signals=True,
    clips_masks=True,
)
"""The conventions of the code that the paper's authors published (arXiv 2506.10634)."""
