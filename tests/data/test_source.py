"""What the sources share."""

import numpy as np
import pytest

from symmflow_jax.data import source


def test_streams_depend_on_seed_split_and_index():
    arguments = [(0, "train"), (1, "train"), (0, "test"), (0, "train", 0), (0, "train", 1)]
    draws = [source.random_stream(*a).random(4).tolist() for a in arguments]
    assert len({tuple(draw) for draw in draws}) == len(arguments)
    assert (
        source.random_stream(3, "test", 7).random() == source.random_stream(3, "test", 7).random()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10, "val", 0), "no split 'val'; choose one of train, test"),
        ((0, "train", 0), "at least one example, not 0"),
        ((10, "train", -1), "seed of a drawn source is -1"),
    ],
)
def test_drawn_sources_refuse_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        source.check_drawn(*arguments)


def test_numbered_classes_are_called_by_their_number():
    schema = source.numbered_classes(3)
    assert schema.names == ("0", "1", "2")
    np.testing.assert_array_equal(schema.from_raw(np.array([2, 0]), "file"), [2, 0])


def test_data_error_is_a_value_error():
    assert issubclass(source.DataError, ValueError)
