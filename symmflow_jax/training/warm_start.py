"""Warm start: the parameters of a network from those of a trained one.

Parameters of one name and shape are taken. The times of a network may be fewer or more, and the
semantics, which meet the network in its first and last layer alone, may be others.
"""

import dataclasses
from collections.abc import Mapping

import jax
import numpy as np
from flax import traverse_util

from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Params
from symmflow_jax.networks.velocity.unet import LATER_TIMES


@dataclasses.dataclass(frozen=True)
class Inherited:
    """Parameters that begin with those of a trained network.

    Attributes:
        params: the parameters, NumPy arrays.
        taken: number of arrays that were taken as they are.
        zero: names of the embeddings of times that the trained network lacks. They start at zero,
            so that the outputs are the same.
        anew: names of the layers whose part for the semantics is initialized.
        left: names of the modules of the trained network that this one lacks.
    """

    params: Params
    taken: int
    zero: tuple[str, ...]
    anew: tuple[str, ...]
    left: tuple[str, ...]


def inherit(
    saved: Params, trained: SymmFlow, method: SymmFlow, key: jax.Array, *, keeps_semantics: bool
) -> Inherited:
    """The parameters of a method's network from those of a trained one of the same kind.

    Args:
        saved: the trained parameters, NumPy arrays.
        trained: the method that they belong to.
        method: the method that begins with them.
        key: the key `[]` of the initial values of what is made anew.
        keeps_semantics: whether both methods have the same semantics.

    Raises:
        ValueError: if an array has another shape, which no layer of times or semantics explains,
            or if the network does not name the layers of other semantics.
    """
    old = traverse_util.flatten_dict(saved, sep="/")
    shapes = traverse_util.flatten_dict(jax.eval_shape(method.init, key), sep="/")
    seams = _Seams.of(trained, method, keeps_semantics)
    takes = {
        name: name in old and old[name].shape == shape.shape and not seams.has_part(name)
        for name, shape in shapes.items()
    }
    fresh = _initialized(method, key, {name for name, taken in takes.items() if not taken})
    params = {}
    for name in shapes:
        if takes[name]:
            params[name] = old[name]
        elif name not in old:
            params[name] = fresh[name]
        else:
            params[name] = seams.joined(name, old[name], fresh[name])
    new = _modules(shapes.keys() - old.keys())
    zero = tuple(name for name in new if name in LATER_TIMES)
    if unknown := sorted(set(new) - set(zero)):
        raise ValueError(f"The trained network lacks {', '.join(unknown)}.")
    return Inherited(
        params=traverse_util.unflatten_dict(params, sep="/"),
        taken=sum(takes.values()),
        zero=zero,
        anew=() if keeps_semantics else _modules(filter(seams.has_part, shapes)),
        left=_modules(old.keys() - shapes.keys()),
    )


@dataclasses.dataclass(frozen=True)
class _Seams:
    """The first and the last layer, whose channels are those of image, semantics and times.

    Attributes:
        in_layer, out_layer: names of the layers.
        image: channels of the image.
        old, new: channels of the semantics of the trained network and of the other one.
        keeps_semantics: whether the semantics are the same.
    """

    in_layer: str
    out_layer: str
    image: int
    old: int
    new: int
    keeps_semantics: bool

    @classmethod
    def of(cls, trained: SymmFlow, method: SymmFlow, keeps_semantics: bool) -> "_Seams":
        shapes, trained_shapes = method.codec.shapes, trained.codec.shapes
        in_layer = getattr(method.network, "in_layer", "")
        out_layer = getattr(method.network, "out_layer", "")
        if not keeps_semantics and not (in_layer and out_layer):
            raise ValueError(
                f"{type(method.network).__name__} does not name its first and last layer (in_layer "
                "and out_layer), so it cannot take over weights for other semantics."
            )
        return cls(
            in_layer,
            out_layer,
            shapes.image[-1],
            trained_shapes.semantics[-1],
            shapes.semantics[-1],
            keeps_semantics,
        )

    def has_part(self, name: str) -> bool:
        """True for an array whose part of the semantics is initialized."""
        if self.keeps_semantics:
            return False
        return name in (f"{self.in_layer}/kernel", *self._outputs)

    @property
    def _outputs(self) -> tuple[str, str]:
        return f"{self.out_layer}/kernel", f"{self.out_layer}/bias"

    def joined(self, name: str, old: np.ndarray, fresh: np.ndarray) -> np.ndarray:
        """The array with the trained part of the image, and the right part of the semantics."""
        if name == f"{self.in_layer}/kernel":
            axis = old.ndim - 2
        elif name in self._outputs:
            axis = old.ndim - 1
        else:
            raise ValueError(f"{name} has shape {old.shape}, not {fresh.shape}.")
        image, semantics, times = self._split(old, self.old, axis)
        _, fresh_semantics, fresh_times = self._split(fresh, self.new, axis)
        # Times are inputs of a network without embeddings; new ones get no weight.
        more = fresh_times.shape[axis] - times.shape[axis]
        widths = [(0, max(0, more)) if i == axis else (0, 0) for i in range(old.ndim)]
        kept = np.take(np.pad(times, widths), range(fresh_times.shape[axis]), axis)
        semantics = semantics if self.keeps_semantics else fresh_semantics
        joined = np.concatenate([image, semantics, kept], axis)
        if joined.shape != fresh.shape:
            raise ValueError(f"{name} has shape {old.shape}, not {fresh.shape}.")
        return joined

    def _split(self, array: np.ndarray, semantics: int, axis: int) -> list[np.ndarray]:
        return np.split(array, [self.image, self.image + semantics], axis)


def _initialized(method: SymmFlow, key: jax.Array, names: set[str]) -> Mapping[str, np.ndarray]:
    """The initial values of some arrays; the others are not computed."""

    def init(key: jax.Array) -> dict[str, jax.Array]:
        flat = traverse_util.flatten_dict(method.init(key), sep="/")
        return {name: flat[name] for name in sorted(names)}

    return jax.device_get(jax.jit(init)(key)) if names else {}


def _modules(names) -> tuple[str, ...]:
    """The distinct first parts of names, such as "stem" of "stem/kernel", in order."""
    return tuple(sorted({name.split("/")[0] for name in names}))
