"""The parts of the training data: which there are, and which are refused."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.flow.state import JointState

_TWO_CLOCKS = {"train.clock": "independent"}
_LEARN = {"data.unlabelled": "learn", **_TWO_CLOCKS}


def _write(folder, names, level=1):
    folder.mkdir(parents=True)
    for name in names:
        Image.fromarray(np.full((8, 8), level, np.uint8)).save(folder / f"{name}.png")


@pytest.fixture
def folders(tmp_path):
    """A data set with two pairs, two images and a mask alone; extra pairs, and more images."""
    _write(tmp_path / "train/images", "abcd")
    _write(tmp_path / "train/masks", "abe")
    _write(tmp_path / "val/images", "x")
    _write(tmp_path / "val/masks", "x")
    _write(tmp_path / "more", "uvwyz")
    _write(tmp_path / "extra/train/images", "p")
    _write(tmp_path / "extra/train/masks", "p")
    return tmp_path


@pytest.fixture
def own_data(tiny_experiment, folders):
    def make(**overrides):
        return tiny_experiment(
            **{
                "data.source": "paired_folder",
                "data.dir": str(folders),
                "data.class_names": ("sky", "road"),
                "semantics.encoding": "onehot",
            }
            | overrides
        )

    return make


def test_files_without_a_partner_and_more_images_are_one_part(own_data, folders):
    shares = {"train.unlabelled_share": 0.25, "data.unlabelled_images": str(folders / "more")}
    experiment = own_data(**_LEARN | shares)
    (part,) = experiment.mixture.parts
    assert len(part.source) == 8 and part.share == 0.25
    assert tuple(part.complete) == pytest.approx((7 / 8, 1 / 8))
    assert tuple(experiment.mixture.shares) == pytest.approx((1 - 0.25 / 8, 1 - 0.25 * 7 / 8))
    # An epoch is still a pass over the two pairs.
    assert experiment.schedule.num_examples == round(2 / 0.75)
    batch = next(experiment.training_batches())
    assert np.sum(~(batch.has_labels & batch.has_image)) == 2
    assert (batch.labels[~batch.has_labels] == -1).all()
    assert len(experiment.evaluation_source) == 1


def test_without_a_word_files_without_a_partner_are_refused(own_data):
    with pytest.raises(DataError, match="have no mask of the same name"):
        own_data().training_source  # noqa: B018


def test_extra_pairs_are_mixed_in(own_data, folders):
    for name in "cd":
        (folders / f"train/images/{name}.png").unlink()
    (folders / "train/masks/e.png").unlink()
    values = {"data.extra_dir": str(folders / "extra"), "data.extra_share": 0.5}
    experiment = own_data(**values)
    (part,) = experiment.mixture.parts
    assert part.share == 0.5 and len(part.source) == 1 and part.is_complete
    assert experiment.mixture.shares == JointState(1.0, 1.0)
    batch = next(experiment.training_batches())
    assert batch.has_labels is None and batch.has_image is None
    # What is told of the training data covers the extra pairs.
    before = experiment.training_provenance()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folders / "extra/train/masks/p.png")
    after = own_data(**values).training_provenance()
    assert before["num_examples"] == 3 and before["digest"] != after["digest"]


def test_labels_of_minus_one_are_images_alone(tiny_experiment, tmp_path):
    images = np.arange(6, dtype=np.uint8)[:, None, None] * np.ones((1, 8, 8), np.uint8)
    labels = np.array([0, -1, 1, -1, -1, 1])
    np.savez(tmp_path / "a.npz", train_images=images, train_labels=labels)
    values = {
        "data.source": "npz",
        "data.dir": str(tmp_path / "a.npz"),
        "data.eval_split": "train",
        "data.image_channels": 1,
        "semantics.encoding": "plane",
    }
    experiment = tiny_experiment(**values | _LEARN)
    assert len(experiment.training_source) == 3
    assert experiment.training_source.classes_found == (0, 1)
    (part,) = experiment.mixture.parts
    found = [int(part.source[i]["image"][0, 0, 0]) for i in range(len(part.source))]
    assert found == [1, 3, 4] and part.complete == JointState(1.0, 0.0)
    batch = next(experiment.training_batches())
    np.testing.assert_array_equal(batch.labels == -1, ~batch.has_labels)
    with pytest.raises(DataError, match="class numbers"):
        tiny_experiment(**values).training_source  # noqa: B018


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"data.unlabelled": "learn"}, "needs a network with a clock for each component"),
        (_LEARN | {"data.source": "shapes"}, "all examples of .*'shapes' are complete"),
        ({"data.unlabelled_images": "more"}, "set it to 'learn', or clear the folder"),
        (_LEARN | {"train.unlabelled_share": 1.0}, "unlabelled_share"),
        (
            _LEARN | {"train.unlabelled_share": 0.6, "data.extra_dir": "x"},
            "leave nothing for the data itself",
        ),
        (_LEARN | {"data.latents": "x"}, "holds encoded examples of the split alone"),
        ({"data.unlabelled": "use"}, "choose one of refuse, learn"),
    ],
)
def test_parts_that_do_not_fit_are_refused(own_data, values, message):
    with pytest.raises(ValueError, match=message):
        own_data(**values)


def test_nothing_to_learn_from_is_told(own_data, folders):
    for name in "cd":
        (folders / f"train/images/{name}.png").unlink()
    (folders / "train/masks/e.png").unlink()
    with pytest.raises(DataError, match="every training image has its mask or label"):
        own_data(**_LEARN).mixture  # noqa: B018


def test_labels_have_no_hidden_parts(tiny_experiment):
    with pytest.raises(ValueError, match="but this config learns labels"):
        tiny_experiment(
            **{"semantics.encoding": "plane", "data.hidden_share": 0.5},
        )
