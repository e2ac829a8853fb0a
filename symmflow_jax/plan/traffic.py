"""How much of a module's memory traffic is in its loops."""

from symmflow_jax.plan.hlo import Instruction, Module, sizes

# Fusions and reductions call computations, too, which work on the chip and not on its memory.
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


def loop_factor(module: Module) -> float:
    """How many times as much a module reads and writes as if each of its loops ran once.

    XLA counts the memory traffic of a loop's body once, however often it runs. This is the
    number to multiply that count by; all arguments and results of an instruction count, whether
    it reads them whole or not.

    Args:
        module: the optimised module.
    """
    runs, types = module.runs(_CALLERS), module.types
    once = total = 0
    for name, times in runs.items():
        num_bytes = sum(_num_bytes(each, types) for each in module.computations.get(name, ()))
        once += num_bytes
        total += times * num_bytes
    return total / once if once else 1.0


def _num_bytes(instruction: Instruction, types: dict[str, str]) -> int:
    if instruction.opcode in _MOVES_NOTHING or instruction.opcode.endswith("-done"):
        return 0
    results = sum(sizes(instruction.type))
    if instruction.opcode.endswith("-start"):  # Its type names the arguments, too.
        return results
    return results + sum(sum(sizes(types.get(name, ""))) for name in instruction.operands)
