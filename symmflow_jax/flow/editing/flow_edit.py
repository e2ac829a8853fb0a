"""FlowEdit: an image moves along the difference of two velocities, without a detour over noise.

Kulikov et al. 2024 (arXiv 2412.08629), in the times of this project: t = 0 is noise, t = 1 is the
image. At each time t the known image x is mixed with fresh noise n to a point p of its path. The
edited image z, which begins as x, moves by

    dz/dt = mean over n of  v(p + z - x, t | new) - v(p, t | old).

If the new semantics are the old ones, both velocities are equal, and x stays as it is.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from symmflow_jax.flow import keys
from symmflow_jax.flow.clocks import Dynamics
from symmflow_jax.flow.moment import Moment, numbered_step
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.shapes import Component, ExampleKeys, Scalar

ImageVelocity = Callable[[Component, Scalar], Component]
"""`velocity(x, t)`: that of the image alone, beside semantics that do not move."""


def flow_edit(
    target: ImageVelocity,
    source: ImageVelocity,
    path: ComponentPath,
    image: Component,
    noise_keys: ExampleKeys,
    num_noises: int = 1,
) -> Dynamics:
    """The motion of the edited image z, of steps that all draw noise of their own.

    Args:
        target: the velocity beside the new semantics.
        source: the velocity beside the old semantics, or without any.
        path: the path of the image.
        image: the known image x, float `[batch, ...]`.
        noise_keys: keys `[batch]`, parents of the keys of all steps.
        num_noises: draws of noise in each step, whose differences are averaged.

    Raises:
        ValueError: from the motion, if the solver is adaptive.
    """

    def motion(edited: Component, moment: Moment) -> Component:
        step_keys = keys.fold_in(noise_keys, numbered_step(moment, "FlowEdit"))

        def difference(draw: jax.Array) -> Component:
            noise = keys.normal(keys.fold_in(step_keys, draw), image.shape[1:])
            point = path.interpolate(image, noise, moment.s)
            # In this order, the two points are equal to the bit where the image has not changed.
            return target(point + (edited - image), moment.s) - source(point, moment.s)

        if num_noises == 1:
            return difference(jnp.int32(0))
        return jnp.mean(jax.lax.map(difference, jnp.arange(num_noises)), axis=0)

    return motion
