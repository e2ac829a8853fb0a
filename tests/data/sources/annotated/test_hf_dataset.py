"""Data sets that Hugging Face `datasets` has saved; tests of own_openers compare the pixels."""

import pathlib
import pickle

import datasets
import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.annotated.hf_dataset import HfDataset, read_names
from symmflow_jax.semantics import labels

FOLDER = pathlib.Path(__file__).parents[3] / "fixtures" / "own_data" / "hf" / "set"
SCHEMA = labels.filed_under((1, 2, 3), ("sky", "road", "tree"))


def _open(split="train", columns=("", ""), folder=FOLDER, schema=SCHEMA):
    return HfDataset(folder, split, columns, schema)


def test_examples_survive_a_reading_process():
    source = pickle.loads(pickle.dumps(_open().only((2, 0))))
    whole = _open()
    assert len(source) == 2 and source.names == ("2", "0")
    np.testing.assert_array_equal(source[0]["mask"], whole[2]["mask"])
    stored = source.stored(0)
    assert stored.image[:4] == b"\x89PNG" and np.array_equal(stored.mask, whole[2]["mask"])


def test_columns_are_found_or_named(tmp_path):
    pictures = [Image.new("L", (4, 3), 1)]
    features = datasets.Features({name: datasets.Image() for name in ("a", "b", "label")})
    data = datasets.Dataset.from_dict(
        {"a": pictures, "b": pictures, "label": pictures}, features=features
    )
    data.save_to_disk(str(tmp_path / "set"))
    with pytest.raises(DataError, match=r"columns a, b, label, of which a, b, label hold pictures"):
        _open(folder=tmp_path / "set")
    assert len(_open(folder=tmp_path / "set", columns=("b", ""))) == 1
    with pytest.raises(DataError, match="image_column is 'c', which is no column .*a, b, label"):
        _open(folder=tmp_path / "set", columns=("c", ""))


def test_what_is_no_split_is_told(tmp_path):
    with pytest.raises(DataError, match="has no split 'test'; it has train, validation"):
        _open("test")
    with pytest.raises(DataError, match=r"is no data set of Hugging Face .*save_to_disk\(FOLDER"):
        _open(folder=tmp_path)


def test_ids_without_a_class_are_told():
    zero_based = labels.consecutive(("sky", "road", "tree"))
    source = _open(schema=zero_based)
    with pytest.raises(DataError, match=r"example 0 \(annotation\): ids 3 are outside the class"):
        source[0]


def test_names_stand_in_two_files(tmp_path):
    assert read_names(FOLDER) == {1: "sky", 2: "road", 3: "tree"}
    assert read_names(tmp_path) == {}
    (tmp_path / "config.json").write_text('{"id2label": {"0": "a"}, "label2id": {"a": 0}}')
    assert read_names(tmp_path) == {0: "a"}
    (tmp_path / "id2label.json").write_text('["a"]')
    with pytest.raises(DataError, match="id2label.json holds no names by id"):
        read_names(tmp_path)
