"""Masks and labels in, images out."""

import jax
import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.inference.files.generation import generate_files
from symmflow_jax.inference.model import Model
from symmflow_jax.runtime.outputs import OutputError
from symmflow_jax.semantics.labels import filed_under

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(random_model):
    return random_model(**{"train.clock": "independent"})


@pytest.fixture
def mask(tmp_path):
    path = tmp_path / "mask.png"
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(path)
    return str(path)


def test_a_seed_gives_the_same_images_and_another_seed_others(model, mask, tmp_path):
    def made(name: str, seed: int) -> list[bytes]:
        options = {"seed": seed, "num_steps": 2, "num_samples": 2}
        paths = generate_files(model, mask, tmp_path / name, **options)
        return [path.read_bytes() for path in paths]

    first = made("first", 0)
    assert made("same", 0) == first
    assert made("other", 1) != first
    assert first[0] != first[1]


def test_guidance_changes_what_is_made(model, mask, tmp_path):
    options = {"seed": 0, "num_steps": 2, "num_samples": 1}
    (plain,) = generate_files(model, mask, tmp_path / "plain", **options)
    guidance = Guidance(weight=4.0)
    (guided,) = generate_files(model, mask, tmp_path / "guided", guidance=guidance, **options)
    assert plain.read_bytes() != guided.read_bytes()


def test_guidance_of_one_clock_is_an_error(random_model, tmp_path, mask):
    with pytest.raises(
        ValueError, match=r"Guidance needs a network with a clock for each component"
    ):
        generate_files(
            random_model(),
            mask,
            tmp_path,
            seed=0,
            num_steps=1,
            num_samples=1,
            guidance=Guidance(weight=2.0),
        )


def test_an_id_that_the_model_does_not_know_is_an_error(model, tmp_path):
    mask = tmp_path / "mask.png"
    Image.fromarray(np.full((4, 4), 77, np.uint8)).save(mask)
    with pytest.raises(ValueError, match=r"mask\.png: ids 77 are outside the class list"):
        generate_files(model, str(mask), tmp_path, seed=0, num_steps=1, num_samples=1)


@pytest.fixture
def white(monkeypatch):
    """Makes every model generate white images; a list of the solvers."""
    solvers = []

    def generate(self, conditions, key: jax.Array, num_steps, solver, guidance):
        solvers.append(solver)
        return np.full((len(conditions), 8, 8, 3), 255, np.uint8)

    monkeypatch.setattr(Model, "generate", generate)
    return solvers


def test_labels_are_named_or_numbered(random_model, tmp_path, white):
    model = random_model(**{"semantics.encoding": "colour"})
    options = {"seed": 0, "num_steps": 1, "num_samples": 1, "solver": "heun"}
    written = generate_files(model, "cross, 0", tmp_path / "two", **options)
    assert [path.name for path in written] == ["cross_0.png", "circle_0.png"]
    assert len(generate_files(model, "", tmp_path / "all", **options)) == 4
    assert white == ["heun", "heun"]
    with pytest.raises(DataError, match=r"names 4, star; the model's classes are circle, square"):
        generate_files(model, "4,star", tmp_path, **options)
    with pytest.raises(DataError, match=r"names the class 'circle' more than once; .* --num_sam"):
        generate_files(model, "circle,0", tmp_path, **options)


@pytest.mark.usefixtures("white")
def test_names_of_classes_become_names_of_files_that_differ(random_model, tmp_path):
    model = random_model(**{"semantics.encoding": "colour"})
    schema = filed_under((7, 1, 300, 4), ("sky/other", "sky:other", "../up", "Übung"))
    model = Model(model.experiment.with_schema(schema), model.weights, 0)
    options = {"seed": 0, "num_steps": 1, "num_samples": 2}
    written = generate_files(model, "", tmp_path / "out", **options)
    assert all(path.parent == tmp_path / "out" and path.exists() for path in written)
    names = ["sky_other_7", "sky_other_1", "_up", "Übung"]
    assert [path.name for path in written] == [f"{n}_{i}.png" for n in names for i in (0, 1)]


@pytest.mark.usefixtures("white")
def test_every_mask_has_images_of_its_own_and_none_is_replaced(model, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    ids = Image.fromarray(np.zeros((8, 8), np.uint8))
    for name in ("cat.png", "cat.bmp", "cat_0.png"):
        ids.save(masks / name)
    before = {path: path.read_bytes() for path in masks.iterdir()}
    options = {"seed": 0, "num_steps": 1, "num_samples": 1}
    written = generate_files(model, str(masks), tmp_path / "out", **options)
    assert [path.name for path in written] == ["cat_bmp_0.png", "cat_png_0.png", "cat_0_0.png"]
    with pytest.raises(OutputError, match=r"cat_bmp_0\.png exists already \(3 of 3 files"):
        generate_files(model, str(masks), tmp_path / "out", **options)
    with pytest.raises(OutputError, match=r"--output is the folder of --input"):
        generate_files(model, str(masks), masks, **options, overwrite=True)
    with pytest.raises(OutputError, match=r"cat_0\.png is an input|cat_0\.png exists already"):
        generate_files(model, str(masks / "cat.png"), masks, **options)
    assert {path: path.read_bytes() for path in masks.iterdir()} == before


@pytest.mark.usefixtures("white")
def test_one_bad_mask_among_many_is_told_at_the_end(model, mask, tmp_path):
    Image.fromarray(np.full((4, 4), 77, np.uint8)).save(tmp_path / "other.png")
    options = {"seed": 0, "num_steps": 1, "num_samples": 2}
    with pytest.raises(DataError, match=r"1 of 2 inputs .*other\.png: ids 77 are outside"):
        generate_files(model, str(tmp_path), tmp_path / "out", **options)
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["mask_0.png", "mask_1.png"]


@pytest.mark.usefixtures("white")
def test_a_full_disk_is_one_line(model, mask, tmp_path, full_disk):
    options = {"seed": 0, "num_steps": 1, "num_samples": 1}
    with full_disk(), pytest.raises(OutputError, match=r"mask_0\.png could not be written: "):
        generate_files(model, mask, tmp_path / "out", **options)
    assert not list((tmp_path / "out").iterdir())


def test_a_view_makes_images_of_the_masks_own_size(model, tmp_path):
    path = tmp_path / "wide.png"
    Image.fromarray(np.eye(12, 20, dtype=np.uint8)).save(path)
    options = {"seed": 0, "num_steps": 1, "num_samples": 2}
    view = model.view("tiles", scale=1.0)
    written = generate_files(model, str(path), tmp_path / "out", view=view, **options)
    assert [Image.open(made).size for made in written] == [(20, 12)] * 2
    assert written[0].read_bytes() != written[1].read_bytes()


def test_a_mask_of_another_aspect_ratio_is_cropped_as_in_training(model, tmp_path, log):
    mask = np.zeros((8, 24), np.uint8)
    mask[:, 8:16] = np.eye(8, dtype=np.uint8)
    for name, part in (("wide", mask), ("middle", mask[:, 8:16])):
        Image.fromarray(part).save(tmp_path / f"{name}.png")
    options = {"seed": 0, "num_steps": 1, "num_samples": 1}
    made = [
        generate_files(model, str(tmp_path / f"{name}.png"), tmp_path / "out", **options)[0]
        for name in ("wide", "middle")
    ]
    assert made[0].read_bytes() == made[1].read_bytes()
    assert "wide.png is 24x8 (width x height), of which" in log.text
    assert "--fit=tiles makes an image of all of it" in log.text
