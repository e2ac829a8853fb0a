"""Configs that come with the package: found from any folder, never in the place of a user's own."""

import pathlib

import pytest

from symmflow_jax.config.reading import config_file, shipped

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    """The current folder, in which nothing is."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("given", ["configs/shapes.py", "shapes.py", "shapes", "configs/shapes"])
def test_a_name_is_found_in_an_empty_folder(empty_folder, caplog, given):
    assert shipped.find(pathlib.Path(given)) == ROOT / "configs" / "shapes.py"
    caplog.set_level("INFO")
    assert config_file.load(given).data.source == "shapes"
    assert "configs/shapes.py, which comes with symmflow_jax" in caplog.text


@pytest.mark.parametrize("given", ["mine/shapes.py", "../shapes.py", "/shapes.py", "shape", "list"])
def test_other_paths_mean_no_shipped_file(given):
    assert shipped.find(pathlib.Path(given)) is None


def test_configs_find_each_other_and_take_arguments(empty_folder):
    assert config_file.load("coco_small").data.source == "coco_stuff"
    assert config_file.load("configs/medmnist.py:bloodmnist").data.name == "bloodmnist"


def test_a_file_of_the_user_goes_first(empty_folder):
    pathlib.Path("configs").mkdir()
    pathlib.Path("configs/shapes.py").write_text(
        "from symmflow_jax.config import conversion\n"
        "def get_config():\n    config = conversion.default()\n    config.seed = 7\n"
        "    return config\n"
    )
    assert config_file.load("configs/shapes.py").seed == 7


def test_near_names_are_told():
    assert "comes configs/coco.py" in shipped.near("cocoo")
    assert {"configs/coco.py", "configs/coco_small.py"} <= set(
        shipped.near("coco_smal").replace(",", "").replace(";", "").split()
    )
    assert shipped.near("qqqq").startswith("--config=list prints")


def test_the_list_has_every_file_with_its_title():
    lines = shipped.listing().splitlines()
    names = sorted(path.name for path in (ROOT / "configs").glob("*.py"))
    assert [line.split()[0] for line in lines[1:-1]] == [f"configs/{name}" for name in names]
    shapes = next(line for line in lines if "configs/shapes.py" in line)
    assert shapes.endswith("  Drawn scenes with masks: the first run, without a download.")
    assert str(ROOT / "configs") in lines[-1]


def test_an_installed_package_has_them_inside(tmp_path, monkeypatch):
    package = tmp_path / "symmflow_jax"
    (package / "configs").mkdir(parents=True)
    monkeypatch.setattr(shipped, "_PACKAGE", package)
    assert shipped.folder() == package / "configs"
