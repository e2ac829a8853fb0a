"""Images that occur more than once: in both splits, or in one."""

import collections
import dataclasses
import hashlib
import os
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
        short = _shortened([seen.name for pair in shared for seen in pair])
        names = [f"{short[seen.name]} is {short[known.name]}" for seen, known in shared]
        lines.append(
            f"{len(shared)} of {len(evaluation)} evaluation images are training images too, pixel "
            f"by pixel ({_listed(names)}). Their scores tell what was learned by heart: remove "
            "them from one of the splits."
        )
    for split, examples in (("training", training), ("evaluation", evaluation)):
        groups = within(examples)
        if not groups:
            continue
        short = _shortened([seen.name for group in groups for seen in group])
        names = [" = ".join(short[seen.name] for seen in group[:_NUM_SHOWN]) for group in groups]
        unlike = sum(len({seen.target for seen in group}) > 1 for group in groups)
        others = f" For {unlike} of these, masks or labels differ: look at them." * bool(unlike)
        lines.append(
            f"The {split} split has {sum(map(len, groups)) - len(groups)} copies of its own images "
            f"({_listed(names)}).{others} Remove the copies, unless they shall weigh more."
        )
    return lines


def _shortened(names: Sequence[str]) -> dict[str, str]:
    """Names without the folder that all files share."""
    if not all(os.path.isabs(name) for name in names):
        return {name: name for name in names}
    folder = os.path.commonpath([os.path.dirname(name) for name in names])
    return {name: os.path.relpath(name, folder) for name in names}


def _listed(names: Sequence[str]) -> str:
    return "; ".join(names[:_NUM_SHOWN]) + ("; ..." if len(names) > _NUM_SHOWN else "")
