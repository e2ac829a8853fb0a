"""Whether the values of a config exist and are in their ranges, told before anything is made.

What only the files can tell is checked where they are opened.
"""

import operator

from symmflow_jax.config.values import Config
from symmflow_jax.evaluation import checks as evaluation_checks

_CHOICES: dict[str, tuple[str, ...]] = {
    "parallel": ("pmap", "fsdp"),
    "data.source": (
        "shapes",
        "spirals",
        "gaussian_mixture",
        "split_posterior",
        "idx",
        "tfds",
        "npz",
        "paired_folder",
        "coco_stuff",
        "celebamask_hq",
        "cityscapes",
        "ade20k",
        "cifar10",
    ),
    "data.on_error": ("raise", "skip"),
    "semantics.encoding": ("palette", "plane", "colour", "onehot"),
    "network.name": ("unet", "latent_unet", "mlp"),
    "network.dtype": ("float32", "bfloat16"),
    "autoencoder.dtype": ("float32", "bfloat16"),
    "train.clock": ("tied", "free", "mixed"),
    "eval.clock": ("", "tied", "held"),
    "eval.features": ("", "inception", "classifier"),
    "eval.real_split": ("eval", "train"),
    "eval.checkpoint": ("latest", "best"),
    "plan.optimization_level": ("O0", "O1", "O2", "O3"),
}


def check(config: Config) -> None:
    """Raises a ValueError that names the first value that cannot be, and the remedy."""
    _check_choices(config)
    _check_ranges(config)
    _check_clocks(config)
    evaluation_checks.check(config)


def _check_choices(config: Config) -> None:
    for key, choices in _CHOICES.items():
        value = operator.attrgetter(key)(config)
        if value not in choices:
            raise ValueError(f"config.{key} is {value!r}; choose one of {_listed(choices)}.")


def _check_ranges(config: Config) -> None:
    for section, keys in (
        ("data", ("point_size",)),
        ("train", ("batch_size", "num_microbatches", "num_epochs", "log_every_steps")),
        ("train", ("checkpoint_every_steps", "keep_checkpoints", "peak_learning_rate")),
        ("train", ("cross_entropy_weight",)),
        ("semantics", ("amplitude",)),
        ("autoencoder", ("channels", "num_res_blocks", "latent_channels", "latent_scale")),
        ("finetune", ("batch_size", "num_steps", "learning_rate")),
        ("eval", ("batch_size", "num_draws", "num_seeds", "generation_steps", "tolerance")),
    ):
        for key in keys:
            value = getattr(getattr(config, section), key)
            if value <= 0:
                raise ValueError(f"config.{section}.{key} is {value}; it must be positive.")
    if config.plan.batch_size < 0:
        raise ValueError(
            f"config.plan.batch_size is {config.plan.batch_size}; it must be positive, or 0."
        )
    if not 0.0 <= config.train.share_at_one < 1.0:
        raise ValueError(
            f"config.train.share_at_one is {config.train.share_at_one}; it must be at least 0 and "
            "below 1."
        )


def _check_clocks(config: Config) -> None:
    """What needs a clock for each leaf, and the shares of a mixture."""
    shares = config.train.clock_shares
    if len(shares) != 4 or min(shares) < 0 or abs(sum(shares) - 1.0) > 1e-6:
        raise ValueError(
            f"config.train.clock_shares is {shares}; give four shares that add up to 1, of tied, "
            "free, held_image and held_semantics times."
        )
    if config.train.clock == "mixed" and shares[0] == 1.0:
        raise ValueError(
            "config.train.clock is 'mixed' but config.train.clock_shares has tied times only; "
            "choose 'tied', or other shares."
        )
    guided = config.guidance.weight != 1.0
    if config.train.clock == "tied" and (guided or config.eval.clock == "held"):
        key = "guidance.weight" if guided else "eval.clock"
        raise ValueError(
            f"config.{key} is {operator.attrgetter(key)(config)!r}, which needs a network that "
            "learns with a clock for each leaf; set config.train.clock to 'free' or 'mixed'."
        )


def _listed(choices: tuple[str, ...]) -> str:
    return ", ".join(choice or "'' (none)" for choice in choices)
