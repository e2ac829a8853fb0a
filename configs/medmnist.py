"""MedMNIST images and their labels, with the settings of MedSymmFlow (arXiv 2507.19098).

    python -m symmflow_jax.main --config=configs/medmnist.py:dermamnist \
        --config.data.dir=data/medmnist --workdir=runs/dermamnist

After the colon stands the name of an archive in `data.dir`, as MedMNIST publishes it:
pneumoniamnist, bloodmnist, dermamnist or retinamnist, of 28x28 pixels. With `_224` behind it, such
as dermamnist_224, it is the archive of 224x224 pixels. The small images become 32x32 pixels, and
the flow moves pixels. The large ones become 256x256 pixels, and the flow moves latents of the
autoencoder of Stable Diffusion; `VAE` is the diffusers folder of sd-vae-ft-mse:

    python -m symmflow_jax.main --config=configs/medmnist.py:dermamnist_224 \
        --config.data.dir=data/medmnist --config.autoencoder.weights=VAE --workdir=runs/derma_224

A label is a plane of one colour. Published weights become a run, which is then evaluated. The
published evaluation is in float32:

    python -m symmflow_jax.main --config=configs/medmnist.py:dermamnist_224 --mode=import \
        --input=LatFM_dermamnist_beta4.0_rgb.pt --config.autoencoder.weights=VAE \
        --config.network.dtype=float32 --config.autoencoder.dtype=float32 --workdir=runs/published
    python -m symmflow_jax.main --config=configs/medmnist.py:dermamnist_224 --mode=evaluate \
        --config.data.dir=data/medmnist --workdir=runs/published

`eval.ensemble_size` is the number of noise draws per image; their mean distances, votes and entropy
tell how sure an answer is. `eval.num_seeds` repeats the evaluation.

Hardware: a GPU or TPU. The network has 9 M parameters in pixels and 36 M in latents.
Expect, in 25 steps (paper), accuracies of 88.0, 97.9, 78.8 and 51.4 % in pixels, and of 89.4, 99.0,
81.0 and 54.0 % in latents, in the order of the names above.
"""

from symmflow_jax.config import conversion
from symmflow_jax.config.reading.config_file import ConfigFileError

CLASSES = {
    "pneumoniamnist": ("normal", "pneumonia"),
    "bloodmnist": (
        "basophil",
        "eosinophil",
        "erythroblast",
        "immature granulocytes",
        "lymphocyte",
        "monocyte",
        "neutrophil",
        "platelet",
    ),
    "dermamnist": (
        "actinic keratoses and intraepithelial carcinoma",
        "basal cell carcinoma",
        "benign keratosis-like lesions",
        "dermatofibroma",
        "melanoma",
        "melanocytic nevi",
        "vascular lesions",
    ),
    "retinamnist": ("0", "1", "2", "3", "4"),
}
"""The names of the classes, as MedMNIST gives them."""

GREY = ("pneumoniamnist",)
"""Sets of grey images; the published training does not mirror them."""

LARGE = "_224"


def use_pixels(config):
    """The shape of the published networks for 28x28 pixels."""
    config.data.image_size = (32, 32)
    config.network.channels = 64
    config.eval.batch_size = 100


def use_latents(config):
    """The published network and autoencoder for 224x224 pixels."""
    config.data.image_size = (256, 256)
    config.data.image_channels = 3
    config.autoencoder.weights = "sd-vae-ft-mse"
    config.autoencoder.dtype = "bfloat16"
    config.network.channels = 128
    config.network.dtype = "bfloat16"
    config.eval.batch_size = 16
    config.eval.num_quick_examples = 64


def get_config(archive="bloodmnist"):
    """The config of an archive, such as "dermamnist" or "dermamnist_224"."""
    name = archive.removesuffix(LARGE)
    if name not in CLASSES:
        names = ", ".join(f"{known}, {known}{LARGE}" for known in CLASSES)
        raise ConfigFileError(
            f"configs/medmnist.py has no archive {archive!r}; give one of {names} after the colon."
        )
    config = conversion.default()
    config.data.source = "npz"
    config.data.dir = "data/medmnist"
    config.data.name = archive
    config.data.class_names = CLASSES[name]
    config.data.image_channels = 1 if name in GREY else 3
    config.data.resampling = "bilinear"
    config.data.random_flip = name not in GREY
    config.data.random_vertical_flip = name not in GREY
    config.semantics.encoding = "colour"
    config.semantics.dequantization_beta = 4.0
    config.network.channel_multipliers = (1, 2, 2, 2)
    config.network.num_res_blocks = 2
    config.network.attention_rates = (2,)
    config.network.head_channels = 64
    config.train.batch_size = 64
    config.train.num_epochs = 1000.0
    config.train.epoch_steps = "whole"
    config.train.warmup_epochs = 100.0
    config.train.peak_learning_rate = 4e-4
    config.train.ema_decay = 0.7
    config.train.image_weight = 0.7
    config.train.eval_every_steps = 2_000
    config.train.checkpoint_every_steps = 1_000
    # Its scores stand beside published ones.
    config.eval.protocol = "published"
    config.eval.metrics = (
        *("selective_recognition", "agreement", "cycle"),
        *("sample_quality", "objective"),
    )
    config.eval.num_steps = (1, 25)
    (use_latents if archive.endswith(LARGE) else use_pixels)(config)
    return config
