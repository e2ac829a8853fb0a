"""Measurements beside published figures."""

import dataclasses

import pytest

from symmflow_jax.evaluation.report.paper import comparison, figures
from symmflow_jax.evaluation.report.paper.comparison import Published


def _series(dataset: str, task: str, metric: str) -> Published:
    (found,) = (p for p in figures.of(dataset) if (p.task, p.metric) == (task, metric))
    return found


def test_flow_matching_of_images_alone_stands_beside_its_own_scores_only(measurement):
    published = _series("cifar10", "likelihood", "bits_per_dim_unconditional")
    other = measurement({"dataset": "cifar10", "task": "classification"}, metric="accuracy")
    assert not comparison.concerns(published, [other])
    assert comparison.concerns(_series("cifar10", "classification", "accuracy"), [other])
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
    assert comparison.concerns(published, [ours])
    assert comparison.ours(published, None, [ours]) == [ours]
    assert comparison.differences(published, ours) == []
    once = dataclasses.replace(ours.protocol, ensemble_size=1, tolerance=1e-3)
    told = comparison.differences(published, dataclasses.replace(ours, protocol=once))
    assert told == ["1 draws instead of 50", "tolerance 0.001 instead of 1e-05"]
    by_rk4 = dataclasses.replace(ours.protocol, solver="rk4", num_steps=10, tolerance=None)
    other = dataclasses.replace(ours, protocol=by_rk4)
    assert comparison.not_measured(published, [other]) == "measured by rk4 10"


def test_scores_are_printed_in_the_papers_unit():
    assert _series("idx", "classification", "accuracy").printed(0.9931) == "99.3"
    assert _series("coco_stuff", "segmentation", "miou").printed(0.39612, 1) == "39.61"
    assert _series("coco_stuff", "generation", "fid").printed(7.04) == "7.0"
    assert _series("coco_stuff", "generation", "lpips").printed(0.6091) == "0.609"


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
    assert comparison.ours(published, 1, [*others, ours, original]) == [ours, original]
    assert comparison.ours(published, 5, [*others, ours]) == []


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
    assert comparison.differences(_series("coco_stuff", "segmentation", "miou"), as_published) == []


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
    assert comparison.differences(published, other) == [words]


def test_fewer_examples_and_other_conditions_are_told(as_published):
    fewer = dataclasses.replace(as_published, num_examples=500)
    published = _series("coco_stuff", "segmentation", "miou")
    assert comparison.differences(published, fewer) == ["500 of 5,000 examples"]
    protocol = dataclasses.replace(
        as_published.protocol, features="inception", conditions="500 masks, each 10 times"
    )
    samples = dataclasses.replace(as_published, protocol=protocol)
    assert comparison.differences(_series("coco_stuff", "generation", "fid"), samples) == [
        "5,000 of 50,000 samples",
        "generated from 500 masks, each 10 times instead of 5000 masks, each 10 times",
    ]


def test_no_convention_concerns_points(measurement):
    points = {"dataset": "spirals", "image_size": (), "crop": None, "scored_size": None}
    ours = measurement(points | {"clock": "tied"}, num_examples=10_000)
    assert comparison.differences(_series("spirals", "classification", "accuracy"), ours) == []


def test_what_was_not_measured_is_told_with_what_was(measurement):
    table = [measurement({"num_steps": steps}) for steps in (5, 1)]
    assert (
        comparison.not_measured(_series("coco_stuff", "segmentation", "miou"), table)
        == "measured in 1, 5 steps"
    )
    fid = comparison.not_measured(_series("coco_stuff", "generation", "fid"), table)
    assert fid.startswith("not measured; set config.eval.features")
    assert (
        comparison.not_measured(_series("idx", "classification", "accuracy"), []) == "not measured"
    )
