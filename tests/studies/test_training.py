"""Training of several seeds at once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.data.sources.synthetic.spirals import Spirals
from symmflow_jax.studies import training

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_TINY = {
    "data.train_size": 64,
    "data.eval_size": 8,
    "network.channels": 8,
    "network.num_res_blocks": 1,
    "train.batch_size": 16,
    "train.num_epochs": 1.0,
    "train.warmup_epochs": 0.5,
    "train.clock": "independent",
}


def _experiment(**changes):
    return training.experiment_of("configs/spirals.py", _TINY | changes)


def test_a_seed_gives_the_same_alone_and_beside_others():
    experiment = _experiment()
    both, alone = training.train(experiment, (3, 5)), training.train(experiment, (5,))
    second = jax.tree.map(lambda leaf: leaf[1:], both.weights)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), second, alone.weights
    )
    test = training.examples(experiment, (3, 5), train=False)
    points, labels = test.points, test.labels
    for of_both, of_one in (
        (both.predict_semantics(points, 2).signal, alone.predict_semantics(points[1:], 2).signal),
        (both.generate(labels, 2), alone.generate(labels[1:], 2)),
        (both.sample(4, 2), alone.sample(4, 2)),
    ):
        np.testing.assert_allclose(of_both[1:], of_one, rtol=1e-3, atol=1e-4)
        assert np.abs(of_both[0] - of_both[1]).max() > 1e-3


def test_examples_are_those_of_the_source_of_each_seed():
    drawn = training.examples(_experiment(), (0, 4), train=False)
    source = Spirals(8, "test", 4)
    assert drawn.points.shape == (2, 8, 2)
    for index in range(8):
        np.testing.assert_array_equal(drawn.points[1, index], source[index]["image"])
        assert drawn.labels[1, index] == source[index]["label"]


def test_what_can_be_learned_is_learned():
    changes = {
        "data.source": "split_posterior",
        "semantics.encoding": "onehot",
        "network.channels": 32,
        "network.num_res_blocks": 2,
        "train.batch_size": 64,
        "data.train_size": 2_000,
        "data.eval_size": 500,
        "train.num_epochs": 15.0,
        "train.peak_learning_rate": 1e-2,
        "train.ema_decay": 0.9,
        "train.clock": "tied",
        "train.prob_at_one": 0.5,
        "train.image_weight": 0.1,
    }
    experiment = _experiment(**changes)
    test = training.examples(experiment, (0,), train=False)
    labels = training.train(experiment, (0,)).predict_semantics(test.points, 1).labels
    # The best possible is 0.776; of ten classes by chance, 0.1.
    assert float(jnp.mean(labels == test.labels)) > 0.65


def test_a_training_that_diverges_says_so():
    experiment = _experiment(**{"train.peak_learning_rate": 1e30})
    with pytest.raises(FloatingPointError, match="between steps 0 and 4.*peak_learning_rate"):
        training.train(experiment, (0,))


def test_changes_reach_the_config_and_only_them():
    plain = training.experiment_of("configs/spirals.py", {})
    changed = training.experiment_of("configs/spirals.py", {"seed": 3, "train.num_epochs": 2})
    assert plain.data.source == "spirals" and plain.seed == 0
    assert changed.seed == 3 and changed.train.num_epochs == 2.0
    assert changed.network == plain.network


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        ("configs/none.py", {}, r"configs/none\.py does not exist"),
        ("configs/spirals.py", {"train.batchsize": 3}, r"Did you mean 'batch_size'\?"),
        ("configs/spirals.py", {"train.batch_size": "3"}, r"batch_size is '3'; .* type int"),
        ("configs/spirals.py", {"network.name": "cnn"}, r"network\.name is 'cnn'; choose one of"),
    ],
)
def test_mistakes_are_named(file, changes, message):
    with pytest.raises(ValueError, match=message):
        training.experiment_of(file, changes)
