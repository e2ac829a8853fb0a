"""The papers' figures."""

import pytest

from symmflow_jax.evaluation.report.paper import figures
from symmflow_jax.evaluation.report.paper.comparison import Published

_DATASETS = ("celebamask_hq", "coco_stuff", "idx", "cifar10", "spirals")


def _series(dataset: str, task: str, metric: str) -> Published:
    (found,) = (p for p in figures.of(dataset) if (p.task, p.metric) == (task, metric))
    return found


# All figures of the paper's tables.
_FIGURES = {
    ("celebamask_hq", "segmentation", "miou"): {1: 65.3, 2: 70.3, 5: 70.3, 20: 69.4, 25: 69.3},
    ("celebamask_hq", "generation", "fid"): {1: 88.5, 5: 49.5, 10: 28.2, 25: 11.9},
    ("celebamask_hq", "generation", "lpips"): {25: 0.464},
    ("coco_stuff", "segmentation", "miou"): {1: 29.3, 2: 33.8, 5: 38.1, 20: 40.1, 25: 39.6},
    ("coco_stuff", "generation", "fid"): {1: 102.6, 5: 44.3, 10: 18.2, 25: 7.0},
    ("coco_stuff", "generation", "lpips"): {25: 0.609},
    ("idx", "classification", "accuracy"): {1: 99.3, 25: 99.6},
    ("cifar10", "classification", "accuracy"): {1: 88.2, 25: 90.6},
    ("cifar10", "likelihood", "bits_per_dim_unconditional"): {None: 2.99},
    ("cifar10", "generation", "fid"): {None: 6.35},
    ("spirals", "classification", "accuracy"): {
        1: 100.0, 2: 92.0, 5: 87.0, 10: 83.6, 20: 82.6, 50: 82.0,
    },
}  # fmt: skip


def test_every_figure_of_the_paper_is_there():
    found = {
        (dataset, published.task, published.metric): dict(published.values)
        for dataset in _DATASETS
        for published in figures.of(dataset)
    }
    assert found == _FIGURES


# AUC and accuracy of MedSymmFlow in pixels and in latents.
_MEDMNIST = {
    "pneumoniamnist": (95.2, 88.0, 94.4, 89.4),
    "bloodmnist": (99.4, 97.9, 99.8, 99.0),
    "dermamnist": (89.6, 78.8, 92.5, 81.0),
    "retinamnist": (73.1, 51.4, 78.8, 54.0),
}


@pytest.mark.parametrize("name", _MEDMNIST)
def test_every_figure_of_medsymmflow_is_there(name):
    series = [
        _series(f"npz/{name}{ending}", "classification", metric)
        for ending in ("", "_224")
        for metric in ("auc_of_distances", "accuracy")
    ]
    assert tuple(published.values[25] for published in series) == _MEDMNIST[name]
    sides = [published.settings["image_size"] for published in series]
    assert sides == [(32, 32)] * 2 + [(256, 256)] * 2


def test_a_set_of_several_names_has_one_series():
    assert figures.of("idx") == figures.of("tfds/mnist")
    assert (
        figures.of("shapes")
        == []
        == figures.of("tfds/fashion_mnist")
        == figures.of("npz/pathmnist")
    )


@pytest.mark.parametrize(("side", "bits", "fid"), [(32, 3.53, 5.02), (64, 3.31, 14.45)])
def test_figures_of_flow_matching_itself_are_there(side, bits, fid):
    series = figures.of(f"tfds/imagenet_resized/{side}x{side}")
    assert [dict(published.values) for published in series] == [{None: bits}, {None: fid}]
    assert all(published.settings["image_size"] == (side, side) for published in series)


def test_what_cannot_be_reproduced_is_told():
    note = _series("coco_stuff", "segmentation", "miou").note
    assert "merges ids 171 to 181 into 135 to 145" in note and "not exactly reproducible" in note
