import jax
import pytest

from symmflow_jax.codecs.latents import LatentCodec
from symmflow_jax.codecs.pixels import PixelCodec
from symmflow_jax.data.source import numbered_classes
from symmflow_jax.flow.state import JointState

_SCHEMA = numbered_classes(3)


def test_an_autoencoder_is_what_makes_latents(tiny_experiment, latent_experiment, tmp_path):
    pixels = tiny_experiment().with_schema(_SCHEMA).method.codec
    assert isinstance(pixels, PixelCodec)
    assert pixels.init(jax.random.key(0)) is None
    assert tiny_experiment().codec_weights(tmp_path) is None
    assert tiny_experiment().kept_codec_weights(tmp_path) is None

    for encoding in ("palette", "colour"):
        values = {"semantics.encoding": encoding}
        latents = latent_experiment(**values).with_schema(_SCHEMA).method.codec
        assert isinstance(latents, LatentCodec)
        assert latents.image_shape == (8, 8, 3)
        assert latents.shapes == JointState((4, 4, 2), (4, 4, 2))


def test_shapes_are_known_without_the_file(latent_experiment):
    experiment = latent_experiment(**{"autoencoder.weights": "nowhere"})
    codec = experiment.with_schema(_SCHEMA).method.codec
    weights = jax.eval_shape(codec.init, jax.random.key(0))
    assert weights.keys() == {"encoder", "decoder"}


_MLP = {"network.name": "mlp"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"data.image_channels": 1}, r"image_channels is 1 .* choose 3 and palette"),
        ({"semantics.encoding": "plane"}, r"encoding 'plane'; choose 3 and colour, or clear"),
        # Three classes give it three channels, but these are no picture.
        ({"semantics.encoding": "onehot"}, r"encoding 'onehot'; choose 3 and palette, or clear"),
        ({"data.image_size": ()} | _MLP, "Latents are of colour images"),
        ({"data.image_size": (8, 9)}, r"image_size is \(8, 9\), but .* divisible by 2"),
    ],
)
def test_what_has_no_latents_is_refused(latent_experiment, overrides, message):
    with pytest.raises(ValueError, match=message):
        latent_experiment(**overrides).with_schema(_SCHEMA).method.codec
