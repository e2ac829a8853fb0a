"""TPU topologies to compile for, without a TPU."""

import importlib.util
import os
from typing import Any

import jax
from jax.experimental import topologies

from symmflow_jax.performance.plan.chips import CHIPS, Chip
from symmflow_jax.runtime.errors import first_line

# Without these variables libtpu queries the servers of Google Cloud and logs errors.
_NOT_ON_A_TPU = {
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-4",
    "TPU_WORKER_HOSTNAMES": "localhost",
}


def open_topology(name: str, num_slices: int = 1) -> tuple[Chip, tuple[jax.Device, ...]]:
    """Opens a topology such as "v5e:4x4"; returns its chip and its devices, one for each chip.

    Programs can be compiled for these devices, but arrays cannot be placed on them.

    Args:
        name: chip and layout of a slice.
        num_slices: number of such slices, which the network of the data centre joins.

    Raises:
        ValueError: if the topology does not exist, libtpu is missing, or another process of
            this machine uses it.
    """
    generation, _, layout = name.partition(":")
    if generation not in CHIPS or not layout:
        raise ValueError(
            f"config.plan.topology is {name!r}; give a chip ({', '.join(CHIPS)}) and a layout, "
            "such as v5e:4x4 or v5p:2x2x2."
        )
    if importlib.util.find_spec("libtpu") is None:
        raise ValueError(
            "Compiling for TPUs needs libtpu, which is not installed (a TPU is not needed): "
            "pip install 'symmflow_jax[tpu]'."
        )
    chip = CHIPS[generation]
    options: dict[str, Any] = {"num_slices": num_slices} if num_slices > 1 else {}
    if chip.config_name is not None:
        options["chip_config_name"] = chip.config_name
    for key, value in _NOT_ON_A_TPU.items():
        os.environ.setdefault(key, value)
    try:
        topology = topologies.get_topology_desc(name, "tpu", **options)
    except jax.errors.JaxRuntimeError as error:
        if "lockfile" in str(error):
            raise ValueError(
                "Another process on this machine uses libtpu, which serves one at a time; run "
                "this again when it has ended."
            ) from error
        raise ValueError(
            f"There is no topology {name!r} ({first_line(error)}). Layouts are as Google Cloud "
            "offers them, such as v5e:2x4, v6e:4x4, v5p:2x2x2 or v4:2x2x1."
        ) from error
    return chip, tuple(topology.devices)


def open_host(name: str, devices: tuple[jax.Device, ...]) -> tuple[jax.Device, ...]:
    """Devices of a slice with as many chips as one host, for programs of one process.

    The compiler aborts on collectives among a part of a slice, so one host's chips are opened as
    a slice of their own.

    Args:
        name: the topology of a slice, as in `open_topology`.
        devices: the devices of the topology.
    """
    first = [device for device in devices if device.process_index == 0]
    if len(first) == len(devices):
        return devices
    generation, _, layout = name.partition(":")
    # Hosts of larger slices have four chips.
    host = "2x2x1" if layout.count("x") == 2 else "2x2"
    return open_topology(f"{generation}:{host}")[1]
