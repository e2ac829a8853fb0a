"""Two interleaved spirals in the plane: the paper's toy, with a small MLP.

    python -m symmflow_jax.main --config=configs/spirals.py

Hardware: any; under five minutes on two CPU cores. Expect a one-step accuracy above 99.5 %.
More steps lower it, as in the paper's table (arXiv 2506.10634): with tied clocks, a point dissolves
into noise while its label is read.
"""

from symmflow_jax.config import conversion


def get_config():
    """The config."""
    config = conversion.default()
    config.data.source = "spirals"
    config.data.train_size = 50_000
    config.data.eval_size = 2_000
    config.data.image_size = ()
    config.semantics.encoding = "plane"
    config.semantics.dequantization_beta = 4.0
    config.network.name = "mlp"
    config.network.channels = 256
    config.network.num_res_blocks = 4
    config.train.batch_size = 256
    config.train.num_epochs = 40.0
    config.train.warmup_epochs = 2.0
    config.train.peak_learning_rate = 1e-3
    config.train.ema_decay = 0.999
    config.train.image_weight = 0.5
    config.train.log_every_steps = 500
    config.train.eval_every_steps = 2_000
    config.train.checkpoint_every_steps = 2_000
    config.eval.batch_size = 1_000
    config.eval.num_steps = (1, 2, 5, 10, 20, 50)
    config.eval.num_quick_examples = 1_000
    config.eval.num_generated = 2_000
    return config
