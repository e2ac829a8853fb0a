"""Types of TPU slices: hosts, images, machine types and topologies.

Sources, read in November 2026: the pages "TPU software versions", "TPU machines in
accelerator-optimized machine family", "TPU instances in MIGs" and "Manage queued resources" of the
documentation of Google Cloud.
"""

import dataclasses
import re

from tpu_pod.errors import UsageError

# Compute Engine has one family of images for three generations. It serves v5p too, but v5e only
# through the Cloud TPU API.
IMAGE_PROJECT = "ubuntu-os-accelerator-images"
_IMAGE_FAMILY = "ubuntu-accel-2204-amd64-tpu-v5e-v5p-v6e"

_POWERS = (1, 4, 8, 16, 32, 64, 128, 256)
_V6E_TOPOLOGIES = {16: "4x4", 32: "4x8", 64: "8x8", 128: "8x16", 256: "16x16"}


@dataclasses.dataclass(frozen=True)
class Accelerator:
    """A slice.

    Attributes:
        name: its name for the Cloud TPU API, such as "v5litepod-16".
        hosts: number of its hosts.
        runtime_version: image for the Cloud TPU API.
        machine_type: machine type of a host for Compute Engine, or "" if that has none.
        image_family: image for Compute Engine.
        topology: topology for a workload policy, or "" for a single host.
    """

    name: str
    hosts: int
    runtime_version: str
    machine_type: str = ""
    image_family: str = ""
    topology: str = ""


@dataclasses.dataclass(frozen=True)
class _Family:
    example: str
    prefix: str
    runtime_version: str
    cores_per_chip: int
    is_sold_by_compute_engine: bool = False


# The number in a name counts cores for v4 and v5p, which have two in a chip, and chips otherwise.
_FAMILIES = {
    "v4": _Family("v4-32", "v4", "tpu-ubuntu2204-base", 2),
    "v5e": _Family("v5e-16", "v5litepod", "v2-alpha-tpuv5-lite", 1),
    "v5p": _Family("v5p-32", "v5p", "v2-alpha-tpuv5", 2),
    "v6e": _Family("v6e-16", "v6e", "v2-alpha-tpuv6e", 1, is_sold_by_compute_engine=True),
}
_EXAMPLES = ", ".join(family.example for family in _FAMILIES.values())


def accelerator(text: str) -> Accelerator:
    """The slice that `--type` names.

    Raises:
        UsageError: for an unknown type or size.
    """
    match = re.fullmatch(r"(v[0-9]+[a-z]*)-([1-9][0-9]*)", text)
    key = {"v5litepod": "v5e"}.get(match[1], match[1]) if match else ""
    if match is None or key not in _FAMILIES:
        raise UsageError(f"--type={text} is unknown; known are {_EXAMPLES} and their other sizes")
    family, size = _FAMILIES[key], int(match[2])
    _check_size(text, family, size)
    chips = size // family.cores_per_chip
    # A host has four chips; v5e and v6e also have hosts of one and eight.
    hosts = 1 if chips <= 8 and family.cores_per_chip == 1 else chips // 4
    found = Accelerator(f"{family.prefix}-{size}", hosts, family.runtime_version)
    if not family.is_sold_by_compute_engine:
        return found
    return dataclasses.replace(
        found,
        machine_type=f"ct6e-standard-{chips if hosts == 1 else 4}t",
        image_family=_IMAGE_FAMILY,
        topology=_V6E_TOPOLOGIES.get(chips, ""),
    )


def _check_size(text: str, family: _Family, size: int) -> None:
    if family.cores_per_chip == 1 and size not in _POWERS:
        sizes = ", ".join(map(str, _POWERS))
        raise UsageError(f"--type={text} has no such size; sizes are {sizes} chips")
    if family.cores_per_chip == 2 and size % 8:
        raise UsageError(
            f"--type={text} has no such size; its number counts cores, 8 for each host of 4 chips"
        )
