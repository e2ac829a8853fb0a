"""Measurements as Markdown tables."""

import dataclasses
import math

import numpy as np

from symmflow_jax.evaluation.measurement import Scores, over_seeds
from symmflow_jax.evaluation.report import tables


def _text(table) -> str:
    return "\n\n".join(tables.sections(table))


def test_the_protocol_says_what_read_the_masks(measurement):
    for decoder, words in (("own", "a decoder of their own"), ("images", "the decoder of images")):
        assert f"masks read by {words}" in _text([measurement({"mask_decoder": decoder})])
    assert "masks read by" not in _text([measurement()])
    labels = {"task": "classification", "scored_size": None, "mask_decoder": "images"}
    assert "pictures of labels read by the decoder of images" in _text([measurement(labels)])


def test_a_row_for_each_solver_and_number_of_steps(table):
    lines = _text(table).splitlines()
    start = lines.index("## Segmentation")
    assert lines[start + 2 : start + 7] == [
        "| solver | steps | draws | NFE | miou | pixel_accuracy |",
        "| --- | --- | --- | --- | --- | --- |",
        "| euler | 1 | 1 | 1.0 | 0.5000 | 0.7500 |",
        "| rk4 | 2 | 1 | 8.0 | 0.6250 | 0.8000 |",
        "| dopri5, tolerance 0.001 |  | 1 | 23.5 | 0.6500 | 1.0000 |",
    ]
    assert lines[start + 8] == (
        "500 examples of shapes (test); centre crop at 32x48; masks compared at the model size; "
        "ema weights of step 30; seed 7."
    )
    assert "## Objective" in lines
    assert "Beside the paper" not in "".join(lines)


def test_sizes_stand_side_by_side_with_their_difference(measurement):
    text = _text([measurement(), measurement({"scored_size": "original"}, value=0.47)])
    assert "| miou | miou, original size | miou, difference |\n" in text
    assert "| 0.5000 | 0.4700 | -0.0300 |\n" in text
    assert "\nmiou, original size: 500 examples" in text


def test_spreads_stand_behind_their_means(measurement):
    protocol = measurement().protocol
    repeats = [
        Scores(
            values={"miou": value},
            num_examples=9,
            nfe=1.0,
            protocol=dataclasses.replace(protocol, seeds=(seed,)),
        )
        for seed, value in ((7, 0.5), (8, 0.6))
    ]
    text = _text(over_seeds(repeats))
    assert "| 0.5500 ± 0.0707 |" in text
    assert "mean ± standard deviation of seeds 7, 8." in text


def test_the_paper_stands_beside_it(measurement):
    coco = {"dataset": "coco_stuff", "split": "val", "mask_decoder": "images", "clock": "tied"}
    paper = {"conventions": "published", "image_size": (512, 512), "crop": "random"}
    paper |= {"resampling": "bicubic"}
    table = [
        measurement(coco | paper, num_examples=5_000, value=0.29256),
        measurement(coco | paper | {"num_steps": 5}, nfe=5.0, value=0.6, spread=0.01),
    ]
    lines = _text(table).splitlines()
    name = "COCO-Stuff, segmentation: miou, %"
    start = lines.index("## Beside the paper")
    assert lines[start + 2 : start + 8] == [
        "| figure | Euler steps | paper | here | what differs here |",
        "| --- | --- | --- | --- | --- |",
        f"| {name} | 1 | 29.3 | 29.26 |  |",
        f"| {name} | 2 | 33.8 |  | measured in 1, 5 steps |",
        f"| {name} | 5 | 38.1 | 60.00 ± 1.00 | 500 of 5,000 examples |",
        f"| {name} | 20 | 40.1 |  | measured in 1, 5 steps |",
    ]
    text = "\n".join(lines)
    fid = "| COCO-Stuff, generation: fid | 25 | 7.0 |  | not measured; set config.eval.features,"
    assert fid in text
    assert f"{name}, in the paper: macro mean over the 171 classes" in text
    assert "Beside the paper" not in _text([measurement()])


def test_the_paper_stands_beside_scores_of_our_protocol_with_a_word(measurement):
    text = _text([measurement({"dataset": "coco_stuff"}, value=math.nan)])
    assert "| 1 | 29.3 | – | protocol 'ours'; 500 of 5,000 examples; split 'test'; " in text


def test_a_protocol_of_the_published_code_is_told(measurement):
    published = {"conventions": "published", "crop": "random", "dequantized": True}
    text = tables.protocols([measurement(published | {"conditions": "9 masks, each 2 times"})])
    assert text.startswith(
        "500 examples of shapes (test); random crop at 32x48; real images with noise of half an "
        "8-bit level; published protocol; masks compared at the model size; "
        "generated from 9 masks, each 2 times; "
    )
    assert "protocol" not in tables.protocols([measurement()])


def test_a_row_for_each_class(table, measurement):
    classes = [
        measurement(metric="iou", value=0.25, class_name="sky"),
        measurement(metric="iou", value=0.75, class_name="road"),
        measurement({"num_steps": 2}, metric="iou", value=0.5, nfe=2.0, class_name="road"),
    ]
    text = _text(table + classes)
    assert text.count("| euler | 1 |") == 1
    assert "| class | IoU, euler 1 | IoU, euler 2 |\n" in text
    assert "| sky | 0.2500 |  |\n| road | 0.7500 | 0.5000 |" in text


def test_other_scores_of_classes_are_those_of_the_first_row(measurement):
    classes = [
        measurement(changes, metric=metric, value=value, class_name="sky")
        for changes, values in (
            ({}, {"iou": 0.1, "dice": 0.2, "boundary_iou": 0.3}),
            ({"num_steps": 2}, {"iou": 0.4, "dice": 0.5, "boundary_iou": 0.6}),
        )
        for metric, value in values.items()
    ]
    section = tables.sections([measurement(), *classes])[-1]
    assert section.splitlines() == [
        "## By class",
        "",
        "| class | IoU, euler 1 | IoU, euler 2 | dice | boundary iou |",
        "| --- | --- | --- | --- | --- |",
        "| sky | 0.1000 | 0.4000 | 0.2000 | 0.3000 |",
        "",
        "Without a solver: euler 1; `metrics.json` has those of the others.",
    ]


def test_counts_stand_below_the_classes_that_were_recognised():
    text = tables.confusion_section(np.array([[5, 2], [0, 9]]), ("sky", "road"), "euler 1")
    assert text.splitlines()[2:] == [
        "| true / recognised | sky | road |",
        "| --- | --- | --- |",
        "| sky | 5 | 2 |",
        "| road | 0 | 9 |",
        "",
        "Numbers of examples; euler 1.",
    ]


def test_a_cell_has_four_digits_and_perhaps_a_spread(measurement):
    assert tables.cell(None) == ""
    assert tables.cell(measurement(value=1 / 3)) == "0.3333"
    assert tables.cell(measurement(value=1 / 3, spread=0.25)) == "0.3333 ± 0.2500"


def test_one_protocol_is_told_once_and_several_by_their_columns(measurement):
    fid = measurement({"features": "inception", "features_hash": "ab12"}, metric="fid")
    same = measurement(metric="pixel_accuracy")
    assert tables.protocols([measurement(), same]).startswith("500 examples of shapes (test); ")
    first, second = tables.protocols([measurement(), same, fid]).split("\n\n")
    assert first.startswith("miou, pixel_accuracy: 500 examples")
    assert second.startswith("fid: 500") and "features inception (weights ab12)" in second


def test_of_points_no_size_is_told(measurement):
    points = {"image_size": (), "crop": None, "scored_size": None}
    text = tables.protocols([measurement(points)])
    assert text == "500 examples of shapes (test); ema weights of step 30; seed 7."


def test_names_of_classes_keep_their_columns_and_rows(measurement):
    names = ("a|b", "*", "two\nlines", "road", "road ", "Road")
    classes = [
        measurement(metric="iou", value=number / 10, class_name=name)
        for number, name in enumerate(names)
    ]
    section = tables.sections([measurement(), *classes])[-1]
    assert section.splitlines()[4:] == [
        "| a\\|b | 0.0000 |",
        "| \\* | 0.1000 |",
        "| two lines | 0.2000 |",
        "| road | 0.3000 |",
        "| road&nbsp; | 0.4000 |",
        "| Road | 0.5000 |",
    ]


def test_what_is_not_defined_is_told(measurement):
    text = _text([measurement(value=math.nan), measurement({"num_steps": 2}, nfe=2.0)])
    assert "| euler | 1 | 1 | 1.0 | – |" in text
    assert "– is not defined: no pixel or label of these examples counts, because all" in text
    assert "not defined" not in _text([measurement()])
