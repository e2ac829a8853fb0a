"""The examples of a split that is a part of one folder: by share, or by folds."""

import dataclasses
import hashlib
from collections.abc import Sequence

from symmflow_jax.data.source import DataError


@dataclasses.dataclass(frozen=True)
class Parts:
    """How examples are shared out between training and evaluation.

    The order is by a hash of the seed and the name of each example. So it depends neither on the
    place of the files nor on their order, and further files change few of the choices.

    Attributes:
        share: share of the examples for evaluation; unused with folds.
        folds: number of folds; 0 for none.
        fold: number of the fold for evaluation, from 0.
        seed: seed of the order.
    """

    share: float = 0.0
    folds: int = 0
    fold: int = 0
    seed: int = 0

    def chosen(self, names: Sequence[str], *, train: bool) -> tuple[int, ...]:
        """The indices of the examples of a split, ascending.

        Args:
            names: a name of each example, all of them different.
            train: True for the training split.

        Raises:
            DataError: if a split would have no example.
        """
        order = sorted(range(len(names)), key=lambda index: _rank(self.seed, names[index]))
        start, end = self._bounds(len(names))
        held = set(order[start:end])
        indices = tuple(index for index in range(len(names)) if (index in held) is not train)
        if not indices:
            split = "training" if train else "evaluation"
            what = f"{self.folds} folds" if self.folds else f"val_share={self.share:g}"
            raise DataError(
                f"{len(names)} examples in {what} (config.data) leave none for {split}; add "
                "examples, or choose another share or fewer folds."
            )
        return indices

    def _bounds(self, number: int) -> tuple[int, int]:
        """The places, in the order, of the examples for evaluation."""
        if self.folds:
            return self.fold * number // self.folds, (self.fold + 1) * number // self.folds
        return 0, max(1, round(self.share * number))


def _rank(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode(errors="surrogateescape")).digest()
