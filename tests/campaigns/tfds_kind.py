"""A set prepared by TensorFlow Datasets."""

import functools
import io
import pathlib
from typing import Any

import numpy as np
from PIL import Image

from tests.campaigns import formats
from tests.campaigns.data_kinds import read_both
from tests.campaigns.experiments import tiny
from tests.campaigns.kinds import Kind
from tests.campaigns.mutations import Damage
from tests.campaigns.run_kinds import other_setting

_NAMES = ("cat", "dog", "eel")


def _png(array: np.ndarray) -> io.BytesIO:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "png")
    file.seek(0)
    return file


@functools.cache
def _builder() -> Any:
    # Imported here, because it takes seconds.
    import tensorflow_datasets as tfds

    class CampaignPets(tfds.core.GeneratorBasedBuilder):
        """Labelled pictures."""

        VERSION = tfds.core.Version("1.0.0")
        SKIP_REGISTERING = True
        url_infos: dict = {}  # Nothing to download; spares TFDS the search for checksum files.

        def _info(self) -> Any:
            features = tfds.features.FeaturesDict({
                "image": tfds.features.Image(shape=(8, 6, 3)),
                "label": tfds.features.ClassLabel(names=list(_NAMES)),
            })  # fmt: skip
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
            return {"train": self._examples(6, 0), "test": self._examples(3, 100)}

        def _examples(self, count: int, start: int) -> Any:
            for index in range(count):
                pixels = np.full((8, 6, 3), start + index, np.uint8)
                yield index, {"image": _png(pixels), "label": index % 3}

        def _generate_examples(self) -> Any:
            raise NotImplementedError

    return CampaignPets


def _make(folder: pathlib.Path, variant: int) -> None:
    _builder()(data_dir=folder).download_and_prepare(file_format="array_record")


def _read(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    values = {"data.source": "tfds", "data.name": "campaign_pets", "semantics.encoding": "plane"}
    return read_both(tiny(**values | {"data.dir": str(folder)}))


def _excuse(damage: Damage, difference: str) -> str | None:
    if damage.target.endswith("labels.txt"):
        return "a text without a checksum; another name is the name of another class"
    if damage.mutation == "swapped":
        return "two files of one kind have changed places; each is valid"
    return other_setting(damage)


KINDS: dict[str, Kind] = {
    "tfds": Kind(
        _make,
        _read,
        share=0.8,
        damages={".json": formats.JSON},
        names=("campaign_pets",),
        excuse=_excuse,
    )
}
"""Prepared sets."""
