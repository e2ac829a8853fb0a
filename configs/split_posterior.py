"""Ten ordered classes in pairs that look alike: what rounding the mean of their codes costs.

    python -m symmflow_jax.main --config=configs/split_posterior.py

Hardware: any; a few minutes on two CPU cores. The best possible accuracy is 77.6 %. One step
gives the mean of the codes of a pair, which mostly rounds to a class outside the pair: a perfect
velocity scores 37.4 %. More steps draw one of the two classes instead.
"""

from symmflow_jax.config.reading.config_file import beside

spirals = beside(__file__, "spirals.py")


def get_config():
    """The config."""
    config = spirals.get_config()
    config.data.source = "split_posterior"
    config.data.eval_size = 10_000
    return config
