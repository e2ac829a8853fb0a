"""The published figures.

SymmFlow (arXiv 2506.10634), MedSymmFlow (2507.19098) and flow matching itself (2210.02747).
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from symmflow_jax.evaluation.report.paper.comparison import PERCENT, Published

_SMALL = {"image_size": (32, 32), "crop": "centre", "resampling": "bilinear"}
_FACES = {
    "image_size": (512, 512),
    "crop": "centre",
    "resampling": "bilinear",
    "dequantized": True,
}
_SCENES = {
    "image_size": (512, 512),
    "crop": "random",
    "resampling": "bicubic",
    "dequantized": False,
}
_MASKS = {"scored_size": "model", "mask_decoder": "images"}
_LOADER = (
    "the published loader shuffles and drops the last batch, {} of {} at batch size 32; here all "
    "are scored"
)


def _generation(
    data: str,
    frame: Mapping[str, object],
    masks: tuple[int, int],
    fid: Mapping[int, float],
    lpips: Mapping[int, float],
) -> tuple[Published, Published]:
    """The series of FID and of LPIPS, of 50,000 samples of validation masks.

    Args:
        data: the paper's name of the data set.
        frame: the fields of `Protocol` that tell how examples are prepared.
        masks: number of masks, and of samples of each.
        fid: FID by number of steps.
        lpips: LPIPS by number of steps.
    """
    count, times = masks
    settings = {**frame, "conditions": f"{count} masks, each {times} times"}
    common: Any = {"data": data, "task": "generation", "num_examples": 50_000, "splits": ("val",)}
    return (
        Published(
            metric="fid",
            values=fid,
            decimals=1,
            note=f"pytorch-fid of 50,000 samples ({times} for each of {count:,} validation masks) "
            "with real images; which ones, and in which size, neither the paper nor its code says",
            settings=settings | {"features": "inception"},
            **common,
        ),
        Published(
            metric="lpips",
            values=lpips,
            decimals=3,
            note="AlexNet, between each unclipped sample and the real image of its mask; of the "
            "samples for FID",
            settings=settings,
            **common,
        ),
    )


_CELEBA = (
    Published(
        data="CelebAMask-HQ",
        task="segmentation",
        metric="miou",
        values={1: 65.3, 2: 70.3, 5: 70.3, 20: 69.4, 25: 69.3},
        decimals=1,
        unit=PERCENT,
        note="macro mean over the classes without background; validation split; "
        + _LOADER.format("17", "2,993 faces"),
        num_examples=2_993,
        splits=("val",),
        settings=_FACES | _MASKS,
    ),
    *_generation(
        "CelebAMask-HQ",
        _FACES,
        masks=(2_942, 17),
        fid={1: 88.5, 5: 49.5, 10: 28.2, 25: 11.9},
        lpips={25: 0.464},
    ),
)
_COCO = (
    Published(
        data="COCO-Stuff",
        task="segmentation",
        metric="miou",
        values={1: 29.3, 2: 33.8, 5: 38.1, 20: 40.1, 25: 39.6},
        decimals=1,
        unit=PERCENT,
        note="macro mean over the 171 classes, unlabeled pixels left out; the published scorer "
        "knows the colours of raw ids 0 to 170 alone and so merges ids 171 to 181 into 135 to "
        "145, on either side, so these figures are not exactly reproducible; "
        + _LOADER.format("8", "5,000 scenes"),
        num_examples=5_000,
        splits=("val",),
        settings=_SCENES | _MASKS,
    ),
    *_generation(
        "COCO-Stuff",
        _SCENES,
        masks=(5_000, 10),
        fid={1: 102.6, 5: 44.3, 10: 18.2, 25: 7.0},
        lpips={25: 0.609},
    ),
)


def _accuracy(data: str, values: Mapping[int, float], **settings: object) -> Published:
    return Published(
        data=data,
        task="classification",
        metric="accuracy",
        values=values,
        decimals=1,
        unit=PERCENT,
        note="all 10,000 test images at 32x32",
        num_examples=10_000,
        splits=("test",),
        settings=_SMALL | settings,
    )


_MNIST = (_accuracy("MNIST", {1: 99.3, 25: 99.6}),)
_CIFAR10 = (_accuracy("CIFAR-10", {1: 88.2, 25: 90.6}),)
_SPIRALS = (
    Published(
        data="Two spirals",
        task="classification",
        metric="accuracy",
        values={1: 100.0, 2: 92.0, 5: 87.0, 10: 83.6, 20: 82.6, 50: 82.0},
        decimals=1,
        unit=PERCENT,
        note="a toy of 10,000 drawn points; its spirals and its network are not those of "
        "configs/spirals.py, so that only the fall by steps compares",
        num_examples=10_000,
        splits=("test",),
        settings={},
    ),
)


def _medmnist(
    data: str, num_examples: int, pixels: tuple[str, str], latents: tuple[str, str]
) -> dict[str, tuple[Published, ...]]:
    """The series of one set of MedMNIST (MedSymmFlow, table 1), by name of its archives.

    Args:
        data: name of the set.
        num_examples: examples of its test split.
        pixels: AUC and accuracy of the model in pixels, in percent with their spread.
        latents: the same of the model in latents.
    """
    latent: dict[str, object] = {"image_size": (256, 256), "mask_decoder": "images"}
    pixel: dict[str, object] = {}
    models = (("", "in pixels", pixel, pixels), ("_224", "in latents", latent, latents))
    return {
        f"npz/{data.lower()}{ending}": tuple(
            Published(
                data=data,
                task="classification",
                metric=metric,
                values={25: float(figure.split()[0])},
                decimals=1,
                unit=PERCENT,
                note=f"MedSymmFlow {model}, {figure} over repeated runs; AUC is of the distances",
                num_examples=num_examples,
                splits=("test",),
                settings=_SMALL | settings,
            )
            for metric, figure in zip(("auc_of_distances", "accuracy"), figures, strict=True)
        )
        for ending, model, settings, figures in models
    }


_MEDMNIST = {
    **_medmnist("PneumoniaMNIST", 624, ("95.2 ± 0.4", "88.0 ± 0.6"), ("94.4 ± 1.7", "89.4 ± 1.1")),
    **_medmnist("BloodMNIST", 3_421, ("99.4 ± 0.1", "97.9 ± 0.2"), ("99.8 ± 0.0", "99.0 ± 0.1")),
    **_medmnist("DermaMNIST", 2_005, ("89.6 ± 0.5", "78.8 ± 0.8"), ("92.5 ± 0.4", "81.0 ± 0.6")),
    **_medmnist("RetinaMNIST", 400, ("73.1 ± 0.4", "51.4 ± 2.1"), ("78.8 ± 0.4", "54.0 ± 0.9")),
}


def _flow_matching(
    data: str,
    bits: tuple[float, int, str],
    fid: tuple[float, int],
    diffusion: str,
    evaluated: tuple[int, str],
) -> tuple[Published, ...]:
    """The series of flow matching of images alone, with the straight path (2210.02747, table 1).

    Args:
        data: the paper's name of the data set.
        bits: bits per dimension, the dequantised copies, and the figures of fewer copies.
        fid: FID, and the passes of a sample.
        diffusion: the figures of the diffusion path.
        evaluated: number of examples and name of the evaluation split.
    """
    num_examples, split = evaluated
    common: Any = {
        "data": f"{data}, images alone",
        "splits": (split,),
        "solver": "dopri5",
        "decimals": 2,
        "of_any_model": False,
    }
    settings = {"image_size": (32, 32), "clock": "noise", "tolerance": 1e-5}
    return (
        Published(
            task="likelihood",
            metric="bits_per_dim_unconditional",
            values={None: bits[0]},
            note=f"flow matching with the straight path, {bits[1]} dequantised copies ({bits[2]}); "
            f"with the diffusion path {diffusion}",
            num_examples=num_examples,
            settings=settings | {"ensemble_size": bits[1], "dequantized": True},
            **common,
        ),
        Published(
            task="generation",
            metric="fid",
            values={None: fid[0]},
            note=f"in {fid[1]} network passes a sample; with the diffusion path {diffusion}; which "
            "real images, the paper does not say",
            num_examples=50_000,
            settings=settings | {"features": "inception", "conditions": "noise alone"},
            **common,
        ),
    )


_CIFAR10_FLOW = _flow_matching(
    "CIFAR-10",
    (2.99, 50, "3.11 with one, 3.01 with 20"),
    (6.35, 142),
    "3.10 bits and FID 8.06 in 183 passes",
    (10_000, "test"),
)
_IMAGENET32_FLOW = _flow_matching(
    "ImageNet-32",
    (3.53, 15, "3.62 with one, 3.56 with 5"),
    (5.02, 122),
    "3.54 bits and FID 6.37 in 193 passes",
    (50_000, "validation"),
)
_IMAGENET64_FLOW = tuple(
    dataclasses.replace(series, settings={**series.settings, "image_size": (64, 64)})
    for series in _flow_matching(
        "ImageNet-64",
        (3.31, 10, "3.35 with one, 3.33 with 5"),
        (14.45, 138),
        "3.33 bits and FID 16.88 in 187 passes",
        (50_000, "validation"),
    )
)

# IDX files are assumed to be MNIST; the paper has no figures for other data sets in IDX files.
_PUBLISHED: dict[str, tuple[Published, ...]] = {
    "celebamask_hq": _CELEBA,
    "coco_stuff": _COCO,
    "idx": _MNIST,
    "tfds/mnist": _MNIST,
    "cifar10": _CIFAR10 + _CIFAR10_FLOW,
    "tfds/cifar10": _CIFAR10 + _CIFAR10_FLOW,
    "tfds/imagenet_resized/32x32": _IMAGENET32_FLOW,
    "tfds/imagenet_resized/64x64": _IMAGENET64_FLOW,
    "spirals": _SPIRALS,
    **_MEDMNIST,
}


def of(dataset: str) -> list[Published]:
    """The published series of a data set, named as in `Protocol.dataset`; may be empty."""
    return list(_PUBLISHED.get(dataset, ()))
