"""Training data of several parts: the split itself, incomplete examples, and extra ones."""

import dataclasses

from symmflow_jax.data.source import Source
from symmflow_jax.flow.state import IN_ALL, JointState


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of the training data, beside the split itself.

    Attributes:
        source: its examples; those that lack a component have elements without it.
        share: its share of the training examples, in (0, 1).
        complete: share of its examples that have each component.
    """

    source: Source
    share: float
    complete: JointState = IN_ALL

    @property
    def is_complete(self) -> bool:
        """True if all of its examples have both components."""
        return self.complete == IN_ALL


@dataclasses.dataclass(frozen=True)
class Mixture:
    """The parts of the training data beside the split itself.

    The share of each part holds over any long row of examples. So the shares of the components are
    constants: the loss depends neither on the batches nor on the devices.

    Attributes:
        parts: the parts; empty for the split alone.
    """

    parts: tuple[Part, ...] = ()

    @property
    def share_of_split(self) -> float:
        """Share of the examples of the split itself."""
        return 1.0 - sum(part.share for part in self.parts)

    @property
    def has_incomplete(self) -> bool:
        """True if some examples lack a component."""
        return any(not part.is_complete for part in self.parts)

    @property
    def shares(self) -> JointState:
        """Share of all training examples that have each component."""
        lacking = [
            JointState(*(part.share * (1.0 - share) for share in part.complete))
            for part in self.parts
        ]
        return JointState(
            image=1.0 - sum(part.image for part in lacking),
            semantics=1.0 - sum(part.semantics for part in lacking),
        )


ALONE = Mixture()
"""The split itself, without other parts."""
