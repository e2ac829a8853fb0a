"""Parts of one folder, in each form."""

import numpy as np
import pytest

from symmflow_jax.data.fingerprint import fingerprint
from tests.config.build.data.own.forms import COCO, FORMS, LABELME, YOLO


@pytest.mark.parametrize(
    ("form", "folder", "keys", "count"),
    [
        ("coco_json", "coco", COCO, 3),
        ("yolo_polygons", "yolo", YOLO, 3),
        ("labelme", "labelme", LABELME, 2),
        ("cvat_masks", "cvat", {"train_split": "default"}, 2),
        ("hf_dataset", "hf/set", {}, 4),
    ],
)
def test_each_form_can_be_shared_out(opened, form, folder, keys, count):
    whole = opened(form, folder, **keys)
    assert len(whole) == count
    parts = [opened(form, folder, train=train, **keys, val_share=0.3) for train in (True, False)]
    assert [len(part) for part in parts] == [count - 1, 1]
    names = [name for part in parts for name in part.names]
    assert sorted(names) == sorted(whole.names)
    assert len({fingerprint(source).digest for source in (whole, *parts)}) == 3
    for part in parts:
        for index, name in enumerate(part.names):
            element = whole[whole.names.index(name)]
            np.testing.assert_array_equal(part[index]["mask"], element["mask"])
    folds = [opened(form, folder, train=False, **keys, folds=2, fold=n) for n in (0, 1)]
    assert sorted(n for fold in folds for n in fold.names) == sorted(whole.names)
    assert fingerprint(folds[0]).digest != fingerprint(folds[1]).digest


@pytest.mark.parametrize("ignored_id", [None, 0, 255])
def test_a_run_learns_the_chosen_labels_and_the_background(tiny_experiment, ignored_id):
    values = LABELME | {"source": "labelme", "dir": str(FORMS / "labelme"), "val_share": 0.5}
    values |= {"ignored_id": ignored_id}
    experiment = tiny_experiment(**{f"data.{key}": value for key, value in values.items()})
    names = ("background", "car", "person", "tree")
    assert experiment.schema.names == names + (("void",) if ignored_id == 255 else ())
    assert len(experiment.training_source) == len(experiment.evaluation_source) == 1
    batch = next(experiment.training_batches(batch_size=1))
    assert batch.labels.shape == (1, 8, 8)
    missing = experiment.changed({"data.dir": "nowhere"})
    assert missing.without_files().schema.names == experiment.schema.names
