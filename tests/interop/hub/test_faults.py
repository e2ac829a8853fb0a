import shlex

import pytest

from symmflow_jax.interop.hub.address import parse
from symmflow_jax.interop.hub.faults import by_hand, no_file, no_weights

FILE = "hf:someone/models/x/a.pt@v1"


@pytest.fixture(autouse=True)
def _public_hub(monkeypatch):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)


def test_the_command_that_works_has_places_instead_of_addresses():
    command = ["/usr/bin/python3", "-m", "symmflow_jax.main", "--mode=import", f"--input={FILE}"]
    command += ["--config.data.class_names=('a b', 'c')", "--config.autoencoder.weights=hf:o/vae/"]
    text = by_hand(parse(FILE), command)
    assert (
        "get https://huggingface.co/someone/models/resolve/v1/x/a.pt and put it at "
        "weights/models/x/a.pt, " in text
    )
    assert (
        "https://huggingface.co/o/vae/tree/main and put them into the folder weights/vae;" in text
    )
    assert shlex.split(text.partition("; then run: ")[2]) == [
        "python",
        *command[1:4],
        "--input=weights/models/x/a.pt",
        "--config.data.class_names=('a b', 'c')",
        "--config.autoencoder.weights=weights/vae",
    ]


def test_lists_of_files_are_rewritten_and_longer_names_are_not():
    command = [
        "python",
        "-m",
        "m",
        "--input=hf:o/n/a.pth,hf:o/n/a.pt,local.pth",
        "--x=not-hf:o/n/a",
    ]
    text = by_hand(parse("hf:o/n/a.pt"), command)
    assert text.endswith(
        "run: python -m m --input=weights/n/a.pth,weights/n/a.pt,local.pth --x=not-hf:o/n/a"
    )


def test_an_address_of_a_config_file_is_to_be_replaced_there():
    text = by_hand(parse(FILE), ["python", "-m", "symmflow_jax.main"])
    assert text.endswith(f"; give weights/models/x/a.pt instead of {FILE}.")


def test_a_missing_file_has_the_nearest_names():
    names = ["README.md", *(f"LatFM_{kind}_beta6.0.pt" for kind in ("coco", "faces"))]
    message = str(no_file(parse("hf:o/n/LatFM_coco_beta6.pt"), "c0ffee", names))
    assert message.endswith(
        "o/n has no 'LatFM_coco_beta6.pt' at commit c0ffee. Did you mean 'LatFM_coco_beta6.0.pt'?"
    )
    message = str(no_file(parse("hf:o/n/zzz"), "c0ffee", names))
    assert message.endswith("Its files are LatFM_coco_beta6.0.pt, LatFM_faces_beta6.0.pt.")
    assert str(no_file(parse("hf:o/n/a.pt"), "c0ffee", [])).endswith("It has no files.")
    names += ["LatFM_coco_beta7.0.pt", "models_of_the_paper/LatFM_coco_beta6.1.pt"]
    message = str(no_file(parse("hf:o/n/LatFM_coco_beta6.1.pt"), "c0ffee", names))
    assert message.endswith("Did you mean 'models_of_the_paper/LatFM_coco_beta6.1.pt'?")
    many = [f"{number}.pt" for number in range(100)]
    assert len(str(no_file(parse("hf:o/n/zzz"), "c0ffee", many))) < 300


def test_a_folder_without_weights_says_what_to_give():
    names = ["model_index.json", "unet/config.json", "vae/config.json", "vae/x.safetensors"]
    assert "Give one of its folders: unet, vae." in str(no_weights(parse("hf:o/n"), "c0", names))
    assert "Give one of its files: x.safetensors." in str(
        no_weights(parse("hf:o/n/vae"), "c0", names)
    )
