"""Whether what a config wants measured can be measured, told before anything is trained."""

import pathlib

from symmflow_jax.config.values import Config

SOLVERS = ("euler", "midpoint", "heun", "rk4", "dopri5")


def check(config: Config) -> None:
    """Raises a ValueError that names the first value that cannot be, and the remedy."""
    _check_rows(config)
    _check_samples(config)


def check_files(config: Config) -> None:
    """The same for files, as a training should not end in finding that it cannot be measured."""
    for key in ("feature_weights", "lpips_weights"):
        path = getattr(config.eval, key)
        if path and not pathlib.Path(path).is_file():
            raise ValueError(
                f"config.eval.{key} is {path!r}, which is no file; `python -m "
                "symmflow_jax.interop.convert_metric_weights` and `python -m "
                "symmflow_jax.metrics.train_classifier` make such files."
            )


def _check_rows(config: Config) -> None:
    for name in config.eval.solvers:
        if name not in SOLVERS:
            raise ValueError(
                f"config.eval.solvers has {name!r}; choose from {', '.join(SOLVERS)}, several as "
                "in --config.eval.solvers=\"('euler', 'heun')\"."
            )
    if not config.eval.solvers or min(config.eval.num_steps, default=0) < 1:
        raise ValueError(
            f"config.eval.solvers and num_steps are {config.eval.solvers} and "
            f"{config.eval.num_steps}; give at least one solver, and steps of at least 1."
        )
    if config.eval.original_size and config.semantics.encoding != "palette":
        raise ValueError(
            "config.eval.original_size is for masks, but config.semantics.encoding is "
            f"{config.semantics.encoding!r}, which has none; set it to False."
        )


def _check_samples(config: Config) -> None:
    """Samples and what they are compared by come together."""
    values = config.eval
    if values.num_feature_samples < 0 or values.num_feature_samples == 1:
        raise ValueError(
            f"config.eval.num_feature_samples is {values.num_feature_samples}; a distribution "
            "needs at least 2 samples, and 0 leaves the comparison out."
        )
    if values.features and not values.feature_weights:
        raise ValueError(
            f"config.eval.features is {values.features!r} but config.eval.feature_weights is "
            "empty; give the file of its weights."
        )
    compares = bool(values.features or values.lpips_weights)
    if compares and not values.num_feature_samples:
        raise ValueError(
            "config.eval.features or lpips_weights is set but config.eval.num_feature_samples is "
            "0; say how many images to generate, such as 50000."
        )
    if values.num_feature_samples and not compares:
        raise ValueError(
            f"config.eval.num_feature_samples is {values.num_feature_samples}, but nothing "
            "compares the samples; set config.eval.features or lpips_weights."
        )
    if compares and not config.data.image_size:
        raise ValueError(
            "config.eval.features and lpips_weights are of images, but config.data.image_size is "
            "empty, which means points."
        )
