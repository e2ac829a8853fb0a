"""COCO-Stuff at 512x512 in latents, with the paper's settings (arXiv 2506.10634).

This fine-tunes the U-Net of Stable Diffusion 2.1. `SD21` is its diffusers folder (with `unet`).
`VAE` is the diffusers folder of sd-vae-ft-mse, or hf:stabilityai/sd-vae-ft-mse, which is fetched
(docs/weights.md). `data.dir` holds the unpacked `train2017`, `val2017` and
`stuffthingmaps_trainval2017/{train,val}2017`. Import the weights once:

    python launch/empty_prompt.py --input=SD21 --output=empty_prompt.safetensors
    python -m symmflow_jax.main --config=configs/coco.py --mode=import --input=SD21/unet \
        --prompt_embedding=empty_prompt.safetensors --config.autoencoder.weights=VAE

Two optional commands follow. The first tunes a decoder to masks, which makes them sharper. The
second encodes the images once instead of in every step. Its folder takes about 8 GB and holds
images cropped at the centre:

    python -m symmflow_jax.main --config=configs/coco.py --mode=finetune_vae \
        --config.autoencoder.weights=VAE
    python -m symmflow_jax.main --config=configs/coco.py --mode=encode \
        --config.autoencoder.weights=VAE --config.data.latents=data/coco_latents

On a pod, pack the files first (the training split into 116 shards), and read them from there:

    python -m symmflow_jax.main --config=configs/coco.py --mode=pack --output=data/coco_packed
    python -m symmflow_jax.main --config=configs/coco.py --config.autoencoder.weights=VAE \
        --config.data.source=packed --config.data.dir=data/coco_packed

Then train. Add `--config.data.latents=data/coco_latents` if you encoded the images:

    python -m symmflow_jax.main --config=configs/coco.py --config.autoencoder.weights=VAE

Hardware: the paper used four GPUs with 32 pictures each. A TPU slice works too; `--mode=plan`
tells how much it needs. The training state takes 14 GB; use `--config.parallel=fsdp` if it does
not fit one device.
Expect FID 7.0 and LPIPS 0.609 in 25 steps, mIoU 29.3 in one step and 40.1 in 20 (paper).
"""

from symmflow_jax.config import conversion
from symmflow_jax.config.reading.config_file import beside

coco_pixels = beside(__file__, "coco_pixels.py")


def use_latents(config):
    """The paper's network, autoencoder and schedule for latents of 512x512 pictures."""
    config.data.image_size = (512, 512)
    config.autoencoder.weights = "sd-vae-ft-mse"
    config.autoencoder.dtype = "bfloat16"
    config.network.name = "latent_unet"
    config.network.channels = 320
    config.network.channel_multipliers = (1, 2, 4, 4)
    config.network.num_res_blocks = 2
    config.network.attention_rates = (1, 2, 4)
    config.network.head_channels = 64
    config.network.remat = True
    config.network.dtype = "bfloat16"
    config.train.num_epochs = 200.0
    config.train.epoch_steps = "whole"  # As the published loader counts them.
    config.train.warmup_epochs = 10.0
    config.train.peak_learning_rate = 8e-5
    config.train.ema_decay = 0.9
    config.train.image_weight = 0.7
    config.train.eval_every_steps = 5_000
    config.train.checkpoint_every_steps = 1_000
    config.eval.batch_size = 32
    config.eval.num_quick_examples = 64
    # The paper's protocol, since scores stand beside its own; "ours" is that of this project.
    config.eval.protocol = "published"
    config.eval.num_steps = (1, 2, 5, 10, 20, 25)  # All that the paper has.


def get_config():
    """The config."""
    config = conversion.default()
    coco_pixels.use_coco(config)
    use_latents(config)
    config.train.batch_size = 128  # 32 on each of 4 devices: 925 steps an epoch, 185,000 in all.
    return config
