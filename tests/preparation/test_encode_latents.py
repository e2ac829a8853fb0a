"""Encoding to a cache, and training from it."""

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data import pipeline
from symmflow_jax.data.batch import Moments, Pixels
from symmflow_jax.data.latent_cache.cache import LatentCache
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.synthetic.shapes import Shapes
from symmflow_jax.flow import keys
from symmflow_jax.preparation.encode_latents import encode
from symmflow_jax.runtime.outputs import OutputError
from symmflow_jax.train import train_and_evaluate


@pytest.fixture(scope="module")
def cached(latent_experiment, tmp_path_factory):
    """A config whose training split is encoded, and its weights."""
    folder = tmp_path_factory.mktemp("cache") / "latents"
    experiment = latent_experiment(**{"data.latents": str(folder), "data.random_flip": True})
    encode(experiment, folder.parent)
    return experiment, experiment.codec_weights(folder.parent)


@pytest.fixture(scope="module")
def schema(cached):
    return cached[0].without_files().schema


def _pictures(experiment, schema):
    """The same examples as their source has them."""
    experiment = experiment.changed({"data.latents": ""})
    source = experiment.training_source
    preparation = experiment.preparation
    return next(pipeline.evaluation_batches(source, preparation, batch_size=10))


def test_the_cache_stands_for_the_pictures(cached, schema):
    experiment, weights = cached
    cache = LatentCache(experiment.data.latents)
    pictures = _pictures(experiment, schema)
    assert len(cache) == 10
    np.testing.assert_array_equal([cache[i]["mask"] for i in range(10)], pictures.labels)
    moments = np.stack([cache[i]["moments"] for i in range(10)])
    codec = experiment.with_schema(schema).method.codec
    example_keys = keys.example_keys(jax.random.key(0), pictures.example_index)
    encoded = jax.jit(lambda image: codec.encode_image(weights, example_keys, image, train=True))
    for variant, pixels in enumerate([pictures.image.values, pictures.image.values[:, :, ::-1]]):
        on_the_fly = np.asarray(encoded(Pixels(pixels)))
        from_cache = np.asarray(encoded(Moments(moments[:, variant])))
        assert from_cache.shape == (10, 4, 4, 2)
        np.testing.assert_allclose(from_cache, on_the_fly, atol=2e-3 * np.abs(on_the_fly).max())


def test_masks_get_fresh_noise_in_each_step(cached, schema):
    experiment, weights = cached
    codec = experiment.with_schema(schema).method.codec
    labels = jnp.asarray(LatentCache(experiment.data.latents)[3]["mask"][None], jnp.int32)
    encoded = jax.jit(lambda key: codec.encode_semantics(weights, key[None], labels))
    first, second = (encoded(jax.random.key(step)) for step in (0, 1))
    assert np.abs(first - second).max() > 1e-3 * np.abs(first).max()


def test_a_cache_is_not_written_over(cached, tmp_path):
    with pytest.raises(DataError, match="exists already"):
        encode(cached[0], tmp_path)


def test_a_cache_where_nothing_can_be_written_is_refused(latent_experiment, tmp_path):
    experiment = latent_experiment(**{"data.latents": "/proc/latents"})
    with pytest.raises(OutputError, match=r"/proc cannot be written: .* another config\.data\.lat"):
        encode(experiment, tmp_path)


def test_encoding_needs_a_folder_and_an_autoencoder(latent_experiment, tiny_experiment, tmp_path):
    with pytest.raises(ValueError, match=r"writes to config\.data\.latents, which is empty"):
        encode(latent_experiment(), tmp_path)
    with pytest.raises(ValueError, match=r"needs an autoencoder.*config\.autoencoder\.weights"):
        encode(tiny_experiment(**{"data.latents": str(tmp_path / "latents")}), tmp_path)


def test_examples_that_cannot_be_read_are_left_out_on_request(
    latent_experiment, tmp_path, monkeypatch
):
    read = Shapes.__getitem__

    def refuse(self, index):
        if index == 4:
            raise DataError("scene 4 is torn")
        return read(self, index)

    monkeypatch.setattr(Shapes, "__getitem__", refuse)
    values = {"data.latents": str(tmp_path / "latents"), "data.random_flip": True}
    with pytest.raises(DataError, match="scene 4 is torn"):
        encode(latent_experiment(**values), tmp_path)
    assert not list(tmp_path.iterdir())
    encode(latent_experiment(**values, **{"data.on_error": "skip"}), tmp_path)
    assert len(LatentCache(tmp_path / "latents")) == 9


def test_a_cache_of_other_data_is_refused(cached, latent_experiment):
    latents = cached[0].data.latents
    for overrides, message in (
        ({"data.image_size": (16, 16)}, r"image_size is \(8, 8\), the run's \(16, 16\)"),
        ({"data.train_split": "test"}, "split is 'train', the run's 'test'"),
        ({"semantics.encoding": "colour"}, "target is 'mask', the run's 'label'"),
        ({"seed": 1}, "seed is 0, the run's 1"),
        ({"data.train_size": 11}, "made of 10 other examples than .* which are 11 and differ"),
    ):
        experiment = latent_experiment(**{"data.latents": latents}, **overrides)
        with pytest.raises(DataError, match=message):
            experiment.training_source
    # Mirror images that are not asked for do no harm.
    latent_experiment(**{"data.latents": latents}).training_source


@pytest.fixture
def folder_experiment(latent_experiment, tmp_path):
    """A run on four pairs of files, whose images are of one level."""

    def make(level):
        for kind, pixels in (
            ("images", np.full((8, 8, 3), level, np.uint8)),
            ("masks", np.eye(8, dtype=np.uint8)),
        ):
            folder = tmp_path / "data" / "train" / kind
            folder.mkdir(parents=True, exist_ok=True)
            for name in "abcd":
                Image.fromarray(pixels).save(folder / f"{name}.png")
        values = {
            "data.source": "paired_folder",
            "data.dir": str(tmp_path / "data"),
            "data.class_names": ("sky", "sea"),
            "data.eval_images": "train/images",
            "data.eval_masks": "train/masks",
            "data.latents": str(tmp_path / "latents"),
            "eval.batch_size": 4,
        }
        return latent_experiment(**values)

    return make


def test_a_cache_of_other_files_under_the_same_path_is_refused(folder_experiment, tmp_path):
    encode(folder_experiment(level=10), tmp_path)
    assert len(folder_experiment(level=10).training_source) == 4
    with pytest.raises(DataError, match=r"4 other examples than those in .*data/train, which"):
        folder_experiment(level=20).training_source  # noqa: B018


def test_training_from_a_cache_needs_no_files(folder_experiment, tmp_path, caplog):
    encode(folder_experiment(level=10), tmp_path)
    experiment = folder_experiment(level=10)
    shutil.rmtree(tmp_path / "data")
    with caplog.at_level("INFO", "symmflow_jax"):
        assert len(experiment.training_source) == 4


def test_a_cache_of_another_encoder_is_refused(cached, tiny_experiment, tmp_path):
    experiment, weights = cached
    experiment.check_latents(weights)
    other = weights | {"encoder": jax.tree.map(lambda leaf: leaf + 1, weights["encoder"])}
    with pytest.raises(DataError, match=r"encoder_hash is .* Encode again with --mode=encode"):
        experiment.check_latents(other)
    values = {"data.latents": experiment.data.latents, "data.random_flip": True}
    values |= {"data.train_size": 10}
    with pytest.raises(ValueError, match="the flow moves pixels; set both or none"):
        train_and_evaluate(tiny_experiment(**values), tmp_path / "run")
