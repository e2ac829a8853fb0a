"""The messages between devices, read out of a compiled module's text (HLO)."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

_KINDS = ("all-gather", "all-reduce", "reduce-scatter", "all-to-all", "collective-permute")


class Collective(NamedTuple):
    """All collectives of one kind in a run of a module.

    Attributes:
        kind: "all-gather", "all-reduce", "reduce-scatter", "all-to-all" or
            "collective-permute".
        num_runs: how often one of them runs.
        num_bytes: what they work on, for one device: the whole array before a reduction or
            after a gathering, of which a device sends or receives most.
    """

    kind: str
    num_runs: int
    num_bytes: int


class _Instruction(NamedTuple):
    name: str
    type: str
    opcode: str
    rest: str


_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?([\w.\-]+) = (.*?) ([a-z][a-z\-]*)\((.*)$")
_COMPUTATION = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\{$")
_CALLED = re.compile(r"\b(?:calls|to_apply|body|condition)=%?([\w.\-]+)")
_BRANCHES = re.compile(r"\bbranch_computations=\{([^}]*)\}")
_TRIP_COUNT = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')
_ARRAY = re.compile(r"\b([a-z]+)(\d*)[a-z0-9]*\[([\d,]*)\]")


def collectives(text: str) -> list[Collective]:
    """The collectives of a module by kind, most bytes first.

    What starts and ends in two instructions counts once, as does what a compiler has spread
    over several fusions, whose copies it gives one chain. What is in a loop counts as often as
    the loop runs.

    Args:
        text: the optimised module, from `jax.stages.Compiled.as_text`.
    """
    module, entry = _parse(text)
    runs = _runs(module, entry)
    types = {instruction.name: instruction.type for body in module.values() for instruction in body}
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for computation, body in module.items():
        for instruction in body:
            kind = instruction.opcode.removesuffix("-start")
            if kind in _KINDS and runs[computation]:
                # Not by the channel, which many different messages may share.
                chain = re.search(r'chain_id="(\d+)"', instruction.rest)
                key = kind, chain[1] if chain else instruction.name
                entry_of_key = runs[computation], _num_bytes(kind, instruction, types)
                found[key] = max(found.get(key, (0, 0)), entry_of_key)
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for (kind, _), (count, size) in found.items():
        counts[kind] += count
        sizes[kind] += count * size
    return [Collective(kind, counts[kind], size) for kind, size in sizes.most_common()]


def _parse(text: str) -> tuple[dict[str, list[_Instruction]], str]:
    """The instructions of each computation, and the name of the one that is run."""
    module: dict[str, list[_Instruction]] = defaultdict(list)
    name = entry = ""
    for line in text.splitlines():
        head = _COMPUTATION.match(line)
        if head:
            name = head[2]
            entry = name if head[1] else entry
        else:
            instruction = _INSTRUCTION.match(line)
            if instruction:
                module[name].append(_Instruction(*instruction.groups()))
    return module, entry


def _runs(module: dict[str, list[_Instruction]], entry: str) -> Counter[str]:
    """How often each computation runs; both branches of a condition count."""
    runs: Counter[str] = Counter()

    def visit(name: str, times: int) -> None:
        runs[name] += times
        for instruction in module.get(name, ()):
            repeats = _trip_count(instruction, module) if instruction.opcode == "while" else 1
            for called in _called(instruction):
                visit(called, times * repeats)

    visit(entry, 1)
    return runs


def _called(instruction: _Instruction) -> Iterator[str]:
    yield from _CALLED.findall(instruction.rest)
    for names in _BRANCHES.findall(instruction.rest):
        yield from (name.strip().removeprefix("%") for name in names.split(","))


def _trip_count(loop: _Instruction, module: dict[str, list[_Instruction]]) -> int:
    """The number that the compiler has noted, or else the one its counter is compared with."""
    known = _TRIP_COUNT.search(loop.rest)
    if known:
        return int(known[1])
    condition = re.search(r"condition=%?([\w.\-]+)", loop.rest)
    bounds = [
        int(match[1])
        for instruction in module.get(condition[1] if condition else "", ())
        if instruction.opcode == "constant"
        and (match := re.match(r"(\d+)\)", instruction.rest)) is not None
    ]
    return max(bounds, default=1)


def _num_bytes(kind: str, instruction: _Instruction, types: dict[str, str]) -> int:
    if kind == "reduce-scatter":
        operands = instruction.rest.split(")")[0]
        return sum(sum(_sizes(types[name])) for name in re.findall(r"%([\w.\-]+)", operands))
    sizes = _sizes(instruction.type)
    if instruction.opcode.endswith("-start"):
        if kind == "all-gather":  # The arguments, then the results.
            return sum(sizes[len(sizes) // 2 :])
        if kind == "collective-permute":  # The argument, the result, and its state.
            return sizes[1]
    return sum(sizes)


def _sizes(type_text: str) -> list[int]:
    """Bytes of each array of a type such as `(f32[2,3]{1,0}, bf16[4]{0})`."""
    sizes = []
    for letters, bits, dimensions in _ARRAY.findall(type_text):
        num_bits = int(bits) if bits else 8 if letters == "pred" else 0
        for size in dimensions.split(",") if dimensions else ():
            num_bits *= int(size)
        sizes.append((num_bits + 7) // 8)
    return sizes
