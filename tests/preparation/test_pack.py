"""The command that packs, and runs on what it has packed."""

import json
import logging
import pathlib

import numpy as np
import pytest

from symmflow_jax.data.packed.layout import Place
from symmflow_jax.data.packed.shard_writer import ShardWriter
from symmflow_jax.data.source import DataError
from symmflow_jax.preparation.check_data import check_data
from symmflow_jax.preparation.encode_latents import encode
from symmflow_jax.preparation.pack import pack
from symmflow_jax.runs.identity import describe_training
from symmflow_jax.runs.resumption import Resume, check_resumption
from symmflow_jax.runtime.outputs import OutputError


def _masks(count=5):
    rng = np.random.default_rng(0)
    return [rng.choice([0, 1], size=(6 + number, 9)) for number in range(count)]


def _of_packed(experiment, folder):
    return experiment.changed({"data.source": "packed", "data.dir": str(folder),
                               "data.class_ids": ()})  # fmt: skip


@pytest.fixture
def output(tmp_path):
    return tmp_path / "packed"


def test_runs_on_packed_data_see_the_same_batches(folder, output):
    loose = folder(_masks(), random_flip=True, image_size=(8, 8), eval_split="val")
    pack(loose, output, 2)
    packed = _of_packed(loose, output)
    assert packed.schema == loose.schema and packed.dataset == loose.dataset == "paired_folder"
    batches = (one.training_batches(batch_size=4) for one in (loose, packed))
    for _, expected, found in zip(range(4), *batches, strict=False):
        np.testing.assert_array_equal(found.image.values, expected.image.values)
        np.testing.assert_array_equal(found.labels, expected.labels)
    for index in range(5):
        found = packed.evaluation_source[index]["mask"]
        np.testing.assert_array_equal(found, loose.evaluation_source[index]["mask"])
    index = json.loads((output / "train/index.json").read_text())
    assert index["num_examples"] == 5 and sum(index["counts"]["mask"]) == sum(
        mask.size for mask in _masks()
    )


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"semantics.encoding": "palette"}, "mask"),
        ({"semantics.encoding": "onehot", "semantics.kind": "label"}, "label"),
    ],
)
def test_drawn_examples_are_packed_with_masks_and_labels(tiny_experiment, output, values, kind):
    loose = tiny_experiment(**values, **{"data.train_size": 5, "data.eval_size": 3})
    pack(loose, output, 2)
    packed = loose.changed({"data.source": "packed", "data.dir": str(output)})
    assert packed.kind == kind and packed.schema == loose.schema
    for name in ("training_source", "evaluation_source"):
        found, expected = getattr(packed, name), getattr(loose, name)
        assert len(found) == len(expected)
        for index in range(len(expected)):
            for key, value in expected[index].items():
                np.testing.assert_array_equal(found[index][key], value)


def test_a_label_set_keeps_its_rules(tiny_experiment, tmp_path, output, caplog):
    arrays = {}
    for split, labels in (("train", [0, 3, 1]), ("test", [1, 0])):
        arrays[f"{split}_images"] = np.arange(4 * len(labels), dtype=np.uint8).reshape(-1, 2, 2)
        arrays[f"{split}_labels"] = np.array(labels)
    np.savez(tmp_path / "set.npz", **arrays)
    values = {"data.source": "npz", "data.dir": str(tmp_path), "semantics.encoding": "plane"}
    pack(tiny_experiment(**values), output, 2)
    values |= {"data.source": "packed", "data.dir": str(output)}
    for names in ((), tuple("abcd"), tuple("abcde")):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            packed = tiny_experiment(**values, **{"data.class_names": names})
            assert packed.schema.names == (names or tuple("0123"))
        assert len(packed.evaluation_source) == 2
        assert "train/index.json: the training split has no example of" in caplog.text
    with pytest.raises(DataError, match="has only label and no mask .*semantics.kind to 'label'"):
        tiny_experiment(**values | {"semantics.encoding": "onehot"}).training_source  # noqa: B018
    points = {"data.image_size": (), "data.point_size": 2, "network.name": "mlp"}
    with pytest.raises(DataError, match="means points, but 'packed' has images of shape"):
        tiny_experiment(**values | points).training_source  # noqa: B018


def test_a_second_run_goes_on_after_the_last_complete_shard(folder, output, monkeypatch, caplog):
    loose = folder(_masks(), eval_split="val")
    written, write = [], ShardWriter.write

    def dies_at_the_third(writer, number):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append((writer.plan.split, number))
        return write(writer, number)

    monkeypatch.setattr(ShardWriter, "write", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        pack(loose, output, 2)
    with pytest.raises(DataError, match="not finished: 2 of 3 shards are complete"):
        _of_packed(loose, output).training_source  # noqa: B018
    # A half shard, which a crash of the machine might leave, is written again.
    half = Place(output).split("train").shard(1)
    half.write_bytes(half.read_bytes()[:-1])
    monkeypatch.setattr(ShardWriter, "write", lambda w, n: written.append((w.plan.split, n))
                        or write(w, n))  # fmt: skip
    with caplog.at_level(logging.INFO):
        pack(loose, output, 2)
    assert written[2:4] == [("train", 1), ("train", 2)] and len(written) == 7
    assert "goes on after 1 of 3 shards" in caplog.text
    names = sorted(path.name for path in (output / "train").iterdir())
    assert names == [*(f"0000{n}.array_record" for n in range(3)), "index.json"]
    whole = {path: path.read_bytes() for path in output.rglob("*.array_record")}
    with caplog.at_level(logging.INFO):
        pack(loose, output, 2)
    assert "train is complete already." in caplog.text and len(written) == 7
    half.unlink()
    with pytest.raises(DataError, match="00001.array_record is missing. .*--overwrite"):
        pack(loose, output, 2)
    pack(loose, output, 2, overwrite=True)
    assert len(written) == 13
    assert {path: path.read_bytes() for path in output.rglob("*.array_record")} == whole


def test_a_further_split_joins_and_other_data_does_not(folder, output, tmp_path):
    loose = folder(_masks(), eval_split="val")
    pack(loose, output, 2)
    pack(loose.changed({"data.eval_split": "test"}), output, 2)
    test = _of_packed(loose, output).changed({"data.eval_split": "test"})
    assert len(test.evaluation_source) == 5
    missing = test.changed({"data.eval_split": "other"})
    with pytest.raises(DataError, match="has no split 'other'; it has test, train, val"):
        missing.evaluation_source  # noqa: B018
    (tmp_path / "train/images/0.png").unlink()
    (tmp_path / "train/masks/0.png").unlink()
    with pytest.raises(OutputError, match="train was packed of something else: 4 examples, was 5"):
        pack(loose.changed({}), output, 2)
    with pytest.raises(OutputError, match="holds another packed data set: its classes differ"):
        pack(loose.changed({"data.class_names": ("sky", "lake")}), output, 2)
    with pytest.raises(ValueError, match="are both 'train', but of other examples"):
        pack(loose.changed({"data.eval_split": "train"}), output, 2)


def test_the_data_itself_is_no_place_to_pack_into(folder, tmp_path, output):
    loose = folder(_masks(), eval_split="val")
    with pytest.raises(OutputError, match="holds the data to pack, .* inputs are never overwritt"):
        pack(loose, tmp_path, 2, overwrite=True)
    pack(loose, output, 2)
    with pytest.raises(OutputError, match="holds the data to pack"):
        pack(_of_packed(loose, output), output, 2, overwrite=True)


def test_keys_that_were_fixed_by_the_packing_are_compared(folder, output):
    loose = folder([[[7, 11]]], class_ids=(7, 11), ignored_id=255, eval_split="val")
    pack(loose, output, 2)
    packed = _of_packed(loose, output)
    assert packed.schema == loose.schema
    assert packed.source_schema.raw_ids == (7, 11, 255)
    for key, value in (("class_ids", (7, 12)), ("ignored_id", 0), ("class_colours", ("#000000",))):
        other = packed.changed({f"data.{key}": value})
        with pytest.raises(DataError, match=rf"data\.{key} is .*, but .* was packed with "):
            other.training_source  # noqa: B018


def test_a_run_notices_other_packed_data(folder, output, tmp_path):
    loose = folder(_masks(), eval_split="val")
    pack(loose, output, 2)
    before = describe_training(_of_packed(loose, output))
    assert before["data"]["train"]["num_files"] == 5
    (tmp_path / "train/masks/0.png").write_bytes((tmp_path / "train/masks/1.png").read_bytes())
    (tmp_path / "train/images/0.png").write_bytes((tmp_path / "train/images/1.png").read_bytes())
    pack(loose.changed({}), output, 2, overwrite=True)
    after = describe_training(_of_packed(loose, output))
    with pytest.raises(ValueError, match="its training data: 5 examples .* with other names, size"):
        check_resumption(before, after, 1, tmp_path, Resume.SAME)
    assert before["data"]["eval"] == after["data"]["eval"]


def test_the_check_of_data_compares_hashes(folder, output, caplog):
    loose = folder(_masks(), eval_split="val")
    pack(loose, output, 2)
    with caplog.at_level(logging.INFO):
        assert check_data(_of_packed(loose, output))
    assert "training: 5 examples, 5 of them readable." in caplog.text
    path = Place(output).split("val").shard(1)
    content = bytearray(path.read_bytes())
    content[np.flatnonzero(content)[-1]] ^= 1
    path.write_bytes(content)
    with caplog.at_level(logging.INFO):
        assert not check_data(_of_packed(loose, output))
    assert "! The shard" in caplog.text and "val/00001.array_record does not hold" in caplog.text


def test_examples_that_cannot_be_read_are_left_out_on_demand(folder, output, tmp_path, caplog):
    loose = folder(_masks(), eval_split="val")
    (tmp_path / "train/images/0.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"train/images/0\.png cannot be read as an image"):
        pack(loose, output, 2)
    with caplog.at_level(logging.INFO):
        pack(loose.changed({"data.on_error": "skip"}), output, 2)
    assert "train: 4 examples in 3 shards" in caplog.text and "1 could not be read" in caplog.text
    assert len(_of_packed(loose, output).training_source) == 4


def test_latents_of_packed_data_are_told_apart(latent_experiment, output, tmp_path):
    loose = latent_experiment()
    pack(loose, output, 100)
    values = {"data.source": "packed", "data.dir": str(output)}
    packed = latent_experiment(**values, **{"data.latents": str(tmp_path / "latents")})
    encode(packed, tmp_path)
    assert len(packed.training_source) == len(loose.training_source)
    index = output / "train/index.json"
    index.write_text(index.read_text() + " ")
    with pytest.raises(DataError, match="were made of 10 other examples than those in"):
        packed.changed({}).training_source  # noqa: B018


_FORMS = pathlib.Path(__file__).parents[1] / "fixtures" / "own_data"


@pytest.mark.parametrize(
    ("form", "folder", "keys"),
    [
        ("hf_dataset", "hf/set", {}),
        ("labelme", "labelme", {"train_images": ".", "class_names": ("car", "person", "tree")}),
        ("cvat_masks", "cvat", {"train_split": "default"}),
    ],
)
def test_other_forms_are_packed_with_the_same_pixels(tiny_experiment, output, form, folder, keys):
    values = {"source": form, "dir": str(_FORMS / folder), "val_share": 0.3, **keys}
    loose = tiny_experiment(**{f"data.{key}": value for key, value in values.items()})
    pack(loose, output, 2)
    changes = {"data.source": "packed", "data.dir": str(output), "data.val_share": 0.0}
    packed = loose.changed(changes)
    assert packed.schema == loose.schema
    for name in ("training_source", "evaluation_source"):
        found, expected = getattr(packed, name), getattr(loose, name)
        assert len(found) == len(expected)
        for index in range(len(expected)):
            for key, value in expected[index].items():
                np.testing.assert_array_equal(found[index][key], value)
