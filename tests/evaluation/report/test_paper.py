"""The paper's figures."""

import pytest

from symmflow_jax.evaluation.report import paper


def _series(dataset: str, task: str, metric: str) -> paper.Published:
    (found,) = (p for p in paper.of(dataset) if (p.task, p.metric) == (task, metric))
    return found


@pytest.mark.parametrize(
    ("dataset", "task", "metric", "num_steps", "value"),
    [
        ("celebamask_hq", "segmentation", "miou", 2, 0.703),
        ("celebamask_hq", "generation", "fid", 25, 11.9),
        ("coco_stuff", "segmentation", "miou", 25, 0.396),
        ("coco_stuff", "generation", "fid", 25, 7.0),
        ("idx", "classification", "accuracy", 25, 0.996),
        ("cifar10", "classification", "accuracy", 1, 0.882),
        ("spirals", "classification", "accuracy", 50, 0.82),
        ("npz/pneumoniamnist", "classification", "auc_of_distances", 25, 0.952),
        ("npz/bloodmnist_224", "classification", "accuracy", 25, 0.99),
        ("npz/dermamnist_224", "classification", "auc_of_distances", 25, 0.925),
        ("npz/retinamnist", "classification", "accuracy", 25, 0.514),
    ],
)
def test_figures_are_in_the_units_of_measurements(dataset, task, metric, num_steps, value):
    assert _series(dataset, task, metric).values[num_steps] == pytest.approx(value)


def test_a_set_of_several_names_has_one_series():
    assert paper.of("idx") == paper.of("tfds/mnist")
    assert paper.of("shapes") == [] == paper.of("tfds/fashion_mnist") == paper.of("npz/pathmnist")


def test_shares_are_no_percentages():
    for dataset in ("celebamask_hq", "coco_stuff", "idx", "cifar10", "spirals"):
        for published in paper.of(dataset):
            if published.metric in ("miou", "accuracy", "lpips"):
                assert all(0.0 < value <= 1.0 for value in published.values.values())


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
