"""Drawn scenes with masks: the first run, without a download.

    python -m symmflow_jax.main --config=configs/shapes.py

The network has two clocks and predicts class probabilities. The paper's method, with one clock
and a palette, is

    python -m symmflow_jax.main --config=configs/shapes.py --config.train.clock=tied \
        --config.train.prob_at_one=0 --config.semantics.encoding=palette --workdir=runs/shapes_tied

Hardware: any; five minutes of training on two CPU cores. Expect a one-step mIoU above 0.9 on
unseen scenes, and generated scenes that agree with their masks at a mIoU above 0.9.
"""

from symmflow_jax.config import conversion


def get_config():
    """The config."""
    config = conversion.default()
    config.data.source = "shapes"
    config.semantics.encoding = "onehot"
    config.network.channels = 16
    config.network.channel_multipliers = (1, 2, 4)
    config.network.num_res_blocks = 1
    config.network.num_groups = 8
    config.train.batch_size = 16
    config.train.num_epochs = 0.45
    config.train.warmup_epochs = 0.05
    config.train.peak_learning_rate = 2e-3
    config.train.ema_decay = 0.995
    config.train.image_weight = 0.7
    config.train.clock = "mixed"
    config.train.clock_shares.tied = 0.0
    config.train.clock_shares.independent = 0.1
    config.train.clock_shares.clean_image = 0.45
    config.train.clock_shares.clean_semantics = 0.45
    config.train.prob_at_one = 0.3
    config.train.eval_every_steps = 1_000
    config.train.checkpoint_every_steps = 500
    config.eval.num_generated = 200
    return config
