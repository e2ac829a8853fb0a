"""The collectives between devices in a compiled module."""

import re
from collections import Counter
from typing import NamedTuple

from symmflow_jax.performance.plan.hlo import Instruction, Module, sizes

_KINDS = ("all-gather", "all-reduce", "reduce-scatter", "all-to-all", "collective-permute")


_Key = tuple[str, bool, str]


class Collective(NamedTuple):
    """All collectives of one kind in one run of a module.

    Attributes:
        kind: "all-gather", "all-reduce", "reduce-scatter", "all-to-all" or
            "collective-permute".
        between_slices: whether it crosses the network of the data centre, between slices, and
            not that of the chips of a slice.
        num_runs: number of runs of all of them.
        num_bytes: bytes of their arrays on one device: the whole array before a reduction or
            after a gathering, of which a device sends or receives most.
    """

    kind: str
    between_slices: bool
    num_runs: int
    num_bytes: int


def collectives(module: Module) -> list[Collective]:
    """The collectives of a module by kind and network, most bytes first.

    An asynchronous collective with a start and an end instruction counts once. So does a
    collective that the compiler has split over several fusions with one chain id. A collective
    in a loop counts once for each run of the loop.

    Args:
        module: the optimised module.
    """
    runs, types = module.runs(), module.types
    found: dict[_Key, tuple[int, int]] = {}
    for computation, body in module.computations.items():
        for instruction in body if runs[computation] else ():
            key = _key(instruction)
            if key is not None:
                entry_of_key = runs[computation], _num_bytes(key, instruction, types)
                found[key] = max(found.get(key, (0, 0)), entry_of_key)
    counts: Counter[tuple[str, bool]] = Counter()
    totals: Counter[tuple[str, bool]] = Counter()
    for key, (count, size) in found.items():
        counts[key[:2]] += count
        totals[key[:2]] += count * size
    return [Collective(*each, counts[each], total) for each, total in totals.most_common()]


def _key(instruction: Instruction) -> _Key | None:
    """Kind, network and identity of an instruction's collective; None if it is no such one.

    TPU programs exchange between slices by pairs of a "send" and a "recv", which name the
    collective that their runtime makes of them.
    """
    if instruction.opcode in ("send", "recv"):
        transfer = re.search(r'_xla_megascale_transfer_type="(\w+)"', instruction.rest)
        rendezvous = re.search(r'_xla_host_transfer_rendezvous="([^"]*)"', instruction.rest)
        if transfer is None:
            return None
        return (
            transfer[1].lower().replace("_", "-"),
            True,
            rendezvous[1] if rendezvous else instruction.name,
        )
    kind = instruction.opcode.removesuffix("-start")
    if kind not in _KINDS:
        return None
    # The channel is no key, since many different collectives may share it.
    chain = re.search(r'chain_id="(\d+)"', instruction.rest)
    return kind, False, chain[1] if chain else instruction.name


def _num_bytes(key: _Key, instruction: Instruction, types: dict[str, str]) -> int:
    kind, between_slices, _ = key
    if between_slices:  # The array, a state and a token; of sent and received ones the larger.
        return sizes(instruction.type)[0]
    if kind == "reduce-scatter":
        return sum(sum(sizes(types[name])) for name in instruction.operands)
    of_arrays = sizes(instruction.type)
    if instruction.opcode.endswith("-start"):
        if kind == "all-gather":  # The arguments, then the results.
            return sum(of_arrays[len(of_arrays) // 2 :])
        if kind == "collective-permute":  # The argument, the result, and its state.
            return of_arrays[1]
    return sum(of_arrays)
