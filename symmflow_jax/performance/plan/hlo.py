"""Parser of compiled modules in HLO text."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple


class Instruction(NamedTuple):
    """A line of a computation, `name = type opcode(rest`.

    Attributes:
        name: its name.
        type: dtype and shape of its result, or of each array of a tuple.
        opcode: name of its operation.
        rest: operands, attributes and metadata.
    """

    name: str
    type: str
    opcode: str
    rest: str

    @property
    def operands(self) -> list[str]:
        """The names of its operands."""
        return _NAME.findall(self.rest.split(")")[0])


class Module(NamedTuple):
    """A module of computations that call each other.

    Attributes:
        computations: the instructions of each computation, by name.
        entry: name of the computation that runs first.
    """

    computations: dict[str, list[Instruction]]
    entry: str

    @property
    def types(self) -> dict[str, str]:
        """The type of each instruction."""
        return {
            instruction.name: instruction.type
            for body in self.computations.values()
            for instruction in body
        }

    def runs(self, callers: frozenset[str] | None = None) -> Counter[str]:
        """Number of runs of each computation; all branches of a conditional count.

        Args:
            callers: follow only the calls of these opcodes; None follows all.
        """
        runs: Counter[str] = Counter()

        def visit(name: str, times: int) -> None:
            runs[name] += times
            for instruction in self.computations.get(name, ()):
                if callers is None or instruction.opcode in callers:
                    repeats = self._trip_count(instruction) if instruction.opcode == "while" else 1
                    for called in _called(instruction):
                        visit(called, times * repeats)

        visit(self.entry, 1)
        return runs

    def _trip_count(self, loop: Instruction) -> int:
        """The trip count in the loop's metadata, or else the largest constant of its condition."""
        known = _TRIP_COUNT.search(loop.rest)
        if known:
            return int(known[1])
        condition = re.search(r"condition=%?([\w.\-]+)", loop.rest)
        bounds = [
            int(match[1])
            for instruction in self.computations.get(condition[1] if condition else "", ())
            if instruction.opcode == "constant"
            and (match := re.match(r"(\d+)\)", instruction.rest)) is not None
        ]
        return max(bounds, default=1)


_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?([\w.\-]+) = (.*?) ([a-z][a-z\-]*)\((.*)$")
_COMPUTATION = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\{$")
_NAME = re.compile(r"%([\w.\-]+)")
_CALLED = re.compile(r"\b(?:calls|to_apply|body|condition)=%?([\w.\-]+)")
_BRANCHES = re.compile(r"\bbranch_computations=\{([^}]*)\}")
_TRIP_COUNT = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')
_ARRAY = re.compile(r"\b([a-z]+)(\d*)[a-z0-9]*\[([\d,]*)\](\{[^}]*\})?")
_SPACE = re.compile(r"S\((\d+)\)")


def parse(text: str) -> Module:
    """Parses the text of a module, as `jax.stages.Compiled.as_text` returns it."""
    computations: dict[str, list[Instruction]] = defaultdict(list)
    name = entry = ""
    for line in text.splitlines():
        head = _COMPUTATION.match(line)
        if head:
            name = head[2]
            entry = name if head[1] else entry
        else:
            instruction = _INSTRUCTION.match(line)
            if instruction:
                computations[name].append(Instruction(*instruction.groups()))
    return Module(computations, entry)


class Array(NamedTuple):
    """Size and memory of one array of a type.

    Attributes:
        num_bytes: its size in bytes.
        space: number of the memory space that holds it; 0 is a chip's main memory.
    """

    num_bytes: int
    space: int


def arrays(type_text: str) -> list[Array]:
    """Parses a type such as `(f32[2,3]{1,0}, bf16[4]{0:T(256)S(1)})`."""
    found = []
    for letters, bits, dimensions, layout in _ARRAY.findall(type_text):
        num_bits = int(bits) if bits else 8 if letters == "pred" else 0
        for size in dimensions.split(",") if dimensions else ():
            num_bits *= int(size)
        space = _SPACE.search(layout)
        found.append(Array((num_bits + 7) // 8, int(space[1]) if space else 0))
    return found


def sizes(type_text: str) -> list[int]:
    """Bytes of each array of a type."""
    return [array.num_bytes for array in arrays(type_text)]


def _called(instruction: Instruction) -> Iterator[str]:
    yield from _CALLED.findall(instruction.rest)
    for names in _BRANCHES.findall(instruction.rest):
        yield from (name.strip().removeprefix("%") for name in names.split(","))
