import pathlib

import pytest

from symmflow_jax.interop.hub.address import Address, check, is_address, parse
from symmflow_jax.interop.torch_files import WeightsFileError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("hf:someone/models/a.pt", Address("someone/models", "a.pt", None)),
        ("hf:someone/models/x/y/a.pt@v1.0", Address("someone/models", "x/y/a.pt", "v1.0")),
        ("hf:some-one/mo.dels_2/unet/", Address("some-one/mo.dels_2", "unet", None)),
        ("hf:someone/models/unet@refs/pr/4", Address("someone/models", "unet", "refs/pr/4")),
        ("hf:someone/models", Address("someone/models", "", None)),
        ("hf:someone/models/@main", Address("someone/models", "", "main")),
    ],
)
def test_an_address_has_a_repository_a_path_and_a_revision(text, address):
    assert is_address(text) and is_address(pathlib.Path(text))
    assert parse(text) == address
    assert parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        *("hf:", "hf:models", "hf://o/n/a.pt", "hf:/o/n", "hf:o//a.pt", "hf:o/../a.pt"),
        *("hf:o/n/a//b", "hf:o/n/../b", "hf:some one/models/a.pt"),
        *("hf:o/n/a.pt@", "hf:o/n/a.pt@a b", "hf:o/n/a@b@c"),
    ],
)
def test_other_forms_are_refused_with_the_right_ones(text):
    with pytest.raises(WeightsFileError, match="write hf:OWNER/NAME/FILE, or hf:") as error:
        check(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize("path", ["a.pt", "./hf:someone/models/a.pt", "/hf:x", "C:/hf/a.pt", ""])
def test_paths_are_no_addresses(path):
    assert not is_address(path)
    check(path)


@pytest.mark.parametrize(
    ("link", "advice"),
    [
        (
            "https://huggingface.co/someone/models/resolve/main/a%20b.pt?download=true",
            "write hf:someone/models/a b.pt.",
        ),
        ("https://hub.example/o/n/blob/v1/x/a.pt", "write hf:o/n/x/a.pt@v1."),
        ("https://huggingface.co/o/n/tree/main/unet", "write hf:o/n/unet."),
        (
            "https://example.org/a.pt",
            r"\(hf:OWNER/NAME/FILE, .*\). Download the file",
        ),
    ],
)
def test_a_link_is_refused_with_its_address(link, advice):
    for given in (link, pathlib.Path(link)):
        with pytest.raises(WeightsFileError, match=f"is a link.*{advice}"):
            check(given)


def test_the_page_is_that_of_the_hub_in_the_environment(monkeypatch):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert parse("hf:o/n/x/a.pt").url == "https://huggingface.co/o/n/resolve/main/x/a.pt"
    assert (
        parse("hf:o/n/unet@refs/pr/4").url == "https://huggingface.co/o/n/tree/refs%2Fpr%2F4/unet"
    )
    monkeypatch.setenv("HF_ENDPOINT", "http://localhost:1/")
    assert parse("hf:o/n").url == "http://localhost:1/o/n/tree/main"
