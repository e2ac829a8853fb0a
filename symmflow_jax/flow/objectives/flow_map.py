"""The objective of a flow map of the image, beside the losses of the flow."""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from symmflow_jax.flow.flow_map import adaptive_weight, derivative_along, velocity_of_map
from symmflow_jax.flow.objectives.errors import mean_squared_error
from symmflow_jax.flow.objectives.objective import Losses, Networks
from symmflow_jax.flow.objectives.symmetric import path_points
from symmflow_jax.flow.shapes import Component, Labels, PerExample, Time
from symmflow_jax.flow.state import JointState, map_components
from symmflow_jax.flow.time_sampling import TrainingTimes


@dataclasses.dataclass(frozen=True)
class FlowMapObjective:
    """The map of the image beside semantics that do not move, and the losses of the flow.

    The identity of the map (see `flow.flow_map`) turns its average velocity u into a velocity
    `u - d Du`, which is compared with that of the path, as in improved mean flows (Geng et al.
    2025, arXiv 2512.02012): the derivative Du has no gradient, and is taken along the network's
    own velocity, its output for the span 0. With a teacher, both velocities are those of the
    frozen network, as in the Eulerian distillation of Align Your Flow (arXiv 2506.14603): its map
    is then learned, with less noise. Where the span is 0, all of this is the loss of the flow, up
    to a weight. The semantics are learned as ever: their one step is their posterior already.

    Attributes:
        guidance: weight w of guidance that the network learns beside clean semantics, so that
            generation needs no second pass: to the velocity of the path comes `(1 - 1/w) (c - u)`,
            where c is the network's own velocity, guided, and u that beside noise semantics
            (arXiv 2505.13447, section 4.2). 1 is none. A teacher is guided by w as in sampling.
    """

    guidance: float = 1.0

    @classmethod
    def of_guidance(cls, guidance: float) -> "FlowMapObjective":
        """Makes the objective with its guidance baked in; see `Objective.of_guidance`."""
        return cls(guidance)

    def losses(
        self,
        networks: Networks,
        paths: JointState,
        parameterizations: JointState,
        loss_weights: JointState,
        data: JointState,
        noise: JointState,
        labels: Labels,
        drawn: TrainingTimes,
    ) -> Losses:
        """The losses of each example; see `Objective.losses`."""
        points = path_points(paths, data, noise, labels, drawn.times)
        state = map_components(lambda point: point.point, points)
        times = drawn.times
        span = jnp.zeros_like(times.image) if drawn.span is None else drawn.span

        def image_velocity(output: JointState, x: Component, t: Time) -> Component:
            return parameterizations.image.velocity(output.image, x, t, paths.image)

        def for_tangents(x: Component, t: PerExample, d: PerExample) -> Component:
            moved = JointState(x, state.semantics), JointState(t, times.semantics)
            return image_velocity(networks.for_tangents(*moved, d), x, t)

        def own(state: JointState, times: JointState) -> Component:
            output = networks.held(state, times, jnp.zeros_like(times.image))
            return jax.lax.stop_gradient(image_velocity(output, state.image, times.image))

        of_path = paths.image.velocity(data.image, noise.image, times.image)
        velocity, target = self._velocities(networks, own, of_path, state, times)
        derivative = derivative_along(for_tangents, state.image, times.image, span, velocity)
        output = networks.output(state, times, span)
        average = image_velocity(output, state.image, times.image)
        made = velocity_of_map(average, jax.lax.stop_gradient(derivative), span)
        image = mean_squared_error(made, target)
        semantics = parameterizations.semantics.loss(
            output.semantics, points.semantics, paths.semantics
        )
        losses = map_components(jnp.multiply, JointState(image, semantics), drawn.learned)
        counted = losses._replace(image=losses.image * adaptive_weight(losses.image))
        weighted = map_components(jnp.multiply, loss_weights, counted)
        return Losses(weighted.image + weighted.semantics, losses.image, losses.semantics)

    def _velocities(
        self,
        networks: Networks,
        own: Callable[[JointState, JointState], Component],
        of_path: Component,
        state: JointState,
        times: JointState,
    ) -> tuple[Component, Component]:
        """The velocity along which the map moves, and that which it learns; both may be guided."""
        if networks.teacher is None:
            velocity = own(state, times)
            if self.guidance == 1.0:
                return velocity, of_path
            unguided = own(*_without_semantics(state, times, networks))
            pull = (1.0 - 1.0 / self.guidance) * (velocity - unguided)
            return velocity, of_path + jnp.where(_is_clean(state, times), pull, 0.0)
        velocity = jax.lax.stop_gradient(networks.teacher(state, times).image)
        if self.guidance != 1.0:
            unguided = networks.teacher(*_without_semantics(state, times, networks)).image
            pull = (self.guidance - 1.0) * (velocity - jax.lax.stop_gradient(unguided))
            velocity = velocity + jnp.where(_is_clean(state, times), pull, 0.0)
        return velocity, velocity


def _without_semantics(
    state: JointState, times: JointState, networks: Networks
) -> tuple[JointState, JointState]:
    """State and times beside semantics of pure noise, which carry no information."""
    noisy = state._replace(semantics=networks.semantics_noise())
    return noisy, times._replace(semantics=jnp.ones_like(times.semantics))


def _is_clean(state: JointState, times: JointState) -> Bool[Array, " batch *ones"]:
    """Whether the semantics of each example are clean, with axes like the image's."""
    shape = (*times.semantics.shape, *(1,) * (state.image.ndim - 1))
    return jnp.reshape(times.semantics == 0.0, shape)
