"""COCO-Stuff in pixels at 64x64, with a small network: no pretrained weights, any hardware.

    python -m symmflow_jax.main --config=configs/coco_pixels.py --config.data.dir=data/coco

`data.dir` holds the unpacked `train2017`, `val2017` and
`stuffthingmaps_trainval2017/{train,val}2017`. `--mode=check_data` checks them first.
`--mode=pack --output=PACKED` writes them into few large files;
`--config.data.source=packed --config.data.dir=PACKED` reads these instead.

Hardware: any to try the data and the whole loop, also a CPU; an accelerator for the whole set.
The paper's numbers need its latent model at 512x512.
"""

from symmflow_jax.config import conversion


def use_coco(config):
    """Points a config at COCO-Stuff, with the paper's encoding of its masks."""
    config.data.source = "coco_stuff"
    config.data.ignored = "class"  # As in the paper: unlabeled pixels are a colour of their own.
    config.data.dir = "data/coco"
    config.data.train_split = "train"
    config.data.eval_split = "val"
    config.data.random_crop = True
    config.semantics.encoding = "palette"
    config.semantics.dequantization_beta = 6.0


def get_config():
    """The config."""
    config = conversion.default()
    use_coco(config)
    config.data.random_flip = True
    config.data.image_size = (64, 64)
    config.network.channels = 32
    config.network.channel_multipliers = (1, 2, 4, 4)
    config.network.num_res_blocks = 1
    config.train.batch_size = 64
    config.train.num_epochs = 20.0
    config.train.warmup_epochs = 1.0
    config.train.peak_learning_rate = 5e-4
    config.train.image_weight = 0.7
    config.eval.batch_size = 32
    config.eval.num_steps = (1, 2, 5, 20, 25)
    config.eval.num_generated = 64
    return config
