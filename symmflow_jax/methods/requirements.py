"""What a task requires of a method, with the error and the remedy if it is not there."""

from typing import TYPE_CHECKING

from symmflow_jax.flow import clocks
from symmflow_jax.flow.clocks import Clock
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.semantics.encoding import ProbabilityEncoding

if TYPE_CHECKING:
    from symmflow_jax.methods.symmflow import SymmFlow

_RECOGNITION = "recognition alone (config.train.clock='recognition')"
_GENERATION = "images of given semantics alone (config.train.clock='generation')"
_UNCONDITIONAL = "on images alone (config.train.clock='unconditional')"


def require_two_clocks(method: "SymmFlow", what: str) -> None:
    """Raises a ValueError if the network was given one time for both components."""
    if method.time_sampling.num_clocks == 1:
        raise ValueError(
            f"{what} needs a network with a clock for each component, but this one was trained "
            "with config.train.clock='tied'; train with 'independent' or 'mixed'."
        )


def require_images(method: "SymmFlow") -> None:
    """Raises a ValueError if the network has learned no velocity of images."""
    if not method.time_sampling.learns_images:
        raise ValueError(
            f"This model was trained for {_RECOGNITION} and makes no images; take a model of "
            "another config.train.clock, such as 'mixed' or 'generation'."
        )


def require_semantics(method: "SymmFlow") -> None:
    """Raises a ValueError if the network has learned no velocity of semantics."""
    if not method.time_sampling.learns_semantics:
        trained = _UNCONDITIONAL if method.is_unconditional else f"for {_GENERATION}"
        raise ValueError(
            f"This model was trained {trained} and reads no masks or labels; take a model of "
            "another config.train.clock, such as 'mixed' or 'recognition'."
        )


def require_conditional(method: "SymmFlow", fault: str, remedy: str) -> None:
    """Raises a ValueError if the network knows images alone.

    Args:
        method: the method.
        fault: what cannot be done; masks or labels are its object.
        remedy: what the model can do.
    """
    if method.is_unconditional:
        raise ValueError(
            f"This model was trained {_UNCONDITIONAL}. {fault} masks or labels, which it does not "
            f"know; {remedy}."
        )


def require_reading(method: "SymmFlow", solve: Solve) -> None:
    """Raises a ValueError if a solver reads images in steps that the network has not learned.

    Raises:
        ValueError: as `require_semantics`, or if the network reads in one step alone, and the
            solver takes more.
    """
    require_semantics(method)
    if method.time_sampling.reads_in_one_step and solve != FixedSteps(EULER, 1):
        raise ValueError(
            f"This model was trained for {_RECOGNITION} at pure noise, so it reads in one step "
            "of 'euler' alone; leave the solver and the number of steps as they are by default."
        )


def require_noise_semantics(method: "SymmFlow", what: str) -> None:
    """Raises a ValueError if nothing but images of given semantics was learned, or no image."""
    require_images(method)
    if method.time_sampling.is_one_task:
        raise ValueError(
            f"{what} needs images that were learned beside semantics of pure noise, but this "
            f"model was trained for {_GENERATION}; take a model of another "
            "config.train.clock, such as 'mixed'."
        )


def require_map(method: "SymmFlow", solve: Solve, clock: Clock) -> None:
    """Raises a ValueError if a solver jumps where this network has learned no map."""
    if not solve.takes_spans:
        return
    if not method.has_span:
        raise ValueError(
            "The solver 'flow_map' jumps over spans of time, which this network has not "
            "learned; train one with config.train.objective='flow_map' (it may begin with this "
            "run: config.train.init_from), or choose another solver, such as 'euler'."
        )
    if clock not in (clocks.clean_semantics, clocks.noise_semantics):
        raise ValueError(
            "The solver 'flow_map' makes images, beside semantics that do not move; semantics "
            "and pairs need another solver, such as 'euler', and config.eval.clock='tied' has "
            "no map. One step of 'euler' predicts semantics."
        )


def require_probabilities(method: "SymmFlow", name: str) -> None:
    """Raises a ValueError if the encoding gives no probabilities.

    Args:
        method: the method.
        name: what they are called where they are asked for.
    """
    encoding = method.codec.encoding
    if not isinstance(encoding, ProbabilityEncoding):
        raise ValueError(
            f"{name} are those of one-hot codes, but this model encodes classes as "
            f"{type(encoding).__name__}; train one with config.semantics.encoding='onehot', or "
            "leave them out."
        )
