"""Published figures, for comparison: SymmFlow (arXiv 2506.10634) and MedSymmFlow (2507.19098)."""

import dataclasses
from collections.abc import Mapping

from symmflow_jax.evaluation.measurement import Measurement


@dataclasses.dataclass(frozen=True)
class Published:
    """One series of the paper: a score by the number of solver steps.

    Attributes:
        data: the paper's name of the data set.
        task: the task, as in `Protocol`.
        metric: the metric, as in `Measurement`.
        values: the score by number of steps, in the units of `Measurement`.
        protocol: the paper's protocol in words.
        solver: the solver, as in `Protocol`.
    """

    data: str
    task: str
    metric: str
    values: Mapping[int, float]
    protocol: str
    solver: str = "euler"


def of(dataset: str) -> list[Published]:
    """The published series of a data set, named as in `Protocol.dataset`; may be empty."""
    return list(_PUBLISHED.get(dataset, ()))


def ours(published: Published, num_steps: int, table: list[Measurement]) -> list[Measurement]:
    """The measurements of a table for one published figure; several if masks have two sizes."""
    return [
        m
        for m in table
        if (m.protocol.task, m.metric) == (published.task, published.metric)
        and (m.protocol.solver, m.protocol.num_steps) == (published.solver, num_steps)
        and m.class_name is None
    ]


def _percent(values: Mapping[int, float]) -> dict[int, float]:
    return {num_steps: value / 100 for num_steps, value in values.items()}


_LATENT = "latent model at 512x512"
_FID = "Inception pool features against real images; {}; " + _LATENT
_LPIPS = "AlexNet, between a sample and the real image of its mask; " + _LATENT

_CELEBA = (
    Published(
        "CelebAMask-HQ",
        "segmentation",
        "miou",
        _percent({1: 65.3, 2: 70.3, 5: 70.3, 20: 69.4, 25: 69.3}),
        f"macro mean over the classes without background; validation split; {_LATENT}",
    ),
    Published(
        "CelebAMask-HQ",
        "generation",
        "fid",
        {1: 88.5, 5: 49.5, 10: 28.2, 25: 11.9},
        _FID.format("validation masks repeated with fresh noise to 50,000 samples"),
    ),
    Published("CelebAMask-HQ", "generation", "lpips", {25: 0.464}, _LPIPS),
)
_COCO = (
    Published(
        "COCO-Stuff",
        "segmentation",
        "miou",
        _percent({1: 29.3, 2: 33.8, 5: 38.1, 20: 40.1, 25: 39.6}),
        f"macro mean over the 171 classes, unlabeled pixels left out; {_LATENT}; the published "
        "scorer merges ids 171 to 181 into 135 to 145, so this figure is not exactly reproducible",
    ),
    Published(
        "COCO-Stuff",
        "generation",
        "fid",
        {1: 102.6, 5: 44.3, 10: 18.2, 25: 7.0},
        _FID.format("validation masks"),
    ),
    Published("COCO-Stuff", "generation", "lpips", {25: 0.609}, _LPIPS),
)
_MNIST = (
    Published(
        "MNIST", "classification", "accuracy", _percent({1: 99.3, 25: 99.6}), "test set, 32x32"
    ),
)
_CIFAR10 = (
    Published(
        "CIFAR-10", "classification", "accuracy", _percent({1: 88.2, 25: 90.6}), "test set, 32x32"
    ),
)
_SPIRALS = (
    Published(
        "Two spirals",
        "classification",
        "accuracy",
        _percent({1: 100.0, 2: 92.0, 5: 87.0, 10: 83.6, 20: 82.6, 50: 82.0}),
        "toy in the plane",
    ),
)


def _medmnist(
    data: str, pixels: tuple[str, str], latents: tuple[str, str]
) -> dict[str, tuple[Published, ...]]:
    """The series of one set of MedMNIST, by name of its archives.

    Args:
        data: name of the set.
        pixels: AUC and accuracy of the model in pixels, in percent with their spread.
        latents: the same of the model in latents.
    """
    names = (f"npz/{data.lower()}", f"npz/{data.lower()}_224")
    models = ("28x28 brought to 32x32 pixels", "224x224 brought to 256x256, in latents")
    return {
        name: tuple(
            Published(
                data,
                "classification",
                metric,
                _percent({25: float(figure.split()[0])}),
                f"MedSymmFlow, test set, {model}; {figure} % over repeated runs",
            )
            for metric, figure in zip(("auc_of_distances", "accuracy"), figures, strict=True)
        )
        for name, model, figures in zip(names, models, (pixels, latents), strict=True)
    }


_MEDMNIST = {
    **_medmnist("PneumoniaMNIST", ("95.2 ± 0.4", "88.0 ± 0.6"), ("94.4 ± 1.7", "89.4 ± 1.1")),
    **_medmnist("BloodMNIST", ("99.4 ± 0.1", "97.9 ± 0.2"), ("99.8 ± 0.0", "99.0 ± 0.1")),
    **_medmnist("DermaMNIST", ("89.6 ± 0.5", "78.8 ± 0.8"), ("92.5 ± 0.4", "81.0 ± 0.6")),
    **_medmnist("RetinaMNIST", ("73.1 ± 0.4", "51.4 ± 2.1"), ("78.8 ± 0.4", "54.0 ± 0.9")),
}

# IDX files are assumed to be MNIST; the paper has no figures for other data sets in IDX files.
_PUBLISHED: dict[str, tuple[Published, ...]] = {
    "celebamask_hq": _CELEBA,
    "coco_stuff": _COCO,
    "idx": _MNIST,
    "tfds/mnist": _MNIST,
    "cifar10": _CIFAR10,
    "tfds/cifar10": _CIFAR10,
    "spirals": _SPIRALS,
    **_MEDMNIST,
}
