"""Checks of the places that a config names: on disks, in buckets, and on the hub."""

import operator

from symmflow_jax.config.build.data import sources
from symmflow_jax.config.choices import listed
from symmflow_jax.config.schema.fields import fields_of
from symmflow_jax.config.values import Config
from symmflow_jax.interop.hub import address
from symmflow_jax.runtime.storage import place

_IN_BUCKETS = ("data.dir", "data.latents", "train.init_from", "train.map_target")
_PACK = (
    "Pack the data set (--mode=pack), copy the packed folder to the bucket, and set "
    "config.data.source=packed; or mount the bucket as a folder."
)


def check(config: Config) -> None:
    """Raises a ValueError for a place of a form, or of a kind, that its key cannot have."""
    _check_addresses(config)
    _check_places(config)


def _check_addresses(config: Config) -> None:
    """Checks the form of addresses on the hub, without a download; only weights have them."""
    fields = fields_of(Config)
    for key, field in fields.items():
        value = operator.attrgetter(key)(config) if field.is_path else ""
        if address.is_address(value) and not field.is_weights:
            weights = [name for name, other in fields.items() if other.is_weights]
            raise ValueError(
                f"config.{key} is {value!r}, but only weights are fetched from the hub "
                f"({listed(f'config.{name}' for name in weights)}); give a place on this machine."
            )
        if field.is_weights:
            address.check(value)


def _check_places(config: Config) -> None:
    """Checks the form of paths, and that those in buckets are of keys that can have them."""
    is_packed = sources.SOURCES[config.data.source].is_packed
    for key, field in fields_of(Config).items():
        value = operator.attrgetter(key)(config) if field.is_path else ""
        name = f"config.{key}"
        if key == "data.dir" and not is_packed:
            place.refuse(value, name, _PACK)
        elif not field.is_weights and key not in _IN_BUCKETS:
            place.refuse(value, name, "Give a folder on a disk.")
        place.check(value, name)
