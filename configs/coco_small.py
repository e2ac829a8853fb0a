"""The code path of `configs/coco.py` with tiny networks: latents of COCO-Stuff on a CPU.

    python -m symmflow_jax.main --config=configs/coco_small.py --config.data.dir=data/coco \
        --config.autoencoder.weights=VAE

`VAE` is a file or folder of diffusers' `AutoencoderKL` with the sizes below. Published ones are
larger. Random weights suffice to try import, `--mode=encode`, `--mode=finetune_vae`, training,
resuming, generation, segmentation and evaluation. Pictures are then noise and scores near zero.

Hardware: any; minutes on two CPU cores for a few dozen pictures.
"""

from symmflow_jax.config.reading.config_file import beside

coco = beside(__file__, "coco.py")


def get_config():
    """The config."""
    config = coco.get_config()
    config.data.image_size = (64, 64)
    config.autoencoder.channels = 32
    config.autoencoder.channel_multipliers = (1, 2)
    config.autoencoder.num_res_blocks = 1
    config.autoencoder.num_groups = 8
    config.autoencoder.dtype = "float32"
    config.network.channels = 32
    config.network.channel_multipliers = (1, 2)
    config.network.num_res_blocks = 1
    config.network.attention_rates = (2,)
    config.network.head_channels = 16
    config.network.num_groups = 8
    config.network.cross_attention_width = 32
    config.network.remat = False
    config.network.dtype = "float32"
    config.train.batch_size = 8
    config.train.num_epochs = 4.0
    config.train.warmup_epochs = 0.5
    config.train.log_every_steps = 5
    config.train.eval_every_steps = 20
    config.train.checkpoint_every_steps = 10
    config.finetune.num_steps = 20
    config.eval.batch_size = 8
    config.eval.num_quick_examples = 8
    config.eval.num_steps = (1, 2)
    config.eval.generation_steps = 5
    config.eval.num_generated = 8
    return config
