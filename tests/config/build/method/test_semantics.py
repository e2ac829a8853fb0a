"""Encodings by name, and the kind of semantics that one learns of a source."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.config.build.method.method import PARAMETERIZATIONS
from symmflow_jax.config.build.method.semantics import ENCODINGS, make_encoding, semantics_kind
from symmflow_jax.data.source import numbered_classes
from symmflow_jax.semantics.kinds import SemanticsKind

MASK, LABEL = SemanticsKind.MASK, SemanticsKind.LABEL
_CLASSES = 5

every_kind = pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, choice in ENCODINGS.items() for kind in choice.kinds]
)


@pytest.fixture
def encoding_of(tiny_experiment):
    """A function from name, kind and image size to an encoding of five classes."""

    def make(name, kind, image_size):
        source = "shapes" if kind is MASK else "idx"
        changes = {"semantics.encoding": name, "data.source": source, "data.image_size": image_size}
        changes["network.name"] = "unet" if image_size else "mlp"
        return make_encoding(tiny_experiment(**changes).config, numbered_classes(_CLASSES), kind)

    return make


@every_kind
def test_every_encoding_reads_what_it_wrote(encoding_of, name, kind):
    encoding = encoding_of(name, kind, (4, 6))
    shape = (2, 4, 6) if kind is MASK else (10,)
    labels = (jnp.arange(np.prod(shape)) % _CLASSES).reshape(shape)
    signal = encoding.encode_clean(labels)
    assert signal.shape == (shape[0], *encoding.signal_shape((4, 6, 3)))
    assert signal.dtype == jnp.float32
    for code in (signal, encoding.encode(jax.random.key(0), labels)):
        decoded = encoding.decode(code)
        assert decoded.dtype == jnp.int32
        np.testing.assert_array_equal(decoded, labels)
    assert float(jnp.min(encoding.confidence(signal, labels))) > 0.99


@pytest.mark.parametrize("name", [n for n, choice in ENCODINGS.items() if LABEL in choice.kinds])
def test_labels_of_points_have_no_grid(encoding_of, name):
    encoding = encoding_of(name, LABEL, ())
    labels = jnp.arange(_CLASSES)
    signal = encoding.encode_clean(labels)
    assert signal.shape == (_CLASSES, *encoding.signal_shape((2,))) and signal.ndim == 2
    np.testing.assert_array_equal(encoding.decode(signal), labels)


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_encoding_has_a_parameterization(name):
    assert ENCODINGS[name].parameterization in PARAMETERIZATIONS
    assert ENCODINGS[name].kinds


def test_the_encoding_chooses_among_what_a_source_has():
    both = (MASK, LABEL)
    assert semantics_kind("onehot", "shapes", both) is MASK
    assert semantics_kind("plane", "shapes", both) is LABEL
    assert semantics_kind("onehot", "idx", (LABEL,)) is LABEL


def test_encodings_that_do_not_fit_a_source_are_refused_with_those_that_do():
    message = "'palette' learns a mask, but 'idx' has only label; choose plane, colour, onehot"
    with pytest.raises(ValueError, match=message):
        semantics_kind("palette", "idx", (LABEL,))
    with pytest.raises(ValueError, match="'plane' learns a label, .* choose palette, onehot"):
        semantics_kind("plane", "ade20k", (MASK,))


def test_unknown_encodings_are_refused_with_the_list():
    with pytest.raises(ValueError, match="'hot'; choose one of palette, plane, colour, onehot"):
        semantics_kind("hot", "idx", (LABEL,))
