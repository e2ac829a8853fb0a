"""MNIST digits and their labels, with the paper's settings (arXiv 2506.10634).

    python -m symmflow_jax.main --config=configs/mnist.py --config.data.dir=data/mnist

`data.dir` holds the four IDX files, gzipped or not.
"""

from configs import default


def get_config():
    """The config."""
    config = default.get_config()
    config.data.source = "idx"
    config.data.dir = "data/mnist"
    config.data.image_size = (32, 32)
    config.data.image_channels = 1
    config.semantics.encoding = "plane"
    config.semantics.dequantization_beta = 4.0
    config.network.channels = 32
    config.network.channel_multipliers = (1, 2, 2, 2)
    config.network.num_res_blocks = 2
    config.train.batch_size = 512
    config.train.num_epochs = 1000.0
    config.train.warmup_epochs = 100.0
    config.train.peak_learning_rate = 5e-4
    config.train.ema_decay = 0.999
    config.train.image_weight = 0.9
    config.eval.num_generated = 1000
    return config
