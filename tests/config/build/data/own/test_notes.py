"""Notes on what is not read."""

import pathlib

from symmflow_jax.config.build.data.own.notes import bare, unread, unused

PLACE = pathlib.Path("set")


def test_labels_and_files_that_are_not_read_are_counted():
    known = {1: "car", 2: "bus", 3: "tree"}
    (note,) = unread(known, {2}, PLACE)
    assert note.endswith("leaves them out: 2 labels, car, tree.") and note.startswith("set: read")
    assert not unread(known, known, PLACE)
    assert unused(2, "picture", PLACE, "alone") == ["set: not used: 2 pictures alone."]
    assert not unused(0, "picture", PLACE, "alone")
    assert bare(1, PLACE, "file") == ["set: 1 image without a file is all background."]
    assert not bare(0, PLACE, "file")
