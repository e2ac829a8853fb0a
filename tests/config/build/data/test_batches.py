"""What is done to the examples of a config, and its training batches."""

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Resampling

from symmflow_jax.config.build.data import batches, opening
from symmflow_jax.data.batch import Moments, Pixels, Points
from symmflow_jax.data.fingerprint import fingerprint
from symmflow_jax.data.latent_cache.cache import LatentCache
from symmflow_jax.data.latent_cache.writer import CacheWriter
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.synthetic.shapes import Shapes
from symmflow_jax.semantics import labels

_SCHEMA = labels.consecutive(("sky", "left", "right"))
_POINTS = {
    "data.source": "spirals",
    "data.image_size": (),
    "semantics.encoding": "plane",
    "network.name": "mlp",
}
_WEIGHTS = {"encoder": {"kernel": np.ones((2, 2), np.float32)}, "decoder": {}}


def test_examples_come_in_the_size_and_channels_of_the_config(tiny_experiment):
    experiment = tiny_experiment(**{"data.image_size": (6, 4), "data.image_channels": 1})
    preparation = batches.make_preparation(experiment.config, _SCHEMA)
    assert preparation.image_type is Pixels
    element = {"image": np.zeros((12, 8, 3), np.uint8), "mask": np.full((12, 8), 2)}
    example = preparation.prepare(element)
    assert example["image"].shape == (6, 4, 1)
    np.testing.assert_array_equal(example["labels"], np.full((6, 4), 2))


def test_images_are_resized_by_the_filter_of_the_config(tiny_experiment):
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    element = {"image": image, "mask": np.zeros((16, 16), np.int32)}
    for name in batches.RESAMPLINGS:
        preparation = tiny_experiment(**{"data.resampling": name}).preparation
        expected = Image.fromarray(image).resize((8, 8), Resampling[name.upper()])
        np.testing.assert_array_equal(preparation.prepare(element)["image"], np.asarray(expected))


@pytest.mark.parametrize(
    ("protocol", "random_crop", "crop_seed"),
    [("ours", True, None), ("published", True, 5), ("published", False, None)],
)
def test_examples_of_scores_are_cropped_as_the_protocol_says(
    tiny_experiment, protocol, random_crop, crop_seed
):
    values = {"eval.protocol": protocol, "data.random_crop": random_crop, "seed": 5}
    config = tiny_experiment(**values).config
    assert batches.make_evaluation_preparation(config, _SCHEMA).crop_seed == crop_seed
    # Latents, for example, are always of the centre.
    assert batches.make_preparation(config, _SCHEMA).crop_seed is None


def test_points_stay_as_they_are(tiny_experiment):
    preparation = batches.make_preparation(tiny_experiment(**_POINTS).config, _SCHEMA)
    assert preparation.image_type is Points
    point = np.array([0.5, -3.0], np.float32)
    example = preparation.prepare({"image": point, "label": np.int32(1)})
    np.testing.assert_array_equal(example["image"], point)
    assert example["labels"] == 1


@pytest.fixture
def cache(latent_experiment, tmp_path):
    """A cache of one example of an encoder's weights, and an experiment that names it."""
    experiment = latent_experiment(**{"data.latents": str(tmp_path / "cache")})
    source = Shapes(10, "train", 0)
    index = batches.cache_index(experiment.config, source, _SCHEMA, _WEIGHTS)
    with CacheWriter(tmp_path / "cache", index) as writer:
        writer.write(np.ones((1, 4, 4, 4), np.float32), np.zeros((8, 8), np.int32))
    return LatentCache(tmp_path / "cache"), experiment


def test_a_cache_says_what_it_was_made_of(cache):
    index = cache[0].index
    assert (index.source, index.split, index.target) == ("shapes", "train", "mask")
    assert index.num_examples == 1 and index.schema == _SCHEMA
    assert index.data_digest == fingerprint(Shapes(10, "train", 0)).digest and index.seed == 0


def test_a_cache_of_turned_images_does_not_fit_raw_pixels(cache):
    source, experiment = cache
    source.check_fits(opening.cache_metadata(experiment.config))
    raw = experiment.changed({"data.exif": "ignore"})
    with pytest.raises(DataError, match="exif is 'apply', the run's 'ignore'"):
        source.check_fits(opening.cache_metadata(raw.config))


def test_cached_examples_are_moments(cache):
    source, experiment = cache
    augmentation = batches.make_augmentation(experiment.config, _SCHEMA)
    assert augmentation.image_type is Moments
    example = augmentation.augment(source[0], np.random.default_rng(0))
    np.testing.assert_array_equal(example["image"], np.ones((4, 4, 4)))


def test_latents_must_be_of_the_encoder_that_trains(cache):
    source, experiment = cache
    batches.check_latents(experiment.config, source, _WEIGHTS)
    # A decoder of its own changes nothing.
    batches.check_latents(experiment.config, source, _WEIGHTS | {"mask_decoder": {}})
    other = {"encoder": {"kernel": np.zeros((2, 2), np.float32)}}
    with pytest.raises(DataError, match="are of another kind .encoder_hash is"):
        batches.check_latents(experiment.config, source, other)
    with pytest.raises(ValueError, match="the flow moves pixels; set both or none"):
        batches.check_latents(experiment.config, source, None)


def test_pictures_fit_any_encoder(tiny_experiment):
    experiment = tiny_experiment()
    batches.check_latents(experiment.config, experiment.training_source, None)


def _first_batch(experiment, **changes):
    arguments = (experiment.config, experiment.training_source, experiment.schema)
    return next(batches.training_batches(*arguments, **changes))


def test_batches_are_of_the_size_and_the_seed(tiny_experiment):
    first, again, other = (
        _first_batch(tiny_experiment(**_POINTS, seed=seed), batch_size=6) for seed in (0, 0, 1)
    )
    assert first.size == 6 and first.image.values.shape == (6, 2)
    np.testing.assert_array_equal(first.example_index, np.arange(6))
    np.testing.assert_array_equal(first.image.values, again.image.values)
    assert not np.array_equal(first.image.values, other.image.values)


class _Damaged:
    """A source whose examples cannot be read, but for one."""

    schemas = {"label": _SCHEMA}

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index != 2:
            raise DataError(f"Example {index} is damaged.")
        return {"image": np.full(2, 5.0, np.float32), "label": np.int32(2)}


def test_examples_that_cannot_be_read_are_skipped_if_so_configured(tiny_experiment, tmp_path):
    skipping = tiny_experiment(**_POINTS, **{"data.on_error": "skip"}).config
    arguments = {"batch_size": 4, "skip_log": tmp_path / "skipped.jsonl"}
    batch = next(batches.training_batches(skipping, _Damaged(), _SCHEMA, **arguments))
    np.testing.assert_array_equal(batch.labels, [2, 2, 2, 2])
    assert "is damaged" in (tmp_path / "skipped.jsonl").read_text()
    raising = tiny_experiment(**_POINTS).config
    assert not batches.skips_errors(raising) and batches.skips_errors(skipping)
    with pytest.raises(DataError, match="is damaged"):
        next(batches.training_batches(raising, _Damaged(), _SCHEMA, **arguments))
