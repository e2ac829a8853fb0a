"""What a compiled module reads from a chip's main memory and writes to it."""

from symmflow_jax.performance.plan.hlo import Array, Instruction, Module, arrays

# Fusions and reductions call computations, too, whose results stay on the chip.
_CALLERS = frozenset({"while", "conditional", "call", "async-start"})

# What names, groups or waits for arrays without reading them.
_MOVES_NOTHING = _CALLERS | {
    "parameter",
    "constant",
    "tuple",
    "get-tuple-element",
    "bitcast",
    "opt-barrier",
    "after-all",
    "partition-id",
    "replica-id",
}


def traffic(module: Module) -> int:
    """Bytes that a run of a module moves from and to main memory, loops as often as they run.

    XLA's own count takes a loop once, and counts what is kept in a TPU's vector memory, and the
    copies to it, as if they were traffic. Arguments and results of an instruction count here
    whether it reads them whole or not.

    Args:
        module: the optimised module.
    """
    runs, types = module.runs(_CALLERS), module.types
    return sum(
        times * _num_bytes(instruction, types)
        for name, times in runs.items()
        for instruction in module.computations.get(name, ())
    )


def _num_bytes(instruction: Instruction, types: dict[str, str]) -> int:
    opcode = instruction.opcode
    if opcode in _MOVES_NOTHING or opcode.endswith("-done"):
        return 0
    named = arrays(instruction.type)
    if opcode in ("copy-start", "slice-start"):
        # Source and destination, one of which may be a slice of the other, and a state.
        moved = min(array.num_bytes for array in named[:2])
        return _in_main_memory([Array(moved, array.space) for array in named[:2]])
    if not opcode.endswith("-start"):  # Whose type names the arguments, too.
        for name in instruction.operands:
            named += arrays(types.get(name, ""))
    return _in_main_memory(named)


def _in_main_memory(named: list[Array]) -> int:
    return sum(array.num_bytes for array in named if array.space == 0)
