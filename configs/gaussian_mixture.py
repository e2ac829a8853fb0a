"""A mixture of eight classes in sixteen dimensions, with known distributions: a small MLP.

    python -m symmflow_jax.main --config=configs/gaussian_mixture.py

Hardware: any; a few minutes on two CPU cores. The classes overlap, so no classifier is right in
more than about 80 % of the points. The energy distance to exact samples of a class tells how near
generated points are to its distribution.
"""

from symmflow_jax.config.reading.config_file import beside

spirals = beside(__file__, "spirals.py")


def get_config():
    """The config."""
    config = spirals.get_config()
    config.data.source = "gaussian_mixture"
    config.data.point_size = 16
    config.eval.num_steps = (1, 2, 5, 10, 25)
    return config
