import dataclasses
import json

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from symmflow_jax.semantics.labels import LabelSchema, consecutive, filed_under

SCHEMA = LabelSchema(
    names=("sky", "tree", "road"),
    raw_ids=(4, 0, 182),
    palette=((0, 0, 0), (255, 0, 0), (0, 255, 0)),
    ignored=(1,),
)


@hypothesis.given(
    raw_ids=st.lists(st.integers(0, 300), min_size=1, max_size=20, unique=True),
    seed=st.integers(0, 100),
)
def test_raw_ids_survive_the_way_there_and_back(raw_ids, seed):
    names = tuple(f"class {i}" for i in raw_ids)
    schema = LabelSchema(names, tuple(raw_ids), ((0, 0, 0),) * len(raw_ids))
    raw = np.random.default_rng(seed).choice(raw_ids, (3, 4))
    classes = schema.from_raw(raw, "mask.png")
    assert classes.dtype == np.int32 and classes.shape == raw.shape
    assert classes.min() >= 0 and classes.max() < schema.num_classes
    np.testing.assert_array_equal(schema.to_raw(classes), raw)


def test_classes_are_numbered_in_the_order_of_the_schema():
    raw = np.array([[0, 4], [182, 182]], np.uint8)
    np.testing.assert_array_equal(SCHEMA.from_raw(raw, "m"), [[1, 0], [2, 2]])
    np.testing.assert_array_equal(SCHEMA.colourize(np.array([2, 0])), [[0, 255, 0], [0, 0, 0]])
    assert SCHEMA.colourize(np.array([1])).dtype == np.uint8


@hypothesis.given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_bytes_are_looked_up_like_other_numbers(seed, num_classes):
    rng = np.random.default_rng(seed)
    others = rng.permutation(np.delete(np.arange(400), 7))[: num_classes - 1]
    raw_ids = (7, *others.tolist())
    names = tuple(str(raw_id) for raw_id in raw_ids)
    schema = LabelSchema(names, raw_ids, ((0, 0, 0),) * num_classes)
    raw = rng.choice([raw_id for raw_id in raw_ids if raw_id < 256], (3, 4)).astype(np.uint8)
    classes = schema.from_raw(raw, "m")
    assert classes.dtype == (np.uint8 if num_classes <= 255 else np.int32)
    np.testing.assert_array_equal(classes, schema.from_raw(raw.astype(np.int32), "m"))
    unknown = sorted(set(range(256)) - set(raw_ids))
    if unknown:
        raw[1, 2] = unknown[0]
        with pytest.raises(ValueError, match=f"ids {unknown[0]} are outside"):
            schema.from_raw(raw, "m")


def test_labels_have_colours_of_their_own():
    colours = consecutive(("a", "b", "c")).label_colours
    assert colours == ((0, 0, 0), (75, 225, 225), (225, 225, 225))
    # More classes than colours have none, and cannot be encoded as colours.
    assert consecutive(tuple(map(str, range(65)))).label_colours == ()


def test_a_schema_keeps_the_colours_of_labels_that_its_run_had():
    schema = consecutive(tuple("abcdefg"))
    values = json.loads(json.dumps(schema.to_json()))
    assert LabelSchema.from_json(values) == schema
    # Number 31 of the lattice; earlier versions took 32 and did not write it down.
    assert schema.label_colours[3] == (75, 225, 225)
    del values["label_colours"]
    earlier = LabelSchema.from_json(values)
    assert earlier.label_colours[3] == (150, 0, 0)
    assert LabelSchema.from_json(json.loads(json.dumps(earlier.to_json()))) == earlier


def test_empty_arrays_are_no_error():
    assert SCHEMA.from_raw(np.zeros((0, 4), np.uint8), "m").shape == (0, 4)


@pytest.mark.parametrize("unknown", [3, 183, 255, -1])
def test_unknown_ids_name_the_file_the_ids_and_the_remedy(unknown):
    raw = np.array([[0, unknown]], np.int32)
    with pytest.raises(ValueError) as error:
        SCHEMA.from_raw(raw, "masks/7.png")
    message = str(error.value)
    assert message.startswith(f"masks/7.png: ids {unknown} are outside the class list")
    assert "0, 4, 182" in message
    assert "config.data.class_names" in message and "config.data.ignored_id" in message


def test_long_lists_of_unknown_ids_are_shortened():
    with pytest.raises(ValueError, match=r"ids 1, 2, 3, 5, .*\.\.\. \(29 in all\)"):
        SCHEMA.from_raw(np.arange(31), "m")


def test_scored_classes_leave_out_the_ignored():
    assert SCHEMA.num_classes == 3
    assert SCHEMA.scored == (0, 2)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match=r"names \(2\) as raw ids \(3\) and colours \(3\)"):
        dataclasses.replace(SCHEMA, names=("a", "b"))


def test_raw_ids_must_differ():
    with pytest.raises(ValueError, match=r"twice .*\(4, 0, 4\)"):
        dataclasses.replace(SCHEMA, raw_ids=(4, 0, 4))


def test_consecutive_without_void():
    schema = consecutive(("a", "b", "c"))
    assert schema.raw_ids == (0, 1, 2)
    assert schema.scored == (0, 1, 2)
    assert len(set(schema.palette)) == 3


def test_consecutive_with_a_void_of_its_own():
    schema = consecutive(("a", "b"), ignored_id=255)
    assert schema.names == ("a", "b", "void")
    assert schema.scored == (0, 1)
    assert len(set(schema.palette)) == 3
    classes = schema.from_raw(np.array([0, 1, 255], np.uint8), "m")
    np.testing.assert_array_equal(classes, [0, 1, 2])


def test_consecutive_that_ignores_one_of_its_names():
    schema = consecutive(("background", "a", "b"), ignored_id=0)
    assert schema.names == ("background", "a", "b")
    assert schema.scored == (1, 2)


@pytest.mark.parametrize("schema", [SCHEMA, consecutive(("a", "b"), ignored_id=7)])
def test_schemas_survive_json(schema):
    again = LabelSchema.from_json(json.loads(json.dumps(schema.to_json())))
    assert again == schema
    assert hash(again) == hash(schema)  # Lists would not hash.


def test_class_ids_are_not_negative():
    with pytest.raises(ValueError, match="class ids 0, -1 include -1; ids are not negative"):
        filed_under((0, -1), ("sky", "road"))


def test_two_classes_of_one_name_are_refused():
    with pytest.raises(ValueError) as error:
        filed_under((7, 3, 9), ("road", "tree", "road"))
    assert str(error.value) == (
        "Two classes have the name 'road', those of ids 7 and 9. Give each a name of its own in "
        "config.data.class_names (or in the list of the data set), such as 'road' and 'road (9)'."
    )
    # What can be told apart is left to the user.
    assert consecutive(("road", "Road", "road ", " road")).num_classes == 4


@pytest.mark.parametrize("name", ["", "  ", "\n"])
def test_a_class_without_a_name_is_refused(name):
    with pytest.raises(ValueError, match=r"id 1 has an empty name .*config\.data\.class_names"):
        consecutive(("road", name))


def test_what_is_ignored_gets_a_name_that_is_free():
    assert consecutive(("road", "sky"), 255).names == ("road", "sky", "void")
    assert consecutive(("road", "void"), 255).names == ("road", "void", "void (255)")


def test_equal_names_of_earlier_checkpoints_are_told_apart():
    values = filed_under((7, 9, 3, 5), ("a", "b", "c", "d")).to_json()
    saved = LabelSchema.from_json(values | {"names": ["road", "road", "", "road (9)"]})
    assert saved.names == ("road", "road (9)", "class 3", "road (9) (5)")
    assert LabelSchema.from_json(saved.to_json()) == saved


def test_without_ignored_classes_their_ids_are_unknown():
    schema = LabelSchema(
        names=("void", "left", "right", "hat", "other void"),
        raw_ids=(0, 7, 9, 4, 255),
        palette=((0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4)),
        ignored=(0, 4),
        merged_ids=((5, 0), (6, 3)),
        mirrored=((1, 2), (0, 3)),
    )
    learned = schema.without_ignored()
    assert learned.names == ("left", "right", "hat") and learned.raw_ids == (7, 9, 4)
    assert learned.palette == ((1, 1, 1), (2, 2, 2), (3, 3, 3)) and not learned.ignored
    assert learned.mirrored == ((0, 1),) and learned.merged_ids == ((6, 2),)
    assert learned.unknown_ids == (0, 255, 5)
    ids = np.array([[7, 9, 4, 6], [0, 255, 5, 7]], np.uint8)
    classes = learned.from_raw(ids, "mask.png")
    np.testing.assert_array_equal(classes, [[0, 1, 2, 2], [-1, -1, -1, 0]])
    # The classes of the whole schema, numbered anew, are the same.
    np.testing.assert_array_equal(
        schema.numbers_without_ignored()[schema.from_raw(ids, "mask.png")], classes
    )
    np.testing.assert_array_equal(learned.to_raw(classes), [[7, 9, 4, 4], [0, 0, 0, 7]])
    grey, known = learned.colourize(classes)[1, [0, 3]]
    assert tuple(known) == (1, 1, 1) and tuple(grey) == (127, 127, 127)
    assert LabelSchema.from_json(json.loads(json.dumps(learned.to_json()))) == learned
    with pytest.raises(ValueError, match=r"mask\.png: ids 3 are outside"):
        learned.from_raw(np.where(ids == 7, 3, ids), "mask.png")
    assert SCHEMA.without_ignored().without_ignored() == SCHEMA.without_ignored()


def test_an_id_for_unknown_pixels_is_one_that_is_free():
    assert consecutive(("a", "b")).with_unknown().unknown_ids == (255,)
    taken = filed_under((255, 253), ("a", "b"))
    assert taken.with_unknown().unknown_ids == (254,)
    assert consecutive(tuple(map(str, range(256)))).with_unknown().unknown_ids == (256,)
    unknown = consecutive(("a", "b"), 9).without_ignored()
    assert unknown.with_unknown() == unknown and unknown.unknown_ids == (9,)


def test_unknown_pixels_cannot_be_written_without_an_id():
    with pytest.raises(ValueError, match="no id for them"):
        SCHEMA.to_raw(np.array([0, -1]))


def test_an_id_is_a_class_or_unknown():
    with pytest.raises(ValueError, match="Raw ids occur twice"):
        dataclasses.replace(SCHEMA, unknown_ids=(182,))
