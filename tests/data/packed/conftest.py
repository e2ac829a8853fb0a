"""Small data sets of image files, packed."""

import dataclasses
import pathlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoding
from symmflow_jax.data.fingerprint import fingerprint
from symmflow_jax.data.packed.index import DataSet, Plan, Split
from symmflow_jax.data.packed.layout import Place, write_json
from symmflow_jax.data.packed.packed import Packed
from symmflow_jax.data.packed.shard_writer import ShardWriter
from symmflow_jax.data.sources.segmentation.paired_folder import PairedFolder
from symmflow_jax.semantics import labels

SCHEMA = labels.filed_under((7, 11), ("sky", "road"), 255)


@pytest.fixture
def pairs(tmp_path) -> Callable[..., PairedFolder]:
    """A function that writes images and masks of the ids 7, 11 and 255, and opens them."""

    def write(count=5, decoding=DEFAULT, schema=SCHEMA):
        rng = np.random.default_rng(0)
        for kind in ("images", "masks"):
            (tmp_path / "loose" / kind).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            size = (6 + number, 9)
            image = rng.integers(256, size=(*size, 3), dtype=np.uint8)
            mask = np.asarray(schema.raw_ids)[rng.integers(len(schema.raw_ids), size=size)]
            Image.fromarray(image).save(tmp_path / f"loose/images/{number}.jpg", quality=90)
            kind = np.uint8 if max(schema.raw_ids) < 256 else np.uint16
            Image.fromarray(mask.astype(kind)).save(tmp_path / f"loose/masks/{number}.png")
        folder = tmp_path / "loose"
        return PairedFolder(folder / "images", folder / "masks", schema, decoding=decoding)

    return write


@dataclasses.dataclass
class Packing:
    """A split that can be packed shard by shard."""

    writer: ShardWriter
    place: Place

    def finish(self) -> None:
        """Writes the shards and descriptions."""
        plan = self.writer.plan
        entries = [self.writer.write(number) for number in range(plan.num_shards)]
        write_json(self.place.dataset, self.writer.dataset.to_json())
        split = Split.of_entries(plan, entries)
        write_json(self.writer.where.index, split.to_json())

    def open(self, decoding: Decoding = DEFAULT) -> Packed:
        """The packed split."""
        return Packed(self.place.folder, self.writer.plan.split, decoding)


@pytest.fixture
def packing(tmp_path) -> Callable[..., Packing]:
    """A function from a source to a packing of it in shards of two examples."""

    def make(source, images="files", *, skip_errors=False, counted=False, split="train"):
        dataset = DataSet("streets", images, counted, {"data.source": "own"}, source.schemas)
        found = fingerprint(source).to_json()
        folder = found.pop("folder")
        plan = Plan(split, found | {"keys": {}}, examples_per_shard=2)
        place = Place(pathlib.Path(tmp_path) / "packed")
        writer = ShardWriter(source, folder, dataset, plan, place.split(split), skip_errors)
        return Packing(writer, place)

    return make
