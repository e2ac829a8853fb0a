"""Images without masks."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.mixing.image_folder import image_folder
from symmflow_jax.data.source import DataError


def test_images_come_by_their_names_and_without_labels(tmp_path):
    for number, name in enumerate(("b.png", "a.jpg", "c.PNG")):
        Image.fromarray(np.full((4, 6), 80 * number, np.uint8)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("none")
    source = image_folder(tmp_path)
    assert [path.name for path in source.files] == ["a.jpg", "b.png", "c.PNG"]
    assert len(source) == 3 and source.schemas == {}
    levels = [np.asarray(source[i]["image"]).mean() for i in range(3)]
    np.testing.assert_allclose(levels, [80, 0, 160], atol=1)


def test_a_folder_without_images_is_told(tmp_path):
    with pytest.raises(DataError, match="contains no images"):
        image_folder(tmp_path)
