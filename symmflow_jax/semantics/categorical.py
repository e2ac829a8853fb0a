"""Semantics as a categorical variable: the output holds logits of the classes."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from symmflow_jax.flow.objectives.errors import mean_over_known
from symmflow_jax.flow.parameterizations.parameterization import PathPoint, known_places
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.shapes import Component, PerExample, Time
from symmflow_jax.semantics.encoding import ProbabilityEncoding
from symmflow_jax.semantics.planes import mean_over_plane


@dataclasses.dataclass(frozen=True)
class CategoricalParameterization:
    """The output holds logits of the classes; the velocity leads to the expected code.

    The velocity is linear in the clean code. So its mean over the posterior of the class is the
    velocity towards the expected code, as in denoisers of continuous codes for discrete data
    (arXiv 2211.15089).

    Attributes:
        encoding: codes whose means are probabilities.
        label_scale: factor of the codes in the state.
        cross_entropy_weight: factor of the cross-entropy.
        class_weights: weight of each class in the cross-entropy, which then is a weighted mean;
            empty for equal weights.
    """

    encoding: ProbabilityEncoding
    label_scale: float = 1.0
    cross_entropy_weight: float = 1.0
    class_weights: tuple[float, ...] = ()

    @classmethod
    def of_component(
        cls, encoding: Any, label_scale: float, cross_entropy_weight: float
    ) -> "CategoricalParameterization":
        """The parameterization of semantics whose mean codes are probabilities.

        Raises:
            ValueError: if the component is the image, or if its codes are not one-hot.
        """
        if not isinstance(encoding, ProbabilityEncoding):
            raise ValueError(
                "The parameterization 'categorical' is for semantics of one-hot codes; set "
                "config.semantics.encoding='onehot', or choose 'velocity'."
            )
        return cls(encoding, label_scale, cross_entropy_weight)

    def velocity(
        self, output: Component, point: Component, t: Time, path: ComponentPath
    ) -> Component:
        """The velocity from the expected code through the point, float32 `[batch, ...]`.

        The velocity has a pole at t = 0, and the path bounds the time away from it. Euler steps
        from t = 1 to 0 do not evaluate it there and end on the expected code.
        """
        probabilities = jax.nn.softmax(self._logits(output), axis=-1)
        code = self.label_scale * self.encoding.mean_code(probabilities)
        return path.velocity_from_clean(point, code, t)

    def loss(self, output: Component, at: PathPoint, path: ComponentPath) -> PerExample:
        """The weighted cross-entropy in nats, float32 `[batch]`, a mean over a mask's pixels.

        Pixels whose label is unknown do not count. Class weights multiply the cross-entropy of
        each pixel; see `class_weights`.
        """
        del path
        assert at.labels is not None, "semantics have labels"
        labels = jnp.maximum(at.labels, 0) if self.encoding.has_unknown else at.labels
        entropy = optax.softmax_cross_entropy_with_integer_labels(self._logits(output), labels)
        if self.class_weights:
            entropy *= jnp.asarray(self.class_weights, jnp.float32)[labels]
        if self.encoding.has_unknown:
            return self.cross_entropy_weight * mean_over_known(entropy, known_places(at))
        return self.cross_entropy_weight * jnp.mean(entropy, axis=tuple(range(1, entropy.ndim)))

    def _logits(self, output: Component) -> Float[Array, " batch *labels classes"]:
        """Float32 `[batch, ..., classes]`; logits of one label are the mean over its plane."""
        return mean_over_plane(output.astype(jnp.float32), self.encoding.spatial_shape)
