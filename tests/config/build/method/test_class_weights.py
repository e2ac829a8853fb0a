"""Class weights of a config."""

import numpy as np
import pytest

from symmflow_jax.config.build.method import class_weights
from symmflow_jax.data.class_counts import ClassCounts
from symmflow_jax.semantics.class_weights import enet

_ONE_HOT = {"semantics.encoding": "onehot"}
_COUNTS = ClassCounts((600, 100, 100, 100, 100), (6, 1, 1, 1, 1), 10)


def _weights(experiment, counts=lambda: _COUNTS) -> tuple[float, ...]:
    method = class_weights.weighted(experiment.config, experiment.method, experiment.schema, counts)
    return method.parameterizations.semantics.class_weights


def test_counted_weights_are_those_of_the_shares(tiny_experiment):
    experiment = tiny_experiment(**_ONE_HOT, **{"train.class_weights": "enet"})
    assert experiment.needs_class_counts
    expected = enet(np.asarray([0.6, 0.1, 0.1, 0.1, 0.1]))
    np.testing.assert_allclose(_weights(experiment), expected)
    # Scores and inference have none.
    assert experiment.method.parameterizations.semantics.class_weights == ()


def test_given_weights_are_taken_as_they_are(tiny_experiment):
    given = {"train.class_weights": "given", "train.given_class_weights": (1.0, 2, 2, 0, 2)}
    experiment = tiny_experiment(**_ONE_HOT, **given)
    assert not experiment.needs_class_counts
    assert _weights(experiment, counts=None) == (1.0, 2.0, 2.0, 0.0, 2.0)
    few = tiny_experiment(**_ONE_HOT, **given | {"train.given_class_weights": (1.0, 2.0)})
    with pytest.raises(ValueError, match="has 2 numbers for the 5 classes background, circle"):
        _weights(few)


def test_without_weights_the_method_is_the_same(tiny_experiment):
    experiment = tiny_experiment(**_ONE_HOT)
    assert _weights(experiment, counts=None) == () and not experiment.needs_class_counts


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"train.class_weights": "enet"}, "learned as 'velocity'; set config.semantics.encoding="),
        (_ONE_HOT | {"train.class_weights": "given"}, "give one number for each class"),
        (_ONE_HOT | {"train.class_weights": "median"}, "choose one of equal, enet, inverse_sqrt"),
        (
            _ONE_HOT | {"train.class_weights": "given", "train.given_class_weights": (1.0, -1.0)},
            "given_class_weights",
        ),
    ],
)
def test_weights_that_no_loss_has_are_refused(tiny_experiment, values, message):
    with pytest.raises(ValueError, match=message):
        tiny_experiment(**values)
