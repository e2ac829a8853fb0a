"""The paper's figures."""

import dataclasses

import pytest

from symmflow_jax.evaluation.report import paper

_DATASETS = ("celebamask_hq", "coco_stuff", "idx", "cifar10", "spirals")


def _series(dataset: str, task: str, metric: str) -> paper.Published:
    (found,) = (p for p in paper.of(dataset) if (p.task, p.metric) == (task, metric))
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
        for published in paper.of(dataset)
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
    assert paper.of("idx") == paper.of("tfds/mnist")
    assert paper.of("shapes") == [] == paper.of("tfds/fashion_mnist") == paper.of("npz/pathmnist")


@pytest.mark.parametrize(("side", "bits", "fid"), [(32, 3.53, 5.02), (64, 3.31, 14.45)])
def test_figures_of_flow_matching_itself_are_there(side, bits, fid):
    series = paper.of(f"tfds/imagenet_resized/{side}x{side}")
    assert [dict(published.values) for published in series] == [{None: bits}, {None: fid}]
    assert all(published.settings["image_size"] == (side, side) for published in series)


def test_flow_matching_of_images_alone_stands_beside_its_own_scores_only(measurement):
    published = _series("cifar10", "likelihood", "bits_per_dim_unconditional")
    other = measurement({"dataset": "cifar10", "task": "classification"}, metric="accuracy")
    assert not paper.concerns(published, [other])
    assert paper.concerns(_series("cifar10", "classification", "accuracy"), [other])
    protocol = {
        "task": "likelihood",
        "dataset": "cifar10",
        "split": "test",
        "conventions": "published",
        "image_size": (32, 32),
        "solver": "dopri5",
        "num_steps": None,
        "tolerance": 1e-5,
        "clock": "noise",
        "dequantized": True,
        "ensemble_size": 50,
    }
    ours = measurement(protocol, metric=published.metric, num_examples=10_000)
    assert paper.concerns(published, [ours])
    assert paper.ours(published, None, [ours]) == [ours]
    assert paper.differences(published, ours) == []
    once = dataclasses.replace(ours.protocol, ensemble_size=1, tolerance=1e-3)
    told = paper.differences(published, dataclasses.replace(ours, protocol=once))
    assert told == ["1 draws instead of 50", "tolerance 0.001 instead of 1e-05"]
    by_rk4 = dataclasses.replace(ours.protocol, solver="rk4", num_steps=10, tolerance=None)
    other = dataclasses.replace(ours, protocol=by_rk4)
    assert paper.not_measured(published, [other]) == "measured by rk4 10"


def test_scores_are_printed_in_the_papers_unit():
    assert _series("idx", "classification", "accuracy").printed(0.9931) == "99.3"
    assert _series("coco_stuff", "segmentation", "miou").printed(0.39612, 1) == "39.61"
    assert _series("coco_stuff", "generation", "fid").printed(7.04) == "7.0"
    assert _series("coco_stuff", "generation", "lpips").printed(0.6091) == "0.609"


def test_what_cannot_be_reproduced_is_told():
    note = _series("coco_stuff", "segmentation", "miou").note
    assert "merges ids 171 to 181 into 135 to 145" in note and "not exactly reproducible" in note


def test_ours_is_the_same_score_of_as_many_euler_steps(measurement):
    published = _series("coco_stuff", "segmentation", "miou")
    ours = measurement()
    original = measurement({"scored_size": "original"}, value=0.4)
    others = [
        measurement({"solver": "heun"}),
        measurement({"num_steps": 2}),
        measurement({"task": "generation"}),
        measurement(metric="pixel_accuracy"),
        measurement(class_name="sky"),
    ]
    assert paper.ours(published, 1, [*others, ours, original]) == [ours, original]
    assert paper.ours(published, 5, [*others, ours]) == []


@pytest.fixture
def as_published(measurement):
    """A measurement of COCO-Stuff whose protocol is the paper's."""
    protocol = {
        "dataset": "coco_stuff",
        "split": "val",
        "conventions": "published",
        "image_size": (512, 512),
        "crop": "random",
        "resampling": "bicubic",
        "mask_decoder": "images",
        "clock": "tied",
    }
    return measurement(protocol, num_examples=5_000)


def test_nothing_differs_by_the_papers_protocol(as_published):
    assert paper.differences(_series("coco_stuff", "segmentation", "miou"), as_published) == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("conventions", "ours", "protocol 'ours'"),
        ("split", "train", "split 'train'"),
        ("image_size", (64, 96), "64x96 instead of 512x512 pixels"),
        ("crop", "centre", "centre instead of random crop"),
        ("resampling", "bilinear", "resized by bilinear instead of bicubic filter"),
        ("dequantized", True, "noise of half a level in real images: yes instead of no"),
        ("mask_decoder", None, "decoder of masks: none instead of images"),
        ("scored_size", "original", "at the original instead of the model size"),
        ("ensemble_size", 3, "3 draws instead of 1"),
        ("clock", "clean", "clock clean instead of tied"),
        ("guidance", "weight 2", "guidance: weight 2 instead of none"),
    ],
)
def test_each_difference_is_told(as_published, field, value, words):
    published = _series("coco_stuff", "segmentation", "miou")
    protocol = dataclasses.replace(as_published.protocol, **{field: value})
    other = dataclasses.replace(as_published, protocol=protocol)
    assert paper.differences(published, other) == [words]


def test_fewer_examples_and_other_conditions_are_told(as_published):
    fewer = dataclasses.replace(as_published, num_examples=500)
    published = _series("coco_stuff", "segmentation", "miou")
    assert paper.differences(published, fewer) == ["500 of 5,000 examples"]
    protocol = dataclasses.replace(
        as_published.protocol, features="inception", conditions="500 masks, each 10 times"
    )
    samples = dataclasses.replace(as_published, protocol=protocol)
    assert paper.differences(_series("coco_stuff", "generation", "fid"), samples) == [
        "5,000 of 50,000 samples",
        "generated from 500 masks, each 10 times instead of 5000 masks, each 10 times",
    ]


def test_no_convention_concerns_points(measurement):
    points = {"dataset": "spirals", "image_size": (), "crop": None, "scored_size": None}
    ours = measurement(points | {"clock": "tied"}, num_examples=10_000)
    assert paper.differences(_series("spirals", "classification", "accuracy"), ours) == []


def test_what_was_not_measured_is_told_with_what_was(measurement):
    table = [measurement({"num_steps": steps}) for steps in (5, 1)]
    assert (
        paper.not_measured(_series("coco_stuff", "segmentation", "miou"), table)
        == "measured in 1, 5 steps"
    )
    fid = paper.not_measured(_series("coco_stuff", "generation", "fid"), table)
    assert fid.startswith("not measured; set config.eval.features")
    assert paper.not_measured(_series("idx", "classification", "accuracy"), []) == "not measured"
