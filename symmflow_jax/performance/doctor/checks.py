"""The checks of `--mode=doctor`: each tells what it sees, and what is wrong with the remedy."""

import dataclasses
import importlib.metadata
import os
import pathlib
import platform
import shutil
import socket
import tempfile
from collections.abc import Callable

import jax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.performance.doctor import collective
from symmflow_jax.runtime import outputs, processes, shared_folder
from symmflow_jax.runtime.cluster import session
from symmflow_jax.runtime.cluster.channel import named
from symmflow_jax.runtime.storage.place import as_path, is_remote

_PACKAGES = (
    *("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "grain", "numpy"),
    *("libtpu", "jax-cuda12-plugin", "jax-cuda13-plugin"),
)

_LEAST_SPACE = 1e9
"""Bytes below which a disk is called full."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a check sees in one process.

    Attributes:
        lines: what to print, from process 0.
        problem: what is wrong here, with the remedy; empty if nothing is.
    """

    lines: tuple[str, ...]
    problem: str = ""


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is checked.

    Attributes:
        experiment: the config.
        workdir: folder of the run.
    """

    experiment: Experiment
    workdir: pathlib.Path


def hosts(subject: Subject) -> Finding:
    """The processes, their hosts and their devices."""
    del subject
    own = [socket.gethostname(), os.getpid(), jax.local_device_count()]
    all_hosts = session.exchange("hosts", own)
    lines = [
        f"process {index}: host {host}, pid {pid}, {count} devices"
        for index, (host, pid, count) in enumerate(all_hosts)
    ]
    counts = [count for _, _, count in all_hosts]
    fewest = [index for index, count in enumerate(counts) if count < max(counts)]
    problem = ""
    if fewest and processes.is_primary():
        problem = (
            f"{named(fewest)} of {len(counts)} {'has' if len(fewest) == 1 else 'have'} fewer "
            f"devices than others ({min(counts)}, not {max(counts)}); look for a device that is "
            "broken or taken there."
        )
    return Finding(tuple(lines), problem)


def versions(subject: Subject) -> Finding:
    """The versions of Python and packages, which all processes must share."""
    del subject
    own = {"python": platform.python_version()} | {
        name: version for name in _PACKAGES if (version := _version(name))
    }
    first = session.exchange("versions", own)[0]
    other = [name for name in own | first if own.get(name) != first.get(name)]
    problem = ""
    if other:
        told = ", ".join(
            f"{name} {own.get(name, 'missing')} (process 0: {first.get(name, 'missing')})"
            for name in other
        )
        problem = f"other versions than in process 0: {told}; install the same everywhere."
    return Finding((", ".join(f"{name} {version}" for name, version in own.items()),), problem)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def devices(subject: Subject) -> Finding:
    """Platform and topology of the devices, and accelerators that JAX does not use."""
    del subject
    found = jax.devices()
    kinds = sorted({device.device_kind for device in found})
    lines = [f"{len(found)} {found[0].platform} devices ({', '.join(kinds)})"]
    coordinates = [c for d in found if (c := getattr(d, "coords", None)) is not None]
    if coordinates:
        extent = "x".join(str(max(axis) + 1) for axis in zip(*coordinates, strict=True))
        slices = len({getattr(device, "slice_index", 0) for device in found})
        lines.append(f"topology {extent}, {slices} slices")
    unused = _unused_accelerator(found[0].platform)
    every = session.exchange("platform", [found[0].platform, kinds])
    if unused:
        problem = unused
    elif len(kinds) > 1:
        problem = "devices of different kinds; all hosts need the same."
    else:
        others = every[0] != [found[0].platform, kinds]
        problem = f"other devices than process 0 ({every[0]})." if others else ""
    return Finding(tuple(lines), problem)


def _unused_accelerator(used: str) -> str:
    """Tells of an accelerator of this host that JAX does not use."""
    if used != "cpu" or os.environ.get("JAX_PLATFORMS") == "cpu":
        return ""
    if any(pathlib.Path("/dev").glob("accel[0-9]*")):
        return "this host has a TPU, but JAX uses the CPU; pip install 'symmflow_jax[tpu]'."
    if pathlib.Path("/dev/nvidia0").exists():
        return "this host has a GPU, but JAX uses the CPU; pip install 'symmflow_jax[cuda]'."
    return ""


def memory(subject: Subject) -> Finding:
    """Memory of the devices and the host, and space on the disk of the run."""
    stats = [device.memory_stats() or {} for device in jax.local_devices()]
    limits = [limit for each in stats if (limit := each.get("bytes_limit"))]
    told = f"{min(limits) / 1e9:.1f} GB" if limits else "that of the host"
    host = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    # A run in a bucket needs the disk for files that are not copied yet.
    place = pathlib.Path(tempfile.gettempdir()) if is_remote(subject.workdir) else subject.workdir
    disk = shutil.disk_usage(_existing(place))
    line = (
        f"each device: {told}; host: {host / 1e9:.1f} GB; disk of {place}: "
        f"{disk.free / 1e9:.1f} of {disk.total / 1e9:.1f} GB free"
    )
    problem = ""
    if disk.free < _LEAST_SPACE:
        problem = (
            f"{place} has {disk.free / 1e6:.0f} MB left; free space there, or give another "
            f"{'TMPDIR' if is_remote(subject.workdir) else '--workdir'}."
        )
    return Finding((line,), problem)


def _existing(folder: pathlib.Path) -> pathlib.Path:
    """The folder, or the nearest one above it that exists; a bucket makes all of them."""
    if is_remote(folder):
        return folder
    places = (folder.absolute(), *folder.absolute().parents)
    return next(place for place in places if place.is_dir())


def workdir(subject: Subject) -> Finding:
    """Whether the folder of the run can be written, and is the same for all processes."""
    try:
        outputs.check_writable(subject.workdir, "another --workdir")
        refusal = ""
    except ValueError as error:
        refusal = str(error)
    if any(session.exchange("writable", bool(refusal))):
        return Finding((), refusal)
    place = _existing(subject.workdir)
    # All look into the same place, also while one of them makes the folder.
    place = as_path(session.exchange("place of the run", str(place))[0])
    strangers = shared_folder.processes_without(place)
    problem = ""
    if strangers and processes.is_primary():
        problem = (
            f"{named(strangers)} of {session.num_processes()} cannot see what process 0 writes to "
            f"{place}; give a --workdir on a file system that all hosts share, under the same path."
        )
    return Finding((f"{subject.workdir}: all processes see what process 0 writes there",), problem)


def data(subject: Subject) -> Finding:
    """Whether all processes read the same examples."""
    experiment = subject.experiment
    provenance = {
        "training": experiment.training_provenance(),
        "evaluation": experiment.evaluation_provenance(),
    }
    digests = {split: values["digest"] for split, values in provenance.items()}
    first = session.exchange("data", digests)[0]
    lines = [
        f"{split}: {values['num_examples']} examples of {experiment.dataset}, digest "
        f"{values['digest']}"
        for split, values in provenance.items()
    ]
    other = [split for split in digests if digests[split] != first.get(split)]
    problem = ""
    if other:
        problem = (
            f"{' and '.join(other)} data is not that of process 0 ({digests}, not {first}); copy "
            f"the same files to all hosts, here to {experiment.data.dir}."
        )
    return Finding(tuple(lines), problem)


def batch(subject: Subject) -> Finding:
    """Whether the devices divide the batches."""
    train = subject.experiment.train
    parts = jax.device_count() * train.num_microbatches
    processes.check_batch_size(train.batch_size, parts, "config.train.batch_size")
    processes.check_batch_size(
        subject.experiment.eval.batch_size, jax.local_device_count(), "config.eval.batch_size"
    )
    return Finding((f"{train.batch_size // jax.device_count()} examples per device and step",))


def network(subject: Subject) -> Finding:
    """The sum over all devices, and the bandwidth in it."""
    del subject
    on_cpu = jax.default_backend() == "cpu"
    num_bytes = 1 << (22 if on_cpu else 26)
    speed = collective.bandwidth(num_bytes, patience=90.0)
    if speed is None:
        return Finding(("one device, nothing to exchange",))
    return Finding(
        (
            f"all-reduce of {num_bytes >> 20} MiB over {jax.device_count()} devices: right, "
            f"{speed:.2f} GB/s per device",
        )
    )


Check = Callable[[Subject], Finding]

CHECKS: dict[str, Check] = {
    "processes": hosts,
    "versions": versions,
    "devices": devices,
    "memory": memory,
    "workdir": workdir,
    "data": data,
    "batch": batch,
    "network": network,
}
"""The checks in their order. All processes make the same exchanges in each."""
