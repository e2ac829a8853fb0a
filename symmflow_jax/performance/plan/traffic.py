"""Main memory traffic of a compiled module on one chip."""

from symmflow_jax.performance.plan.hlo import Array, Instruction, Module, arrays

# Fusions and reductions also call computations, but their intermediate results stay on chip.
_CALLERS = frozenset({"while", "conditional", "call", "async-start"})

# Opcodes that name, group or wait for arrays without reading them.
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
    """Bytes that one run of a module reads from and writes to main memory.

    The body of a loop counts once for each run. XLA's own count takes it only once, and includes
    accesses to a TPU's vector memory. The operands and results of an instruction count in full
    here, even if it accesses only a part of them.

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
        # The type has source, destination and a state; one array may be a slice of the other.
        moved = min(array.num_bytes for array in named[:2])
        return _in_main_memory([Array(moved, array.space) for array in named[:2]])
    if not opcode.endswith("-start"):  # The type of a start already has the operands.
        for name in instruction.operands:
            named += arrays(types.get(name, ""))
    return _in_main_memory(named)


def _in_main_memory(named: list[Array]) -> int:
    return sum(array.num_bytes for array in named if array.space == 0)
