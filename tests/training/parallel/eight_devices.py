"""What `test_parallel.py` runs in a process with eight simulated devices."""

import functools
import re

import jax
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.methods.weights import FrozenWeights, Weights
from symmflow_jax.performance import workloads
from symmflow_jax.performance.plan import hlo
from symmflow_jax.performance.plan.collectives import Collective, collectives
from symmflow_jax.runs.checkpointing import opening, restoring, saving
from symmflow_jax.runtime.processes import BATCH_AXIS
from symmflow_jax.training.optimizers import adamw, one_cycle
from symmflow_jax.training.parallel.collectives import scattered_mean, two_stages
from symmflow_jax.training.parallel.pmapped import Pmapped
from symmflow_jax.training.parallel.sharded import Sharded, fully_sharded
from symmflow_jax.training.parallel.sharding import DATA_AXES, Sharding
from symmflow_jax.training.state import create_train_state

pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")

NUM_STEPS = 20
FORMS = {
    "one": lambda: Pmapped(tuple(jax.devices()[:1])),
    "pmap": lambda: Pmapped(tuple(jax.devices())),
    "two": lambda: Pmapped(tuple(jax.devices()[:2])),
    "fsdp": lambda: fully_sharded(tuple(jax.devices())),
    "two slices": lambda: Sharded(Sharding(tuple(jax.devices()), num_slices=2)),
}


# Layers of points compile in a second; `test_train.py` trains the U-Net on eight devices.
POINTS = {
    "data.source": "spirals",
    "data.image_size": (),
    "semantics.encoding": "plane",
    "network.name": "mlp",
    "network.channels": 64,
    "network.num_res_blocks": 2,
    "train.batch_size": 16,
}


class Training:
    """Twenty steps on points, whose learning rate is kept low: rounding errors stay small."""

    def __init__(self, experiment, form: str, frozen: FrozenWeights | None = None):
        self.parallelism = FORMS[form]()
        self.method = experiment.method
        self.optimizer = adamw(one_cycle(NUM_STEPS, 2, 1e-4, 1e-6), 0.0, None)
        create = functools.partial(create_train_state, self.method, self.optimizer)
        self.shapes = jax.eval_shape(create, jax.random.key(0))
        self.iterator = experiment.training_batches()
        self.step = experiment.train_step(self.optimizer, self.parallelism)
        self.first = self.parallelism.create(create, jax.random.key(0))
        self.state = self.first
        frozen = self.parallelism.place(frozen)
        metrics = []
        for _ in range(NUM_STEPS):
            self.batch = next(self.iterator)
            placed = self.parallelism.place_batch(self.batch)
            self.state, values = self.step(self.state, frozen, placed, jax.random.key(1))
            metrics.append(values)
        self.losses = np.array([step["loss"] for step in self.parallelism.read(metrics)])

    @functools.cached_property
    def compiled(self):
        """The compiled step, made without any array."""
        arguments = self.parallelism.arguments(self.shapes, None, self.batch)
        return self.step.lower(*arguments).compile()


@pytest.fixture(scope="module")
def trained(tiny_experiment):
    """A function from a form's name to its training."""

    @functools.cache
    def train(form: str, num_microbatches: int = 1) -> Training:
        experiment = tiny_experiment(**POINTS, **{"train.num_microbatches": num_microbatches})
        with jax.numpy_dtype_promotion("standard"):
            return Training(experiment, form)

    return train


def _bytes_on_first_device(tree) -> int:
    return sum(leaf.addressable_data(0).nbytes for leaf in jax.tree.leaves(tree))


def _bytes(tree) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def _messages(compiled) -> list[Collective]:
    return collectives(hlo.parse(compiled.as_text()))


def _is_split(array) -> bool:
    return array.addressable_data(0).size < array.size


def test_losses_do_not_depend_on_how_devices_share_the_work(trained):
    one = trained("one").losses
    assert len(set(one.tolist())) == NUM_STEPS
    np.testing.assert_allclose(trained("pmap").losses, one, rtol=1e-5)
    np.testing.assert_allclose(trained("fsdp").losses, one, rtol=1e-5)
    np.testing.assert_allclose(trained("two slices").losses, one, rtol=1e-5)


def test_a_mixture_with_points_alone_is_shared_alike(tiny_experiment, tmp_path):
    rng = np.random.default_rng(0)
    points = rng.standard_normal((48, 2)).astype(np.float32)
    labels = np.where(np.arange(48) % 3, -1, np.arange(48) % 2)
    np.savez(tmp_path / "points.npz", train_images=points, train_labels=labels)
    values = {
        "data.source": "npz",
        "data.dir": str(tmp_path / "points.npz"),
        "data.unlabelled": "learn",
        "train.clock": "mixed",
    }
    experiment = tiny_experiment(**POINTS | values)
    one = Training(experiment, "one")
    assert not one.batch.has_labels.all() and one.batch.has_labels.any()
    for form in ("two", "pmap", "fsdp"):
        np.testing.assert_allclose(Training(experiment, form).losses, one.losses, rtol=1e-5)


def test_a_flow_map_and_its_teacher_are_shared_alike(tiny_experiment):
    clocks = {"train.clock": "mixed", "train.prob_at_one": 0.3}
    experiment = tiny_experiment(**POINTS, **clocks, **{"train.objective": "flow_map"})
    teacher = jax.device_get(tiny_experiment(**POINTS, **clocks).method.init(jax.random.key(5)))
    frozen = FrozenWeights(teacher=teacher)
    with jax.numpy_dtype_promotion("standard"):
        one, copied, split = (
            Training(experiment, form, frozen).losses for form in ("one", "pmap", "fsdp")
        )
    assert len(set(one.tolist())) == NUM_STEPS and np.isfinite(one).all()
    np.testing.assert_allclose(copied, one, rtol=1e-4)
    np.testing.assert_allclose(split, one, rtol=1e-4)


def test_accumulated_gradients_are_shared_alike(trained):
    np.testing.assert_allclose(trained("fsdp", 2).losses, trained("one").losses, rtol=1e-5)


def test_a_sharded_state_stays_where_it_was_and_compiles_once(trained):
    run = trained("fsdp")
    assert run.step._cache_size() == 1
    for leaf, target in zip(
        jax.tree.leaves(run.state),
        jax.tree.leaves(run.parallelism.targets(run.shapes)),
        strict=True,
    ):
        assert leaf.sharding.is_equivalent_to(target.sharding, leaf.ndim)
    kernels = [leaf for leaf in jax.tree.leaves(run.state) if leaf.size >= 4096]
    assert kernels and all(_is_split(leaf) for leaf in kernels)


def test_a_sharded_state_is_overwritten(trained):
    run = trained("fsdp")
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(run.first))
    alias = run.compiled.memory_analysis().alias_size_in_bytes
    assert alias == _bytes_on_first_device(run.state)


def test_the_arguments_of_a_device_are_its_parts(trained):
    run = trained("fsdp")
    expected = _bytes_on_first_device(run.state) + _bytes(run.batch) // 8
    key_bytes = jax.random.key_data(jax.random.key(0)).nbytes
    found = run.compiled.memory_analysis().argument_size_in_bytes
    assert found == expected + key_bytes


def test_messages_are_the_split_parameters_and_their_gradients(trained):
    run = trained("fsdp")
    params = jax.tree.leaves(run.state.params)
    split = [leaf for leaf in params if _is_split(leaf)]
    found = {each.kind: (each.num_runs, each.num_bytes) for each in _messages(run.compiled)}
    # Once before they are used; and their gradients once, since the norm on CPU is that of one
    # vector (on other devices it is summed up where the parts are).
    assert found.pop("all-gather") == (2 * len(split), 2 * _bytes(split))
    # The compiler may reduce all of a gradient and then keep a part, or only that part. Three
    # means of losses and the norm's sums are reduced as well.
    reduced = sum(size for _, size in found.values())
    assert set(found) <= {"all-reduce", "reduce-scatter"}
    assert _bytes(params) < reduced <= _bytes(params) + 4 * (3 + len(params))


def test_slices_hold_the_same_and_exchange_only_parts(trained):
    run = trained("two slices")
    split = [leaf for leaf in jax.tree.leaves(run.state.params) if _is_split(leaf)]
    for leaf in split:
        parts = [np.asarray(shard.data) for shard in leaf.addressable_shards]
        assert all(part.size == leaf.size // 4 for part in parts)
        for first, second in zip(parts[:4], parts[4:], strict=True):
            np.testing.assert_array_equal(first, second)
    # Parameters are gathered within a slice. Of each split gradient, a quarter crosses to the
    # other slice.
    # JAX 0.12 names the axis of a group, and earlier ones list its devices.
    networks = {
        "{{0,1,2,3},{4,5,6,7}}": "within",
        "mesh['slice'=2,'batch'=4] {'batch'}": "within",
        "{{0,4},{1,5},{2,6},{3,7}}": "across",
        "mesh['slice'=2,'batch'=4] {'slice'}": "across",
    }
    found = {
        (kind, networks[groups]): sum(hlo.sizes(arrays))
        for arrays, kind, groups in re.findall(
            r"= (\S+) (all-gather|reduce-scatter|all-reduce)\(.*?"
            r"replica_groups=(\{\{.*?\}\}|mesh\[.*?\] \{.*?\})",
            run.compiled.as_text(),
        )
        if groups in networks and arrays != "f32[]"  # The norm of the gradients.
    }
    part = _bytes(split) // 4
    assert found == {
        ("all-gather", "within"): _bytes(split),
        ("reduce-scatter", "within"): part,
        ("all-reduce", "across"): part,
    }


@pytest.mark.parametrize("size", [2, 4])
def test_two_exchanges_leave_every_device_its_part_of_the_mean(size):
    arrays = np.random.default_rng(0).normal(size=(8, 3, 16)).astype(np.float32)
    spec, stages = PartitionSpec(None, BATCH_AXIS), two_stages(8, size)
    exchange = jax.jit(
        jax.shard_map(
            lambda own: scattered_mean(own[0], spec, stages),
            mesh=Mesh(np.array(jax.devices())[None], DATA_AXES),
            in_specs=PartitionSpec(DATA_AXES),
            out_specs=spec,
            check_vma=False,
        )
    )
    np.testing.assert_allclose(exchange(arrays), arrays.mean(0), rtol=1e-5, atol=1e-6)


def test_a_device_holds_a_sixth_at_most(tiny_experiment):
    experiment = tiny_experiment(
        **{"network.channels": 64, "network.num_groups": 32, "network.head_channels": 64}
    )
    method = workloads.subject(experiment, 8).method
    create = functools.partial(
        create_train_state, method, adamw(one_cycle(9, 1, 1e-4, 1e-6), 0.0, None)
    )
    shapes = jax.eval_shape(create, jax.random.key(0))
    state = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
    whole = _bytes_on_first_device(FORMS["pmap"]().place(state))
    part = _bytes_on_first_device(FORMS["fsdp"]().place(state))
    assert whole == _bytes(shapes)
    assert part <= whole / 6


def test_the_largest_axis_that_devices_divide_is_split():
    shapes = {
        "rows": np.zeros((4096, 4), np.float32),
        "columns": np.zeros((3, 3, 64, 1000), np.float32),
        "not the largest": np.zeros((1001, 16), np.float32),
        "indivisible": np.zeros((999, 999), np.float32),
        "small": np.zeros(64, np.float32),
        "scalar": np.zeros((), np.int32),
    }
    placed = FORMS["fsdp"]().place(shapes)
    parts = {name: array.addressable_data(0).shape for name, array in placed.items()}
    assert parts == {
        "rows": (512, 4),
        "columns": (3, 3, 64, 125),
        "not the largest": (1001, 2),
        "indivisible": (999, 999),
        "small": (64,),
        "scalar": (),
    }


def _save(run, state, folder) -> None:
    with opening.open_manager(folder, keep=1) as manager:
        saving.save(manager, state, {}, None)
        saving.finish(manager)


def _restore(run, parallelism, folder):
    with opening.open_manager(folder, keep=1) as manager:
        targets = parallelism.targets(run.shapes)
        return parallelism.place(restoring.restore_training(manager, targets))


def _assert_equal(first, second) -> None:
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@pytest.mark.parametrize("count", [2, 1])
def test_a_checkpoint_of_eight_devices_is_restored_on_fewer(trained, tmp_path, count):
    run = trained("fsdp")
    _save(run, run.parallelism.fetch(run.state), tmp_path)
    fewer = fully_sharded(tuple(jax.devices()[:count]))
    restored = _restore(run, fewer, tmp_path)
    _assert_equal(restored, run.state)
    kernels = [leaf for leaf in jax.tree.leaves(restored) if leaf.size >= 4096]
    assert {len(leaf.addressable_shards) for leaf in kernels} == {count}
    assert all(leaf.addressable_data(0).size == leaf.size // count for leaf in kernels)


def test_a_checkpoint_goes_from_one_form_to_the_other_and_back(trained, tmp_path):
    run, replicated = trained("fsdp"), trained("pmap")
    _save(run, run.parallelism.fetch(run.state), tmp_path / "sharded")
    copies = _restore(run, replicated.parallelism, tmp_path / "sharded")
    fetched = replicated.parallelism.fetch(copies)
    _assert_equal(fetched, run.state)
    _save(run, fetched, tmp_path / "replicated")
    again = _restore(run, run.parallelism, tmp_path / "replicated")
    _assert_equal(again, run.state)
    # The next step of a training that goes on in another form is that of the undisturbed one.
    batch, key = next(run.iterator), jax.random.key(1)
    _, ours = run.step(again, None, run.parallelism.place_batch(batch), key)
    _, theirs = replicated.step(copies, None, replicated.parallelism.place_batch(batch), key)
    (ours,), (theirs,) = run.parallelism.read([ours]), replicated.parallelism.read([theirs])
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-5)


def test_a_saved_state_is_not_touched_by_the_steps_that_follow(trained, tmp_path):
    run = trained("fsdp")
    before = jax.tree.map(np.array, run.state)
    with opening.open_manager(tmp_path, keep=1) as manager:
        saving.save(manager, run.parallelism.fetch(run.state), {}, None)
        batch = run.parallelism.place_batch(run.batch)
        for _ in range(3):
            run.state, _ = run.step(run.state, None, batch, jax.random.key(1))
        saving.finish(manager)
    _assert_equal(_restore(run, run.parallelism, tmp_path), before)


def test_inference_takes_sharded_weights(trained):
    run = trained("fsdp")
    sharded = run.parallelism.for_inference(run.parallelism.fetch(run.state.ema_params))
    assert any(_is_split(leaf) for leaf in jax.tree.leaves(sharded))
    whole = FORMS["pmap"]().for_inference(jax.tree.map(np.asarray, sharded))
    signals = [
        predictions.predict_semantics(
            run.method,
            Weights(params),
            jax.random.key(0),
            run.batch.example_index,
            run.batch.image,
            FixedSteps(EULER, 1),
        ).signal
        for params in (sharded, whole)
    ]
    np.testing.assert_allclose(*map(np.asarray, signals), atol=1e-4)


def test_inference_gathers_weights_and_nothing_else(trained):
    run = trained("fsdp")
    sharded = Weights(run.parallelism.for_inference(run.state.ema_params))
    batch, solve = run.parallelism.place_batch(run.batch), FixedSteps(EULER, 2)
    arguments = (run.method, sharded, jax.random.key(0), batch.example_index, batch.image, solve)
    compiled = predictions.predict_semantics.lower(*arguments).compile()
    kept = [leaf for leaf in jax.tree.leaves(sharded) if _is_split(leaf)]
    (messages,) = _messages(compiled)
    assert messages == Collective("all-gather", False, len(kept), _bytes(kept))
    alone = (run.method, jax.tree.map(np.asarray, sharded), jax.random.key(0))
    one = predictions.predict_semantics(*alone, run.batch.example_index, run.batch.image, solve)
    eight = predictions.predict_semantics(*arguments)
    assert all(_is_split(leaf) for leaf in jax.tree.leaves(eight))
    np.testing.assert_allclose(eight.signal, one.signal, atol=1e-5)
