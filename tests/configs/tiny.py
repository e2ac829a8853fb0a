"""A run of seconds: 8x8 scenes and a network of a few thousand parameters."""

from symmflow_jax.config import conversion


def get_config():
    """The config."""
    config = conversion.default()
    config.data.source = "shapes"
    config.data.train_size = 64
    config.data.eval_size = 12
    config.data.image_size = (8, 8)
    config.network.channels = 8
    config.network.channel_multipliers = (1,)
    config.network.num_res_blocks = 1
    config.network.num_groups = 4
    config.network.head_channels = 8
    config.train.batch_size = 8
    config.train.num_epochs = 2.5
    config.train.peak_learning_rate = 1e-3
    config.train.ema_decay = 0.9
    config.train.log_every_steps = 1
    config.train.eval_every_steps = 0
    config.train.checkpoint_every_steps = 2
    config.eval.batch_size = 8
    config.eval.num_quick_examples = 8
    config.eval.num_steps = (1, 2)
    config.eval.generation_steps = 2
    config.eval.num_generated = 8
    return config
