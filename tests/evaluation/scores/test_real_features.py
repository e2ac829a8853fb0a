"""Features of real images: measured once, and kept under a name that tells them apart."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.evaluation.evaluator import evaluator_of
from symmflow_jax.evaluation.scores import real_features
from symmflow_jax.evaluation.scores.real_features import FeatureCollector
from symmflow_jax.metrics.features import feature_function
from symmflow_jax.metrics.frechet import StatisticsError


def _channel_means(weights, images):
    return weights["scale"] * jnp.mean(images.astype(jnp.float32), axis=(1, 2))


def _function(scale: float = 1.0):
    return feature_function("means", _channel_means, {"scale": np.float32(scale)}, 3)


class _Counted:
    """A source that counts what is read of it."""

    def __init__(self, source):
        self._source, self.reads = source, 0
        self.schemas = source.schemas

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int):
        self.reads += 1
        return self._source[index]


@pytest.fixture
def evaluator(tiny_experiment, tmp_path):
    def make():
        experiment = tiny_experiment(**{"eval.statistics_dir": str(tmp_path / "statistics")})
        made = evaluator_of(experiment)
        return dataclasses.replace(made, source=_Counted(made.source))

    return make


def test_real_images_are_measured_once(evaluator):
    first, again, other = evaluator(), evaluator(), evaluator()
    measured = real_features.real_features(first, _function())
    kept = real_features.real_features(again, _function())
    assert (first.source.reads, again.source.reads) == (12, 0)
    for one, two in zip(measured.gaussian, kept.gaussian, strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(measured.features, kept.features)
    assert measured.num_examples == kept.num_examples == 12
    # Other weights have other statistics.
    real_features.real_features(other, _function(scale=2.0))
    assert other.source.reads == 12


def test_names_of_statistics_tell_the_data_apart(evaluator, tmp_path):
    made = evaluator()
    real_features.real_features(made, _function())
    other = made.experiment.changed({"seed": 1})
    real_features.real_features(dataclasses.replace(made, experiment=other), _function())
    names = sorted(path.name for path in (tmp_path / "statistics").glob("*.features.npz"))
    assert len(names) == 2
    start = f"shapes_test_8x8x3_means_{_function().weights_hash}_"
    assert all(name.startswith(start) for name in names)


def test_statistics_follow_the_content_of_the_files_and_not_their_path(tiny_experiment, tmp_path):
    def mean_of(folder):
        experiment = tiny_experiment(**{
            "data.source": "npz",
            "data.dir": str(folder / "set.npz"),
            "data.eval_split": "train",
            "semantics.encoding": "plane",
            "eval.statistics_dir": str(tmp_path / "statistics"),
        })  # fmt: skip
        found = real_features.real_features(evaluator_of(experiment), _function())
        return float(found.gaussian.mean[0])

    def write(folder, level):
        folder.mkdir(exist_ok=True)
        images = np.full((4, 8, 8, 3), level, np.uint8)
        np.savez(folder / "set.npz", train_images=images, train_labels=np.arange(4) % 2)

    write(tmp_path / "a", 10)
    assert mean_of(tmp_path / "a") == 10.0
    write(tmp_path / "a", 20)  # Other images under the same path and of the same size.
    assert mean_of(tmp_path / "a") == 20.0
    write(tmp_path / "b", 20)
    assert mean_of(tmp_path / "b") == 20.0
    assert len(list((tmp_path / "statistics").glob("*.features.npz"))) == 2


def test_settings_of_training_alone_change_no_name(evaluator):
    made = evaluator()
    real_features.real_features(made, _function())
    for changes in ({"data.random_flip": True}, {"train.batch_size": 4}):
        again = evaluator()
        changed = dataclasses.replace(again, experiment=made.experiment.changed(changes))
        real_features.real_features(changed, _function())
        assert again.source.reads == 0, changes


def test_features_are_those_of_the_images_in_their_order(evaluator):
    made = evaluator()
    found = real_features.real_features(made, _function())
    means = np.concatenate([np.mean(b.image.values, (1, 2)) for b in made.batches(0)])[:12]
    np.testing.assert_allclose(found.features, means, rtol=1e-5)
    np.testing.assert_allclose(found.gaussian.mean, means.mean(axis=0), rtol=1e-5)


def test_a_damaged_file_is_an_error(evaluator, tmp_path):
    real_features.real_features(evaluator(), _function())
    path, _ = _kept(tmp_path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name != "sigma"}
    np.savez(path, **arrays)
    with pytest.raises(StatisticsError, match=r"is no file of feature statistics .*sigma"):
        real_features.real_features(evaluator(), _function())


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-30],
        lambda content: content.replace(b"features.npy", b"feathers.npy"),
        lambda content: content[:200] + b"\0\0\0" + content[203:],
    ],
)
def test_damaged_feature_vectors_are_an_error(evaluator, tmp_path, damage):
    real_features.real_features(evaluator(), _function())
    _, rows = _kept(tmp_path)
    rows.write_bytes(damage(rows.read_bytes()))
    with pytest.raises(StatisticsError, match=rf"{rows.name} or .* is damaged .*remove both"):
        real_features.real_features(evaluator(), _function())


def test_feature_vectors_of_another_number_are_an_error(evaluator, tmp_path):
    real_features.real_features(evaluator(), _function())
    _, rows = _kept(tmp_path)
    np.savez(rows, features=np.zeros((11, 3), np.float32))
    with pytest.raises(StatisticsError, match="does not hold 12 times 3 finite features"):
        real_features.real_features(evaluator(), _function())


def test_a_place_that_cannot_be_written_is_known_before_measuring(evaluator, tmp_path):
    (tmp_path / "statistics").write_text("a file")
    made = evaluator()
    with pytest.raises(StatisticsError, match=r"cannot be written .*config\.eval\.statistics_dir"):
        real_features.real_features(made, _function())
    assert made.source.reads == 0


def _kept(folder):
    """The files of the statistics and of the feature vectors."""
    rows, path = sorted((folder / "statistics").glob("*.npz"))
    assert rows.name == f"{path.stem}.features.npz"
    return path, rows


def test_a_collector_orders_what_it_keeps_and_leaves_padding_out():
    collector = FeatureCollector(2)
    collector.add(
        jnp.asarray([[2.0, 20.0], [9.0, 90.0], [0.0, 0.0]]),
        jnp.asarray([2, 7, 0]),
        jnp.asarray([True, False, True]),
    )
    collector.add(jnp.asarray([[1.0, 10.0]]), jnp.asarray([1]), jnp.asarray([True]))
    statistics, rows = collector.finish()
    np.testing.assert_array_equal(rows, [[0.0, 0.0], [1.0, 10.0], [2.0, 20.0]])
    assert statistics.count == 3
    np.testing.assert_allclose(statistics.gaussian().mean, [1.0, 10.0])


def test_only_the_first_features_are_kept_but_all_count():
    collector = FeatureCollector(1)
    places = jnp.asarray([0, real_features.MOST_FEATURES - 1, real_features.MOST_FEATURES])
    collector.add(jnp.asarray([[1.0], [2.0], [6.0]]), places, jnp.ones(3, bool))
    statistics, rows = collector.finish()
    np.testing.assert_array_equal(rows, [[1.0], [2.0]])
    np.testing.assert_allclose(statistics.gaussian().mean, [3.0])


def test_random_crops_have_statistics_of_their_own(tiny_experiment, tmp_path):
    values = {"eval.statistics_dir": str(tmp_path / "statistics"), "data.random_crop": True}
    for protocol in ("ours", "published"):
        made = evaluator_of(tiny_experiment(**values | {"eval.protocol": protocol}))
        real_features.real_features(made, _function())
    assert len(list((tmp_path / "statistics").glob("*.features.npz"))) == 2
