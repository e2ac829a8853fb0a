"""The output holds logits of the classes: semantics as a categorical variable."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax

from symmflow_jax.flow.parameterizations.parameterization import PathPoint
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.semantics.encoding import ProbabilityEncoding
from symmflow_jax.semantics.planes import mean_over_plane


@dataclasses.dataclass(frozen=True)
class CategoricalParameterization:
    """The output holds logits of the classes; the velocity leads to the expected code.

    A state tells the velocity if its clean code is known. The mean of that velocity over the
    posterior of the class puts the expected code there (as denoisers of continuous codes for
    discrete data do, arXiv 2211.15089).

    Attributes:
        encoding: codes whose means are probabilities.
        label_scale: factor of the codes in the state.
        cross_entropy_weight: factor of the cross-entropy.
    """

    encoding: ProbabilityEncoding
    label_scale: float = 1.0
    cross_entropy_weight: float = 1.0

    @classmethod
    def of_component(
        cls, encoding: Any, label_scale: float, cross_entropy_weight: float
    ) -> "CategoricalParameterization":
        """The parameterization of semantics whose mean codes are probabilities.

        Raises:
            ValueError: if the component is the image, or its codes are others.
        """
        if not isinstance(encoding, ProbabilityEncoding):
            raise ValueError(
                "The parameterization 'categorical' is for semantics of one-hot codes; set "
                "config.semantics.encoding='onehot', or choose 'velocity'."
            )
        return cls(encoding, label_scale, cross_entropy_weight)

    def velocity(
        self, output: jax.Array, point: jax.Array, t: jax.Array, path: ComponentPath
    ) -> jax.Array:
        """From the point away from the expected code, float32.

        At t = 0 only the limit is defined, and nothing is gained by it: the path takes times near
        its pole as later ones. Euler steps back from t = 1 never ask there, and end on the
        expected code.
        """
        probabilities = jax.nn.softmax(self._logits(output), axis=-1)
        code = self.label_scale * self.encoding.mean_code(probabilities)
        return path.velocity_from_clean(point, code, t)

    def loss(self, output: jax.Array, at: PathPoint, path: ComponentPath) -> jax.Array:
        """The weighted cross-entropy in nats, a mean over the pixels of masks."""
        del path
        entropy = optax.softmax_cross_entropy_with_integer_labels(self._logits(output), at.labels)
        return self.cross_entropy_weight * jnp.mean(entropy, axis=tuple(range(1, entropy.ndim)))

    def _logits(self, output: jax.Array) -> jax.Array:
        """Float32 `[batch, ..., classes]`; those of one label are a mean over its plane."""
        return mean_over_plane(output.astype(jnp.float32), self.encoding.spatial_shape)
