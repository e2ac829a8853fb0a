"""Pipelines: order, position, shards, and examples that cannot be read."""

import json
import logging

import grain
import jax
import numpy as np
import pytest

from symmflow_jax.data import pipeline
from symmflow_jax.data.geometry.fit import AtScale
from symmflow_jax.data.mixing.mixture import Mixture, Part
from symmflow_jax.data.pipeline import Preparation, SkippingSource
from symmflow_jax.data.source import DataError
from symmflow_jax.flow.state import JointState
from symmflow_jax.runtime.processes import Shard
from symmflow_jax.semantics import labels

pytestmark = pytest.mark.slow

_PREPARATION = Preparation("label", image_size=(4, 4), image_channels=1, random_flip=True)


class _Numbered:
    """Images that hold their own index; some cannot be read."""

    schemas = {"label": labels.consecutive(("a", "b"))}

    def __init__(self, size: int, broken: tuple[int, ...] = ()):
        self._size, self._broken = size, broken

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: int):
        if index in self._broken:
            raise DataError(f"picture_{index}.png is cut off")
        image = np.full((4, 4, 1), index, np.uint8)
        image[0, 0] = 255  # Shows flips.
        return {"image": image, "label": np.int32(index % 2)}


def _train(size=12, batch_size=4, seed=0, **options) -> grain.DatasetIterator:
    source = options.pop("source", _Numbered(size))
    return pipeline.training_batches(
        source, _PREPARATION, batch_size=batch_size, seed=seed, **options
    )


def _indices(batch) -> list[int]:
    return batch.image.values[:, 1, 1, 0].tolist()


def _assert_equal(first, second) -> None:
    jax.tree.map(np.testing.assert_array_equal, first, second)


def test_an_epoch_has_every_example_once_in_an_order_of_its_own():
    batches = _train()
    epochs = [[i for _ in range(3) for i in _indices(next(batches))] for _ in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(12))
    assert epochs[0] != epochs[1]


def test_the_seed_decides_order_and_augmentation():
    first, same, other = _train(seed=1), _train(seed=1), _train(seed=2)
    for _ in range(5):
        batch = next(first)
        _assert_equal(batch, next(same))
        assert _indices(batch) != _indices(next(other))


def test_training_mirrors_along_the_axes_that_are_asked_for():
    element = {"image": np.arange(16, dtype=np.uint8).reshape(4, 4, 1), "label": np.int32(1)}
    corners = {(False, False): {0}, (True, False): {0, 3}, (False, True): {0, 12}}
    for (columns, rows), expected in (corners | {(True, True): {0, 3, 12, 15}}).items():
        preparation = Preparation(
            "label", (4, 4), 1, random_flip=columns, random_vertical_flip=rows
        )
        found = {
            int(preparation.augment(element, np.random.default_rng(seed))["image"][0, 0, 0])
            for seed in range(30)
        }
        assert found == expected


def test_positions_name_the_place_in_the_batch():
    batches = _train()
    for _ in range(4):
        np.testing.assert_array_equal(next(batches).example_index, [0, 1, 2, 3])


def test_batches_are_the_same_whatever_reads_them_from_any_place():
    pytest.importorskip("absl.flags").FLAGS(["test"])
    undisturbed = _train(size=13)
    expected = [next(undisturbed) for _ in range(12)]
    step = 0
    for num_workers in (0, 1, 2, 0):  # As a training that is stopped every three steps.
        batches = _train(size=13, num_workers=num_workers, first_batch=step)
        for _ in range(3):
            _assert_equal(next(batches), expected[step])
            step += 1


@pytest.mark.parametrize("count", [2, 4])
def test_shards_together_are_the_whole_batch(count):
    whole = _train()
    parts = [_train(shard=Shard(index, count), first_batch=2) for index in range(count)]
    for batch in [next(whole) for _ in range(7)][2:]:
        shares = [next(part) for part in parts]
        joined = jax.tree.map(lambda *parts: np.concatenate(parts), *shares)
        order = np.argsort(joined.example_index)
        _assert_equal(batch, jax.tree.map(lambda values, order=order: values[order], joined))


def test_evaluation_goes_in_order_and_pads_the_last_batch():
    batches = list(pipeline.evaluation_batches(_Numbered(7), _PREPARATION, batch_size=4))
    assert [_indices(batch) for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 4]]
    assert [batch.valid.tolist() for batch in batches] == [[True] * 4, [True] * 3 + [False]]
    assert [batch.example_index.tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 4]]


def test_evaluation_can_start_again_at_new_positions():
    batches = list(
        pipeline.evaluation_batches(
            _Numbered(3), _PREPARATION, batch_size=4, num_examples=7, repeated=True
        )
    )
    assert [_indices(batch) for batch in batches] == [[0, 1, 2, 0], [1, 2, 0, 1]]
    assert [batch.example_index.tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 4]]
    assert [batch.valid.sum() for batch in batches] == [4, 3]


def test_an_example_may_come_several_times_before_the_next_one():
    batches = list(
        pipeline.evaluation_batches(
            _Numbered(3), _PREPARATION, batch_size=4, num_examples=5, repeated=True, times=2
        )
    )
    assert [_indices(batch) for batch in batches] == [[0, 0, 1, 1], [2, 2, 2, 2]]
    assert [batch.example_index.tolist() for batch in batches] == [[0, 1, 2, 3], [4, 4, 4, 4]]
    assert [batch.valid.sum() for batch in batches] == [4, 1]


def test_evaluation_may_crop_at_a_random_place_of_each_example():
    class Wide(_Numbered):
        def __getitem__(self, index):
            columns = np.tile(np.arange(40, dtype=np.int32), (4, 1))
            return {"image": columns[..., None].astype(np.uint8), "mask": columns}

    def places(seed, **options):
        preparation = Preparation("mask", (4, 4), 1, crop_seed=seed)
        batches = pipeline.evaluation_batches(Wide(6), preparation, batch_size=4, **options)
        found = []
        for batch in batches:
            np.testing.assert_array_equal(batch.image.values[..., 0], batch.labels)
            found += batch.labels[batch.valid, 0, 0].tolist()
        return found

    assert places(None) == [18] * 6
    random = places(0)
    assert len(set(random)) > 2 and all(0 <= place <= 36 for place in random)
    # They depend on the seed and the example alone.
    assert places(0) == random != places(1)
    twice = places(0, times=2, num_examples=12, repeated=True)
    assert twice == [place for place in random for _ in range(2)]


def test_a_few_examples_may_come_from_all_over_the_source():
    batches = pipeline.evaluation_batches(
        _Numbered(10), _PREPARATION, batch_size=4, num_examples=3, spread=True
    )
    (batch,) = list(batches)
    assert batch.example_index[:3].tolist() == [0, 3, 6]
    assert batch.valid.tolist() == [True, True, True, False]


def test_evaluation_does_without_what_cannot_be_read():
    source = _Numbered(4, broken=(1,))
    several = pipeline.evaluation_batches(
        source, _PREPARATION, batch_size=8, times=2, skip_errors=True
    )
    assert next(several).valid.tolist() == [True, True, False, False, True, True, True, True]
    for num_examples in (4, 8):
        batches = pipeline.evaluation_batches(
            source,
            _PREPARATION,
            batch_size=4,
            num_examples=num_examples,
            repeated=True,
            skip_errors=True,
        )
        for batch in batches:
            assert batch.valid.tolist() == [True, False, True, True]


def test_masks_of_many_sizes_stay_as_they_are():
    class Masks(_Numbered):
        def __getitem__(self, index):
            mask = np.full((8, 8 + 4 * index), index, np.int32)
            return {"image": np.zeros((*mask.shape, 1), np.uint8), "mask": mask}

    preparation = Preparation("mask", image_size=(4, 4), image_channels=1)
    batches = pipeline.evaluation_batches(Masks(3), preparation, batch_size=2, original_labels=True)
    first, last = batches
    assert first.labels.shape == (2, 4, 4)
    # The centre crop of the model's aspect ratio, in the mask's own size.
    assert [mask.shape for mask in first.original_labels] == [(8, 8), (8, 8)]
    assert [int(mask.max()) for mask in last.original_labels] == [2, 2]
    assert last.valid.tolist() == [True, False]


def test_evaluation_shards_cover_every_example_once():
    seen = []
    for index in range(3):
        for batch in pipeline.evaluation_batches(
            _Numbered(10), _PREPARATION, batch_size=2, num_examples=8, shard=Shard(index, 3)
        ):
            seen += [i for i, valid in zip(_indices(batch), batch.valid, strict=True) if valid]
    assert sorted(seen) == list(range(8))


def test_points_stay_as_they_are():
    class Points(_Numbered):
        def __getitem__(self, index):
            return {"image": np.float32([index, -index]), "label": np.int32(0)}

    preparation = Preparation("label", image_size=(), image_channels=3)
    (batch,) = pipeline.evaluation_batches(Points(2), preparation, batch_size=2)
    np.testing.assert_array_equal(batch.image.values, np.float32([[0, 0], [1, -1]]))


def test_an_unreadable_example_ends_training_with_its_message():
    batches = _train(source=_Numbered(12, broken=(3,)))
    with pytest.raises(DataError, match=r"picture_3\.png is cut off"):
        for _ in range(3):
            next(batches)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_skipped_examples_are_noted_wherever_they_are_met(num_workers, tmp_path):
    if num_workers:
        pytest.importorskip("absl.flags").FLAGS(["test"])
    log = tmp_path / "skipped.jsonl"
    batches = _train(
        source=_Numbered(12, broken=(3, 7)),
        skip_errors=True,
        skip_log=log,
        num_workers=num_workers,
    )
    for _ in range(6):
        next(batches)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["index"]: line["error"] for line in lines} == {
        3: "picture_3.png is cut off",
        7: "picture_7.png is cut off",
    }


def test_unreadable_examples_are_skipped_where_that_is_asked_for(caplog):
    source = SkippingSource(_Numbered(6, broken=(2, 3)))
    with caplog.at_level(logging.WARNING):
        assert [int(source[i]["image"][1, 1, 0]) for i in range(6)] == [0, 1, 4, 4, 4, 5]
    assert sorted(source.skipped) == [2, 3]
    assert "picture_2.png is cut off" in caplog.text
    assert len(caplog.records) == 2  # Once for each, however often it is met.
    batches = _train(source=_Numbered(12, broken=(3,)), skip_errors=True)
    assert 3 not in [i for _ in range(3) for i in _indices(next(batches))]


def test_a_set_with_nothing_readable_is_an_error():
    with pytest.raises(DataError, match=r"None of 3 examples can be read: .*cut off"):
        SkippingSource(_Numbered(3, broken=(0, 1, 2)))[0]


def test_windows_are_drawn_in_training_and_the_middle_one_is_evaluated():
    rng = np.random.default_rng(0)
    element = {"image": rng.integers(256, size=(40, 60, 3), dtype=np.uint8)}
    element |= {"mask": rng.integers(2, size=(40, 60)).astype(np.int32)}
    preparation = Preparation("mask", (8, 8), 3, fit=AtScale(0.5, 2.0))
    drawn = [preparation.augment(element, rng)["image"] for _ in range(3)]
    assert (drawn[0] != drawn[1]).any() and (drawn[1] != drawn[2]).any()
    prepared = preparation.prepare(element)
    np.testing.assert_array_equal(prepared["image"], element["image"][16:24, 26:34])
    np.testing.assert_array_equal(prepared["labels"], preparation.original_labels(element))
    np.testing.assert_array_equal(preparation.fitted(element["image"]), prepared["image"])
    np.testing.assert_array_equal(preparation.fitted_mask(element["mask"]), prepared["labels"])


def test_whole_examples_are_shared_among_processes_and_skip_what_cannot_be_read():
    source, first = _Numbered(5, broken=(1, 2)), Shard(0, 2)
    found = [
        pipeline.whole_examples(source, _PREPARATION, shard=shard, skip_errors=True)
        for shard in (first, Shard(1, 2))
    ]
    assert [[index for index, _ in part] for part in found] == [[0, 4], [3]]
    with pytest.raises(DataError, match="picture_2"):
        list(pipeline.whole_examples(source, _PREPARATION, shard=first))
    few = pipeline.whole_examples(_Numbered(5), _PREPARATION, num_examples=2)
    assert [example["image"].shape for _, example in few] == [(4, 4, 1)] * 2


class _Alone:
    """Images without labels, brighter than those of `_Numbered`."""

    schemas = {}

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int):
        return {"image": np.full((4, 4, 1), 100 + index, np.uint8)}


_MIXTURE = Mixture((Part(_Alone(), 0.25, JointState(1.0, 0.0)),))


def test_a_mixture_has_its_shares_and_tells_what_examples_lack():
    batches = _train(batch_size=8, mixture=_MIXTURE)
    seen = []
    for _ in range(6):
        batch = next(batches)
        alone = batch.image.values[:, 1, 1, 0] >= 100
        np.testing.assert_array_equal(batch.has_labels, ~alone)
        np.testing.assert_array_equal(batch.labels[alone], -1)
        assert batch.has_image.all() and alone.sum() == 2
        seen += _indices(batch)
    # Each part goes on with its own passes.
    labelled = [index for index in seen if index < 100]
    assert sorted(labelled) == sorted(3 * list(range(12)))
    alone = [index - 100 for index in seen if index >= 100]
    assert sorted(alone[:5]) == sorted(alone[5:10]) == list(range(5))


def test_a_mixture_does_not_depend_on_processes_or_where_it_begins():
    whole = [next(batches) for batches in [_train(batch_size=8, mixture=_MIXTURE)] for _ in "abc"]
    later = _train(batch_size=8, mixture=_MIXTURE, first_batch=2)
    _assert_equal(next(later), whole[2])
    parts = [
        next(_train(batch_size=8, mixture=_MIXTURE, shard=Shard(index, 2))) for index in range(2)
    ]
    _assert_equal(jax.tree.map(lambda *arrays: np.concatenate(arrays), *parts), whole[0])


def test_hidden_parts_are_unknown_and_differ():
    preparation = Preparation("mask", (16, 16), 1, hidden_share=0.5)
    element = {"image": np.zeros((16, 16, 1), np.uint8), "mask": np.ones((16, 16), np.uint8)}
    masks = np.stack(
        [preparation.augment(element, np.random.default_rng(s))["labels"] for s in range(200)]
    )
    assert set(np.unique(masks)) == {-1, 1}
    hidden = np.mean(masks == -1, axis=(1, 2))
    assert 0.4 < np.mean(hidden > 0) < 0.6
    assert hidden.max() < 0.9 and 0.25 < hidden[hidden > 0].mean() < 0.5


def test_evaluation_leaves_out_labels_that_are_not_known():
    class Unlabelled(_Numbered):
        def __getitem__(self, index: int):
            return super().__getitem__(index) | {"label": np.int32(-1 if index == 1 else 0)}

    (batch,) = pipeline.evaluation_batches(Unlabelled(3), _PREPARATION, batch_size=4)
    assert batch.valid.tolist() == [True, False, True, False]
