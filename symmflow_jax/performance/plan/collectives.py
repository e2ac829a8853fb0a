"""The collectives between devices in a compiled module."""

import re
from collections import Counter
from typing import NamedTuple

from symmflow_jax.performance.plan.hlo import Instruction, Module, sizes

_KINDS = ("all-gather", "all-reduce", "reduce-scatter", "all-to-all", "collective-permute")


class Collective(NamedTuple):
    """All collectives of one kind in one run of a module.

    Attributes:
        kind: "all-gather", "all-reduce", "reduce-scatter", "all-to-all" or
            "collective-permute".
        num_runs: number of runs of all of them.
        num_bytes: bytes of their arrays on one device: the whole array before a reduction or
            after a gathering, of which a device sends or receives most.
    """

    kind: str
    num_runs: int
    num_bytes: int


def collectives(module: Module) -> list[Collective]:
    """The collectives of a module by kind, most bytes first.

    An asynchronous collective with a start and an end instruction counts once. So does a
    collective that the compiler has split over several fusions with one chain id. A collective
    in a loop counts once for each run of the loop.

    Args:
        module: the optimised module.
    """
    runs, types = module.runs(), module.types
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for computation, body in module.computations.items():
        for instruction in body:
            kind = instruction.opcode.removesuffix("-start")
            if kind in _KINDS and runs[computation]:
                # The channel is no key, since many different collectives may share it.
                chain = re.search(r'chain_id="(\d+)"', instruction.rest)
                key = kind, chain[1] if chain else instruction.name
                entry_of_key = runs[computation], _num_bytes(kind, instruction, types)
                found[key] = max(found.get(key, (0, 0)), entry_of_key)
    counts: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for (kind, _), (count, size) in found.items():
        counts[kind] += count
        totals[kind] += count * size
    return [Collective(kind, counts[kind], total) for kind, total in totals.most_common()]


def _num_bytes(kind: str, instruction: Instruction, types: dict[str, str]) -> int:
    if kind == "reduce-scatter":
        return sum(sum(sizes(types[name])) for name in instruction.operands)
    of_arrays = sizes(instruction.type)
    if instruction.opcode.endswith("-start"):
        if kind == "all-gather":  # The arguments, then the results.
            return sum(of_arrays[len(of_arrays) // 2 :])
        if kind == "collective-permute":  # The argument, the result, and its state.
            return of_arrays[1]
    return sum(of_arrays)
