"""What generated images are compared by: feature functions by name, and LPIPS."""

from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import EvalConfig
from symmflow_jax.metrics import lpips
from symmflow_jax.metrics.features import FeatureFunction
from symmflow_jax.metrics.lpips import Lpips

FEATURES: dict[str, Choice] = {
    "": Choice("symmflow_jax.metrics.features:no_features", "no distance of distributions"),
    "inception": Choice(
        "symmflow_jax.metrics.features:inception", "pooled features of Inception: FID and KID"
    ),
    "classifier": Choice(
        "symmflow_jax.metrics.features:classifier",
        "the last hidden layer of a classifier that `--mode=train_classifier` trained",
    ),
}
"""The values of `config.eval.features`; a constructor takes the file of the weights."""


def make_feature_function(config: EvalConfig) -> FeatureFunction | None:
    """The feature function of the config, or None; raises ValueError for unusable weights."""
    return FEATURES[config.features].resolve()(config.feature_weights)


def make_perceptual_distance(config: EvalConfig) -> Lpips | None:
    """LPIPS with the config's weights, or None; raises ValueError for unusable weights."""
    return lpips.lpips(config.lpips_weights) if config.lpips_weights else None
