"""Programs compiled for the devices that are here; for TPUs: `test_plan`."""

import jax
import pytest

from symmflow_jax.performance import workloads
from symmflow_jax.performance.plan import programs
from symmflow_jax.performance.plan.programs import Compiler, DoesNotFit

POINTS = {
    "data.source": "spirals",
    "data.image_size": (),
    "semantics.encoding": "plane",
    "network.name": "mlp",
    "network.channels": 64,
    "network.num_res_blocks": 2,
}

pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")


def _num_weights(experiment) -> int:
    params = jax.eval_shape(experiment.method.init, jax.random.key(0))
    return sum(leaf.size for leaf in jax.tree.leaves(params))


@pytest.fixture
def for_cpu(monkeypatch):
    """Only TPUs know levels of optimization."""
    monkeypatch.setattr(programs, "_compile", lambda lowered, level: lowered.compile())


@pytest.mark.usefixtures("for_cpu")
def test_a_train_step_in_figures(tiny_experiment, tmp_path):
    experiment = tiny_experiment(**POINTS)
    compiler = Compiler("O0", tmp_path / "modules")
    device = jax.devices()[:1]
    cost = programs.train_step(experiment, 16, tuple(device), compiler)
    assert (cost.name, cost.batch_size, cost.num_chips) == (workloads.TRAIN_STEP, 16, 1)
    assert cost.collectives == []  # There is no other chip.
    # Parameters, their average and two moments, which the new ones take the place of.
    state = 4 * 4 * _num_weights(experiment)
    assert state <= cost.memory.arguments < 1.1 * state + 10_000
    assert 0.9 * state < cost.memory.aliased <= cost.memory.outputs
    assert cost.flops > 0 and cost.compiled_flops > 0 and cost.num_bytes > state
    assert "HloModule" in (tmp_path / "modules" / "train_step.hlo.txt").read_text()[:100]


@pytest.mark.usefixtures("for_cpu")
def test_generation_in_figures(tiny_experiment):
    experiment = tiny_experiment(**POINTS)
    device = tuple(jax.devices()[:1])
    cost = programs.generation(experiment, device, Compiler("O0"))
    assert (cost.name, cost.batch_size) == (workloads.GENERATION, 8)
    assert cost.memory.aliased == 0  # Weights stay.
    more = experiment.changed({"eval.generation_steps": 20})
    # Of steps only the operations are more: the loop is one program.
    longer = programs.generation(more, device, Compiler("O0"))
    assert 9 < longer.flops / cost.flops < 10.1
    assert longer.memory.arguments == cost.memory.arguments


class _Lowered:
    """A program whose compilation fails."""

    def __init__(self, message: str):
        self._message = message

    def compile(self, options):
        raise jax.errors.JaxRuntimeError(self._message)


def test_what_does_not_fit_says_how_much_it_used():
    message = "RESOURCE_EXHAUSTED: Ran out of memory. Used 20.1G of 15.7G hbm. Exceeded by 4G."
    with pytest.raises(DoesNotFit, match=r"^Used 20\.1G of 15\.7G hbm$"):
        programs._compile(_Lowered(message), "O2")
    with pytest.raises(DoesNotFit, match="^RESOURCE_EXHAUSTED: no room$"):
        programs._compile(_Lowered("RESOURCE_EXHAUSTED: no room.\nand more"), "O2")


def test_other_failures_stay_as_they_are():
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL: broken"):
        programs._compile(_Lowered("INTERNAL: broken"), "O2")
