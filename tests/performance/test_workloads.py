"""What is timed is the real work, and its operations are counted in the network."""

import jax
import numpy as np
import pytest

from symmflow_jax.performance import workloads

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

POINTS = {
    "data.source": "spirals",
    "data.image_size": (),
    "semantics.encoding": "plane",
    "network.name": "mlp",
    "network.channels": 64,
    "network.num_res_blocks": 2,
}


def test_operations_of_an_mlp(tiny_experiment):
    subject = workloads.subject(tiny_experiment(**POINTS), 256)
    counted = workloads.flops(subject)
    params = jax.eval_shape(subject.method.init, jax.random.key(0))
    products = 2 * 256 * sum(leaf.size for leaf in jax.tree.leaves(params) if leaf.ndim == 2)
    # Biases, activations and the embedding of time come on top.
    assert products < counted[workloads.RECOGNITION] < 1.15 * products
    # Two steps of the sampler to one of recognition, and a little work around each.
    assert 1.9 < counted[workloads.GENERATION] / counted[workloads.RECOGNITION] < 2.1
    # A gradient repeats each product twice, save the one for the inputs.
    assert 2.5 * products < counted[workloads.TRAIN_STEP] < 3.5 * products


def test_operations_grow_with_the_batch(tiny_experiment):
    four, eight = (
        workloads.flops(workloads.subject(tiny_experiment(), size))[workloads.RECOGNITION]
        for size in (4, 8)
    )
    assert eight == pytest.approx(2 * four, rel=0.01)


def test_every_workload_runs(tiny_experiment):
    tasks = workloads.tasks(tiny_experiment(**POINTS), 8)
    tasks[workloads.TRAIN_STEP]()
    tasks[workloads.TRAIN_STEP]()  # The state that the first one left is whole.
    assert np.isfinite(tasks[workloads.GENERATION]().images).all()
    assert tasks[workloads.RECOGNITION]().labels.shape == (8,)


def test_a_matrix_product_has_a_rate():
    assert workloads.matmul_flops_per_second(size=64) > 0


@pytest.mark.parametrize(
    ("clock", "names"),
    [
        ("mixed", workloads.NAMES),
        ("recognition", (workloads.TRAIN_STEP, workloads.RECOGNITION)),
        ("generation", (workloads.TRAIN_STEP, workloads.GENERATION)),
    ],
)
def test_a_model_of_one_task_has_its_workloads(tiny_experiment, clock, names):
    assert workloads.subject(tiny_experiment(**{"train.clock": clock}), 2).names == names
