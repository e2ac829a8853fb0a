"""Drawn scenes with masks: the first run, without a download.

    python -m symmflow_jax.main --config=configs/shapes.py

Hardware: any; about four minutes of training on a laptop CPU with two cores.
"""

from configs import default


def get_config():
    """The config."""
    config = default.get_config()
    config.data.source = "shapes"
    config.semantics.encoding = "palette"
    config.semantics.dequantization_beta = 6.0
    config.network.channels = 32
    config.network.channel_multipliers = (1, 2, 2)
    config.network.num_res_blocks = 1
    config.train.batch_size = 32
    config.train.num_epochs = 0.6
    config.train.warmup_epochs = 0.05
    config.train.peak_learning_rate = 1e-3
    config.train.ema_decay = 0.99
    config.train.image_weight = 0.7
    config.train.eval_every_steps = 500
    config.train.checkpoint_every_steps = 500
    return config
