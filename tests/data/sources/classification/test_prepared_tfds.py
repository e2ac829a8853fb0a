"""A tiny set, prepared offline by TFDS itself, read back."""

import io
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.classification.prepared_tfds import PreparedTfds

tfds = pytest.importorskip("tensorflow_datasets")

# Sets are prepared and read as where TensorFlow is not installed.
pytestmark = pytest.mark.usefixtures("no_tensorflow")


def png(array):
    """A file object, as encoding arrays would need TensorFlow."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, "png")
    file.seek(0)
    return file


class _Tiny(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")
    SKIP_REGISTERING = True
    url_infos = {}  # Nothing to download; spares TFDS the search for checksum files.
    FEATURES = {
        "image": tfds.features.Image(shape=(5, 4, 3)),
        "label": tfds.features.ClassLabel(names=["cat", "dog", "eel"]),
    }

    def _info(self):
        features = tfds.features.FeaturesDict(self.FEATURES)
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": self._examples(6, 0), "test": self._examples(3, 100)}

    def _examples(self, count, start):
        for index in range(count):
            yield index, self.example(start + index)

    def example(self, value):
        return {"image": png(np.full((5, 4, 3), value, np.uint8)), "label": value % 3}

    def _generate_examples(self):
        raise NotImplementedError


class TinyPets(_Tiny):
    """Labelled pictures."""


class TinyBlank(_Tiny):
    """Pictures whose labels are not published."""

    def example(self, value):
        return super().example(value) | {"label": -1}


class TinyTexts(_Tiny):
    """No pictures."""

    FEATURES = {"text": tfds.features.Text(), "label": tfds.features.ClassLabel(num_classes=3)}

    def example(self, value):
        return {"text": str(value), "label": value % 3}


class TinyBoxes(_Tiny):
    """No labels."""

    FEATURES = {"image": tfds.features.Image(shape=(5, 4, 3))}

    def example(self, value):
        return {"image": png(np.full((5, 4, 3), value, np.uint8))}


class TinyDeep(_Tiny):
    """Pictures of 16 bits."""

    FEATURES = {
        "image": tfds.features.Image(shape=(5, 4, 1), dtype=np.uint16),
        "label": tfds.features.ClassLabel(num_classes=3),
    }

    def example(self, value):
        return {"image": png(np.full((5, 4), value, np.uint16)), "label": value % 3}


def prepare(builder_class, folder):
    builder_class(data_dir=folder).download_and_prepare(file_format="array_record")
    return str(folder)


def test_prepared_set_is_read(tmp_path):
    folder = prepare(TinyPets, tmp_path)
    source = PreparedTfds("tiny_pets", folder, "train")
    assert len(source) == 6
    assert source.schemas["label"].names == ("cat", "dog", "eel")
    elements = [source[index] for index in range(6)]
    assert elements[0]["image"].shape == (5, 4, 3) and elements[0]["image"].dtype == np.uint8
    assert elements[0]["label"].shape == () and elements[0]["label"].dtype == np.int32
    assert sorted(int(e["image"].max()) for e in elements) == list(range(6))
    assert all(e["label"] == e["image"].max() % 3 for e in elements)
    assert len(PreparedTfds("tiny_pets:1.0.0", folder, "test[:2]")) == 2
    (source.files[0].parent / ".DS_Store").touch()
    assert PreparedTfds("tiny_pets", folder, "train").files == source.files


def test_source_can_be_pickled(tmp_path):
    source = PreparedTfds("tiny_pets", prepare(TinyPets, tmp_path), "test")
    again = pickle.loads(pickle.dumps(source))
    assert len(again) == 3 and again.schemas == source.schemas
    for index in range(3):
        np.testing.assert_array_equal(again[index]["image"], source[index]["image"])


def test_index_is_checked(tmp_path):
    source = PreparedTfds("tiny_pets", prepare(TinyPets, tmp_path), "test")
    with pytest.raises(IndexError, match="outside 0 to 2"):
        source[3]


def test_unpublished_labels_are_no_classes(tmp_path):
    source = PreparedTfds("tiny_blank", prepare(TinyBlank, tmp_path), "test")
    with pytest.raises(DataError, match=r"example 0 has the label -1, .*Choose a split with"):
        source[0]


@pytest.mark.parametrize("name", ["mnist", "no_such_set"])
def test_unprepared_set_says_how_to_prepare_it(tmp_path, name):
    with pytest.raises(DataError) as error:
        PreparedTfds(name, str(tmp_path), "train")
    for part in (f"No prepared TFDS set '{name}'", str(tmp_path), "file_format='array_record'"):
        assert part in str(error.value)


def test_format_without_random_access_says_how_to_prepare_it(tmp_path):
    folder = prepare(TinyPets, tmp_path)
    info = tmp_path / "tiny_pets" / "1.0.0" / "dataset_info.json"
    info.write_text(info.read_text().replace("array_record", "tfrecord"))
    with pytest.raises(DataError, match=r"no random access. Prepare it again .*array_record"):
        PreparedTfds("tiny_pets", folder, "train")


def test_unknown_split_lists_the_splits(tmp_path):
    with pytest.raises(DataError, match=r"Unknown split 'val'.*\['train', 'test'\]"):
        PreparedTfds("tiny_pets", prepare(TinyPets, tmp_path), "val")


@pytest.mark.parametrize(
    ("builder_class", "name", "message"),
    [
        (TinyTexts, "tiny_texts", "no image 'image' among label, text"),
        (TinyBoxes, "tiny_boxes", "no class label 'label' among image"),
        (TinyDeep, "tiny_deep", r"images uint16 of shape \(5, 4, 1\)"),
    ],
)
def test_other_sets_are_refused(tmp_path, builder_class, name, message):
    with pytest.raises(DataError, match=message):
        PreparedTfds(name, prepare(builder_class, tmp_path), "train")


def test_missing_and_truncated_shards_are_reported(tmp_path):
    folder = prepare(TinyPets, tmp_path)
    (shard,) = (tmp_path / "tiny_pets" / "1.0.0").glob("*train.array_record*")
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    with pytest.raises(DataError, match="'tiny_pets'"):
        PreparedTfds("tiny_pets", folder, "train")[0]
    shard.unlink()
    with pytest.raises(DataError, match="'tiny_pets'"):
        PreparedTfds("tiny_pets", folder, "train")[0]


@pytest.mark.parametrize("name", ["dataset_info.json", "features.json"])
def test_damaged_descriptions_are_reported(tmp_path, name):
    folder = prepare(TinyPets, tmp_path)
    (path,) = tmp_path.rglob(name)
    content = path.read_text()
    for text in ("", content[:100], "null", content.replace('"', "'")):
        path.write_text(text)
        with pytest.raises(DataError, match="tiny_pets") as error:
            PreparedTfds("tiny_pets", folder, "train")
        assert len(str(error.value).splitlines()) == 1
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DataError, match=f"{name} is no plain file"):
        PreparedTfds("tiny_pets", folder, "train")


def test_a_label_that_stands_twice_is_told_with_the_set(tmp_path):
    folder = prepare(TinyPets, tmp_path)
    (path,) = tmp_path.rglob("label.labels.txt")
    first, *others = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([first, first, *others[1:]]) + "\n")
    with pytest.raises(DataError, match=f"labels of .*tiny_pets.*: Two classes have .*{first}"):
        PreparedTfds("tiny_pets", folder, "train")


def test_without_the_package_the_remedy_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets.core", None)
    with pytest.raises(DataError, match="'mnist' .*: pip install tensorflow-datasets") as error:
        PreparedTfds("mnist", "", "train")
    assert "\n" not in str(error.value)


def test_importing_the_module_leaves_tfds_alone():
    code = (
        "import sys, symmflow_jax.data.sources.classification.prepared_tfds; "
        "assert 'tensorflow_datasets' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
