"""CelebAMask-HQ at 512x512 in latents, with the paper's settings (arXiv 2506.10634).

    python -m symmflow_jax.main --config=configs/celebamask_hq.py --config.autoencoder.weights=VAE \
        --config.data.dir=data/CelebAMask-HQ

`data.dir` holds the unpacked archive (`CelebA-HQ-img`, `CelebAMask-HQ-mask-anno`).
`configs/coco.py` shows how to make the initial weights, the decoder for masks and a cache of
latents.

Hardware: the paper used two GPUs with 32 pictures each.
Expect FID 11.9 and LPIPS 0.464 in 25 steps, mIoU 65.3 in one step and 70.3 in two (paper).
"""

from symmflow_jax.config import conversion
from symmflow_jax.config.reading.config_file import beside

coco = beside(__file__, "coco.py")


def get_config():
    """The config."""
    config = conversion.default()
    coco.use_latents(config)
    config.data.source = "celebamask_hq"
    config.data.ignored = "class"  # As in the paper: "background" is a colour of its own.
    config.data.dir = "data/CelebAMask-HQ"
    config.data.train_split = "train"
    # The paper's scores are of the validation split (2,993 faces).
    config.data.eval_split = "val"
    config.data.resampling = "bilinear"
    config.data.dequantize_images = True
    config.semantics.encoding = "palette"
    config.semantics.dequantization_beta = 10.0
    config.train.batch_size = 64  # 32 on each of 2 devices: 378 steps an epoch, 75,600 in all.
    return config
