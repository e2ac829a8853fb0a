"""Places that a config may name, and those that it may not."""

import pytest

from symmflow_jax.config import conversion


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"autoencoder.weights": "hf:models"}, "'hf:models' is no address of weights; write hf:"),
        ({"eval.lpips_weights": "https://h/o/n/blob/main/a.pt"}, "is a link; write hf:o/n/a.pt"),
        (
            {"data.dir": "hf:someone/faces"},
            r"data.dir is 'hf:someone/faces', but only weights are fetched from the hub "
            r"\(config.autoencoder.weights, config.autoencoder.mask_decoder, config.eval.feature_",
        ),
    ],
)
def test_addresses_of_the_hub_are_for_weights_and_have_a_form(changes, message):
    values = conversion.default()
    values.update_from_flattened_dict(changes)
    with pytest.raises(ValueError, match=message):
        conversion.from_config_dict(values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"data.source": "ade20k", "data.dir": "gs://bucket/ade"},
            r"data.dir is gs://bucket/ade, which cannot be in a bucket. Pack the data set \(--mode",
        ),
        ({"eval.statistics_dir": "s3://bucket/a"}, "cannot be in a bucket. Give a folder on a"),
        (
            {"data.train_images": "gs://bucket/a"},
            "config.data.train_images is gs://bucket/a, which",
        ),
        ({"data.latents": "gs:/bucket/a"}, "config.data.latents is .* written gs://bucket/a"),
        ({"autoencoder.weights": "az://bucket/a"}, "config.autoencoder.weights is .* not known"),
    ],
)
def test_what_cannot_be_in_a_bucket_is_told(changes, message):
    values = conversion.default()
    values.update_from_flattened_dict(changes)
    with pytest.raises(ValueError, match=message):
        conversion.from_config_dict(values)


def test_latents_weights_and_packed_data_may_be_in_a_bucket():
    values = conversion.default()
    keys = ("data.dir", "data.latents", "eval.feature_weights")
    place = {key: "gs://bucket/a" for key in keys}
    values.update_from_flattened_dict(place | {"data.source": "packed"})
    assert conversion.from_config_dict(values).data.dir == "gs://bucket/a"
