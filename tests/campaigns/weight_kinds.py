"""Weights and what is cached: PyTorch's files, networks of metrics, latents, statistics."""

import functools
import json
import pathlib
import runpy
import shutil
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import safetensors.numpy

import symmflow_jax
from symmflow_jax.codecs import autoencoder_weights
from symmflow_jax.data.latent_cache.cache import LatentCache
from symmflow_jax.data.latent_cache.index import CacheIndex
from symmflow_jax.data.latent_cache.writer import CacheWriter
from symmflow_jax.evaluation.evaluator import evaluator_of
from symmflow_jax.evaluation.scores.real_features import real_features
from symmflow_jax.interop.files import read_weights
from symmflow_jax.interop.names import pixel_unet
from symmflow_jax.interop.torch_files import read_tensors
from symmflow_jax.metrics import features
from symmflow_jax.metrics.classifier import Classifier, write_classifier
from symmflow_jax.metrics.features import FeatureFunction, feature_function
from symmflow_jax.metrics.frechet import FeatureStatistics, load_statistics, save_statistics
from symmflow_jax.metrics.lpips import lpips
from symmflow_jax.networks.autoencoder import Autoencoder
from symmflow_jax.preparation.import_weights import import_weights
from symmflow_jax.semantics import labels
from tests.campaigns import formats
from tests.campaigns.experiments import tiny
from tests.campaigns.kinds import Kind
from tests.campaigns.mutations import BYTES, Damage
from tests.campaigns.run_kinds import leaves, other_setting

_FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"
_NO_CHECKSUM = "the format has no checksum of its numbers, and they are finite"
_OTHER_CONTENT = "the content is another, valid one, with right checksums"


def _random(shapes: Any) -> Any:
    rng = np.random.default_rng(5)
    return jax.tree.map(lambda leaf: 0.3 * rng.standard_normal(leaf.shape, np.float32), shapes)


def _is_finite(content: bytes | None) -> bool:
    """Tells if a `.safetensors` file can be read and holds finite numbers only."""
    try:
        arrays = safetensors.numpy.load(content or b"")
    except Exception:
        return False
    return all(np.isfinite(a).all() for a in arrays.values() if a.dtype.kind == "f")


def _safetensors_excuse(damage: Damage, difference: str) -> str | None:
    if damage.mutation in BYTES and _is_finite(damage.after):
        return _NO_CHECKSUM
    if damage.mutation == "other_tensor" and _forms(damage.before) == _forms(damage.after):
        return "a square matrix that is transposed is another, valid one"
    return other_setting(damage)


def _forms(content: bytes) -> dict[str, tuple]:
    """Shape and dtype of each tensor."""
    return {
        name: (array.shape, array.dtype) for name, array in safetensors.numpy.load(content).items()
    }


# Import.


@functools.cache
def _unet() -> dict[str, np.ndarray]:
    method = tiny().method
    params = _random(jax.eval_shape(method.init, jax.random.key(0)))
    return pixel_unet.state_dict_from_params(params, method.network)


def _unet_file(folder: pathlib.Path, variant: int) -> None:
    safetensors.numpy.save_file(_unet(), folder / "unet.safetensors", {"format": "pt"})


def _import(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    import_weights(tiny(), folder / "unet.safetensors", folder / "run")
    return leaves(symmflow_jax.load(folder / "run").weights.network)


def _diffusers(folder: pathlib.Path, variant: int) -> None:
    stem = "diffusion_pytorch_model"
    names = ("time_embedding.linear_1.weight", "conv_in.weight", "conv_in.bias")
    arrays = {name: np.full((2, 3), n, np.float32) for n, name in enumerate(names)}
    (folder / "config.json").write_text(json.dumps({"norm_num_groups": 8, "freq_shift": 0}))
    if not variant:
        safetensors.numpy.save_file(arrays, folder / f"{stem}.safetensors")
        return
    places = {}
    for number, (name, array) in enumerate(arrays.items()):
        file = f"{stem}-{number}.safetensors"
        safetensors.numpy.save_file({name: array}, folder / file)
        places[name] = file
    index = {"metadata": {"total_size": 72}, "weight_map": places}
    (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index))


def _read_published(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    weights = read_weights(folder)
    state = {name: np.asarray(array) for name, array in weights.state_dict.items()}
    return {"kind": weights.kind, "state": state, "settings": dict(weights.settings)}


def _diffusers_excuse(damage: Damage, difference: str) -> str | None:
    if damage.target == "config.json" and damage.mutation in (
        "removed", "other_suffix", "upper_case", "not_utf8", "moved_deeper", "a_broken_link",
    ):  # fmt: skip
        return "the settings are optional, as their reader says"
    if damage.target == "config.json" and "settings" in difference:
        return "settings are values of any kind, which the import compares with its own"
    if damage.mutation in ("other_tensor", "values_not_finite"):
        return "names, shapes, dtypes and values are checked by the import"
    return _safetensors_excuse(damage, difference)


_TORCH = ("present.pt", "older.pt", "present_flat.pt", "older_flat.pt")
_PUBLISHED = ("training.pt", "state_dict.pt")


def _torch_file(folder: pathlib.Path, variant: int) -> None:
    shutil.copy(_FIXTURES / "torch_files" / _TORCH[variant], folder / "weights.pt")


def _read_torch(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    return read_tensors(folder / "weights.pt", () if variant > 1 else ("model",))


def _published_file(folder: pathlib.Path, variant: int) -> None:
    shutil.copy(_FIXTURES / "weight_files" / _PUBLISHED[variant], folder / "weights.pt")


def _read_published_file(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    weights = read_weights(folder / "weights.pt")
    state = {name: np.asarray(array) for name, array in weights.state_dict.items()}
    return {"kind": weights.kind, "state": state}


def _torch_excuse(damage: Damage, difference: str) -> str | None:
    if damage.mutation == "member_changed":
        return _OTHER_CONTENT
    if damage.mutation in BYTES and not damage.before.startswith(b"PK"):
        return "the older format has no checksum"
    return None


# Autoencoder and networks of metrics.

_AUTOENCODER = Autoencoder(
    channels=4, channel_multipliers=(1, 2), num_res_blocks=1, latent_channels=2, num_groups=2
)


def _autoencoder(folder: pathlib.Path, variant: int) -> None:
    images = np.zeros((1, 8, 8, 3), np.float32)
    shapes = jax.eval_shape(_AUTOENCODER.init, jax.random.key(0), images)["params"]
    autoencoder_weights.write(folder / "vae.safetensors", _random(shapes), _AUTOENCODER)


def _read_autoencoder(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    return leaves(autoencoder_weights.read(folder / "vae.safetensors", _AUTOENCODER))


def _classifier(folder: pathlib.Path, variant: int) -> None:
    network = Classifier(3, (8, 8, 3), num_features=4)
    images = jax.ShapeDtypeStruct((1, 8, 8, 3), jnp.uint8)
    shapes = jax.eval_shape(network.init, jax.random.key(0), images)["params"]
    write_classifier(folder / "classifier.safetensors", network, _random(shapes), {"accuracy": 1})


def _read_classifier(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    function = features.classifier(folder / "classifier.safetensors")
    # Shapes alone, because every file would be compiled anew.
    images = jax.ShapeDtypeStruct((2, 8, 8, 3), jnp.uint8)
    found = jax.eval_shape(function.apply, function.weights, images)
    return {"weights": leaves(function.weights), "shape": found.shape}


@functools.cache
def _lpips_weights() -> dict[str, np.ndarray]:
    shapes = json.loads(str(np.load(_FIXTURES / "lpips.npz")["shapes"]))
    by_name = runpy.run_path(str(_FIXTURES / "weights_by_name.py"))["weights"]
    return {name: by_name(name, tuple(shape)) for name, shape in shapes.items()}


def _lpips(folder: pathlib.Path, variant: int) -> None:
    safetensors.numpy.save_file(_lpips_weights(), folder / "lpips.safetensors")


def _read_lpips(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    return leaves(lpips(folder / "lpips.safetensors").params)


# Caches.

_INDEX = CacheIndex(
    source="shapes",
    split="train",
    target="mask",
    image_size=(8, 8),
    has_mirrored=True,
    encoder_hash="0123456789abcdef",
    num_examples=0,
    schema=labels.consecutive(("sky", "left", "right")),
)


def _latents(folder: pathlib.Path, variant: int) -> None:
    rng = np.random.default_rng(0)
    with CacheWriter(folder / "latents", _INDEX) as writer:
        for _ in range(4):
            moments = rng.standard_normal((2, 4, 4, 6)).astype(np.float32)
            writer.write(moments, rng.integers(0, 3, (8, 8), np.int32))


def _read_latents(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    cache = LatentCache(folder / "latents")
    examples = {str(index): cache[index] for index in range(len(cache))}
    return {"examples": examples, "classes": list(cache.schemas["mask"].names)}


def _channel_means(weights: Any, images: jax.Array) -> jax.Array:
    return weights["scale"] * jnp.mean(images.astype(jnp.float32), axis=(1, 2))


@functools.cache
def _means() -> FeatureFunction:
    return feature_function("means", _channel_means, {"scale": np.float32(1)}, 3)


def _read_kept_statistics(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    experiment = tiny(**{"eval.statistics_dir": str(folder)})
    found = real_features(evaluator_of(experiment), _means())
    return {
        "mean": found.gaussian.mean,
        "covariance": found.gaussian.covariance,
        "features": found.features,
        "count": found.num_examples,
    }


def _keep_statistics(folder: pathlib.Path, variant: int) -> None:
    _read_kept_statistics(folder, variant)


def _statistics(folder: pathlib.Path, variant: int) -> None:
    rows = np.random.default_rng(0).standard_normal((9, 3))
    save_statistics(folder / "real.npz", FeatureStatistics.from_features(rows), _means())


def _read_statistics(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    return load_statistics(folder / "real.npz", _means())._asdict()


def _archive_excuse(damage: Damage, difference: str) -> str | None:
    if damage.mutation in ("member_changed", "other_array"):
        return _OTHER_CONTENT
    return None


_WEIGHTS = {".safetensors": formats.SAFETENSORS, ".json": formats.JSON}
_ZIPPED = {".pt": (*formats.ZIPS * 2, formats.zip_bomb)}

KINDS: dict[str, Kind] = {
    "weights, imported": Kind(
        _unet_file, _import, share=1.0, damages=_WEIGHTS, excuse=_safetensors_excuse
    ),
    "folder of diffusers": Kind(
        _diffusers,
        _read_published,
        variants=2,
        share=1.2,
        damages=_WEIGHTS,
        names=("diffusion_pytorch_model", "/input"),
        excuse=_diffusers_excuse,
    ),
    "torch files": Kind(
        _torch_file, _read_torch, variants=4, share=2.0, damages=_ZIPPED, excuse=_torch_excuse
    ),
    "training checkpoint of torch": Kind(
        _published_file,
        _read_published_file,
        variants=2,
        share=1.0,
        damages=_ZIPPED,
        excuse=_torch_excuse,
    ),
    "autoencoder": Kind(
        _autoencoder, _read_autoencoder, share=1.0, damages=_WEIGHTS, excuse=_safetensors_excuse
    ),
    "classifier": Kind(
        _classifier, _read_classifier, share=1.0, damages=_WEIGHTS, excuse=_safetensors_excuse
    ),
    "lpips": Kind(_lpips, _read_lpips, share=0.3, damages=_WEIGHTS, excuse=_safetensors_excuse),
    "latents": Kind(
        _latents,
        _read_latents,
        share=1.5,
        damages={".json": formats.JSON},
        names=("latents",),
        excuse=lambda damage, difference: other_setting(damage),
    ),
    "kept statistics": Kind(
        _keep_statistics,
        _read_kept_statistics,
        share=1.0,
        damages={".npz": formats.ARCHIVES},
        excuse=_archive_excuse,
    ),
    "statistics": Kind(
        _statistics,
        _read_statistics,
        share=0.6,
        damages={".npz": formats.ARCHIVES},
        excuse=_archive_excuse,
    ),
}
"""Weights and caches."""
