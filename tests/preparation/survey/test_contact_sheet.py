"""A contact sheet has the examples to look at: broken ones, each class, and some of the rest."""

import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.values import Config, DataConfig, SemanticsConfig
from symmflow_jax.preparation.survey.contact_sheet import chosen, contact_sheet
from symmflow_jax.preparation.survey.survey import examine


def _sheet(experiment, target="mask"):
    source = experiment.training_source
    return contact_sheet(source, examine(source, target), target, experiment.schema)


def _has(sheet, colour):
    """True if more pixels have a colour than a swatch of the legend."""
    return np.all(sheet == colour, axis=-1).sum() > 1000


def test_masks_are_drawn_in_the_colours_of_their_classes(folder):
    experiment = folder([[[0, 1], [1, 2]]], ("sky", "road", "tree"))
    sheet = _sheet(experiment)
    for colour in experiment.schema.palette:
        assert _has(sheet, colour)
    assert sheet.dtype == np.uint8 and sheet.shape[2] == 3


def test_masks_without_classes_are_drawn_by_their_ids(folder):
    sheet = _sheet(folder([[[0, 255], [255, 128]]], ("sky", "road")))
    # The three colours of three ids, though none of them can be used.
    assert _has(sheet, (255, 255, 255)) and _has(sheet, (0, 0, 0))
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) > 4


def test_rare_classes_and_broken_examples_come_first(folder, tmp_path):
    masks = [np.zeros((4, 4), int) for _ in range(40)]
    masks[23][0, 0] = 1
    masks[31][:2] = 1
    masks[17][1] = 2
    experiment = folder(masks, ("sky", "road", "tree"))
    (tmp_path / "train/images/5.png").write_bytes(b"no picture")
    source = experiment.training_source
    order = [path.name for path, _ in source.pairs]
    picked = [order[number] for number in chosen(examine(source, "mask"))]
    assert picked[0] == "5.png"
    assert {"31.png", "17.png"} <= set(picked)
    assert len(picked) == len(set(picked)) == 16
    assert _sheet(experiment) is not None


def test_labels_have_a_tile_each(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        f"{split}_{name}": values
        for split in ("train", "test")
        for name, values in (
            ("images", rng.integers(0, 255, (7, 8, 8), np.uint8)),
            ("labels", np.arange(7) % 2),
        )
    }
    np.savez(tmp_path / "set.npz", **arrays)
    data = DataConfig(source="npz", dir=str(tmp_path / "set.npz"))
    experiment = Experiment(Config(data=data, semantics=SemanticsConfig(encoding="plane")))
    sheet = _sheet(experiment, "label")
    height, width, _ = sheet.shape
    assert width > 6 * 176 and 2 * 176 < height < 3 * 176


def test_points_have_no_sheet(tiny_experiment):
    points = tiny_experiment(
        **{
            "data.source": "spirals",
            "data.image_size": (),
            "network.name": "mlp",
            "semantics.encoding": "plane",
        }
    )
    assert _sheet(points, "label") is None
