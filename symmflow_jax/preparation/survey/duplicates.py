"""Images that occur more than once: in both splits, or in one."""

import collections
import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np

_NUM_SHOWN = 3


@dataclasses.dataclass(frozen=True)
class Seen:
    """An example that was read.

    Attributes:
        name: its file, or its number.
        image: digest of the decoded pixels of its image.
        target: digest of its mask or label.
    """

    name: str
    image: bytes
    target: bytes

    @classmethod
    def of_arrays(cls, name: str, image: np.ndarray, target: np.ndarray) -> "Seen":
        """The digests of an image and its classes; equal arrays of one shape have equal digests."""
        return cls(name, _digest(image), _digest(np.asarray(target, np.int32)))


def _digest(array: np.ndarray) -> bytes:
    digest = hashlib.blake2b(repr(array.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


def between(first: Sequence[Seen], second: Sequence[Seen]) -> list[tuple[Seen, Seen]]:
    """Pairs of an example of `second` and one of `first` with the same image."""
    known = {seen.image: seen for seen in reversed(first)}
    return [(seen, known[seen.image]) for seen in second if seen.image in known]


def within(examples: Sequence[Seen]) -> list[list[Seen]]:
    """Groups of at least two examples with the same image."""
    groups: dict[bytes, list[Seen]] = collections.defaultdict(list)
    for seen in examples:
        groups[seen.image].append(seen)
    return [group for group in groups.values() if len(group) > 1]


def doubts(training: Sequence[Seen], evaluation: Sequence[Seen]) -> list[str]:
    """Lines on images that are in both splits, and on those that one split has several times.

    Args:
        training: the examples of the training split.
        evaluation: those of the evaluation split.
    """
    lines = []
    shared = between(training, evaluation)
    if shared:
        names = [f"{seen.name} is {known.name}" for seen, known in shared]
        lines.append(
            f"{len(shared)} of {len(evaluation)} evaluation images are training images too, pixel "
            f"by pixel ({_listed(names)}). Their scores tell what was learned by heart: remove "
            "them from one of the splits."
        )
    for split, examples in (("training", training), ("evaluation", evaluation)):
        groups = within(examples)
        if not groups:
            continue
        names = [" = ".join(seen.name for seen in group[:_NUM_SHOWN]) for group in groups]
        unlike = sum(len({seen.target for seen in group}) > 1 for group in groups)
        others = f" {unlike} of them have masks or labels that differ: look at them." * bool(unlike)
        lines.append(
            f"{len(groups)} images of the {split} split occur more than once ({_listed(names)})."
            f"{others} Remove all but one, unless they shall weigh more."
        )
    return lines


def _listed(names: Sequence[str]) -> str:
    return "; ".join(names[:_NUM_SHOWN]) + ("; ..." if len(names) > _NUM_SHOWN else "")
