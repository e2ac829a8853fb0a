"""Where results are saved to."""

import pytest

from symmflow_jax.inference.results.places import output_path, output_paths
from symmflow_jax.runtime.outputs import OutputError


def test_home_and_variables_are_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("PLACE", str(tmp_path))
    assert output_path("$PLACE/a.PNG", (".png",)) == tmp_path / "a.PNG"
    assert output_paths("$PLACE", ["x.jpg", "y.z.png"], ".png") == [
        tmp_path / "x.png",
        tmp_path / "y.z.png",
    ]


def test_a_file_may_be_replaced_but_no_folder_and_no_input(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    assert output_path(tmp_path / "a.png", (".png",)).name == "a.png"
    with pytest.raises(OutputError, match="is an input"):
        output_path(tmp_path / "a.png", (".png",), read=tmp_path / "a.png")
    with pytest.raises(OutputError, match="is a folder"):
        output_path(tmp_path / "folder.png", (".png",))
    with pytest.raises(OutputError, match=r"ends in 'masks'; give a file that ends in \.png"):
        output_path(tmp_path / "masks", (".png",))
