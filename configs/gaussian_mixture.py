"""A mixture of eight classes in sixteen dimensions, with known conditional laws: a small MLP.

    python -m symmflow_jax.main --config=configs/gaussian_mixture.py

Hardware: any; a few minutes on two CPU cores. No classifier is right more often than in about
80 % of the points, as the classes overlap. How near generated points are to the law of their
class is told by the energy distance to exact samples of it.
"""

from configs import spirals


def get_config():
    """The config."""
    config = spirals.get_config()
    config.data.source = "gaussian_mixture"
    config.data.point_size = 16
    config.eval.num_steps = (1, 2, 5, 10, 25)
    return config
