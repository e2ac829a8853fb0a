"""Downloads from a stand-in of the hub on loopback."""

import builtins
import hashlib
import pathlib
import random
import subprocess
import sys
import types

import pytest

from symmflow_jax.interop.files import read_state_dict, read_weights
from symmflow_jax.interop.hub import download
from symmflow_jax.interop.hub.download import fetch, fetched, here
from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.metrics import features, lpips
from symmflow_jax.metrics.classifier import read_classifier

STEM = "diffusion_pytorch_model"
CONTENT = random.Random(0).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = "hf:someone/models/a.pt"


@pytest.fixture
def models(hub, hub_server):
    """A repository with files and a folder of diffusers, and an older revision of it."""
    newer = {
        "a.pt": CONTENT,
        "README.md": b"license: mit",
        f"unet/{STEM}.safetensors": b"unet",
        f"unet/{STEM}.fp16.safetensors": b"half",
        "unet/config.json": b"{}",
    }
    repository = hub_server.Repository({"main": newer, "v1": {"a.pt": b"older"}})
    hub.repositories["someone/models"] = repository
    return repository


@pytest.fixture
def impatient(monkeypatch):
    """A library that does not wait between its attempts, and keeps even small parts."""
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 50_000)


def _refusal(address: str) -> str:
    with pytest.raises(WeightsFileError) as error:
        fetch(address)
    message = str(error.value)
    assert message.startswith(address) and "\n" not in message
    return message


def test_a_file_is_fetched_once_with_its_commit_and_hash(hub, models, caplog):
    with caplog.at_level("INFO"):
        found = fetch(FILE)
    assert found.path.read_bytes() == CONTENT
    assert found.hashes == {"a.pt": SHA256}
    assert found.commit == models.commit("main")
    assert f"{FILE}: a.pt of commit {found.commit}, SHA-256 {SHA256}." in caplog.messages
    assert fetched(FILE) == here(FILE) == found.path
    fetch.cache_clear()  # As in another process.
    assert fetch(FILE) == found
    assert hub.ranges() == [""]


def test_a_revision_is_a_branch_a_tag_or_a_commit(models):
    for revision in ("v1", models.commit("v1")):
        found = fetch(f"{FILE}@{revision}")
        assert found.path.read_bytes() == b"older" and found.commit == models.commit("v1")
    assert fetch(FILE).path.read_bytes() == CONTENT
    message = _refusal(f"{FILE}@v2")
    assert "someone/models has no revision 'v2'. Give a branch, a tag or a commit" in message


def test_of_a_folder_only_what_is_needed_is_fetched(hub, models):
    found = fetch("hf:someone/models/unet/")
    assert sorted(path.name for path in found.path.iterdir()) == [
        "config.json",
        f"{STEM}.safetensors",
    ]
    assert set(found.hashes) == {f"unet/{STEM}.safetensors", "unet/config.json"}
    assert len(hub.ranges()) == 2
    assert here("hf:someone/models/unet") == found.path


def test_a_file_of_diffusers_is_fetched_with_its_settings(hub, models):
    found = fetch(f"hf:someone/models/unet/{STEM}.fp16.safetensors")
    assert found.path.read_bytes() == b"half"
    assert found.path.with_name("config.json").read_bytes() == b"{}"
    assert len(hub.ranges()) == 2


def test_a_whole_repository_may_be_the_folder(hub, hub_server):
    hub.repositories["someone/vae"] = hub_server.Repository({"main": {f"{STEM}.bin": b"vae"}})
    assert (fetch("hf:someone/vae").path / f"{STEM}.bin").read_bytes() == b"vae"


def test_a_broken_download_is_resumed(hub, models, impatient):
    hub.cuts = [120_000]
    assert fetch(FILE).hashes == {"a.pt": SHA256}
    assert hub.ranges() == ["", "bytes=100000-"]


def test_a_download_that_breaks_again_and_again_is_an_error(hub, models, impatient, tmp_path):
    hub.cuts = [1000] + 10 * [0]
    message = _refusal(FILE)
    assert "the download of a.pt was interrupted" in message
    assert "Run the command again" in message and "put it at weights/models/a.pt" in message
    assert here(FILE) is None
    hub.cuts = []
    assert fetch(FILE).path.read_bytes() == CONTENT


def test_without_a_network_the_cache_serves_or_the_error_says_what_to_get(hub, models, monkeypatch):
    found = fetch(FILE)
    fetch.cache_clear()
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # Nobody listens there.
    assert fetch(FILE) == found
    for other in (
        "hf:someone/models/b.pt",
        "hf:someone/models/unet",
        "hf:no/one/a.pt",
        f"{FILE}@v1",
    ):
        assert here(other) is None
        message = _refusal(other)
        assert "is not in the cache" in message
        assert "http://127.0.0.1:9 cannot be reached (ConnectError: " in message
        assert "weights/one" in message or "weights/models" in message


def test_the_offline_switch_of_the_library_is_named(hub, models, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    message = _refusal(FILE)
    assert "HF_HUB_OFFLINE forbids downloads. Unset it; or get " in message
    assert (
        f"{hub.url}/someone/models/resolve/main/a.pt and put it at weights/models/a.pt" in message
    )
    assert hub.requests == []


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    imported = builtins.__import__

    def refuse(name, *arguments):
        if name.partition(".")[0] == "huggingface_hub":
            raise ImportError(name)
        return imported(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", refuse)
    message = _refusal("hf:someone/models/never_fetched.pt")
    assert (
        "needs the package huggingface_hub: pip install huggingface_hub. Without it, get" in message
    )
    assert here("hf:someone/models/never_fetched.pt") is None


def test_unknown_names_are_refused_with_the_nearest(hub, models):
    assert "has no 'a.pth' at commit" in (message := _refusal("hf:someone/models/a.pth"))
    assert message.endswith("Did you mean 'a.pt'?")
    assert _refusal("hf:someone/models/unit").endswith("Did you mean 'unet'?")
    assert "Give one of its folders: unet." in _refusal("hf:someone/models")
    assert f"{hub.url} has no models no/one, or they are private" in _refusal("hf:no/one/a.pt")
    assert hub.ranges() == []


def test_private_and_gated_files_need_a_token(hub, models, monkeypatch):
    models.token = "secret"
    assert "Correct the name; for private ones, set HF_TOKEN" in _refusal(FILE)
    monkeypatch.setenv("HF_TOKEN", "t0k3n")
    message = _refusal(FILE)
    assert "refuses the access token" in message and "t0k3n" not in message
    monkeypatch.setenv("HF_TOKEN", "secret")
    models.gated = True
    assert f"Accept them at {hub.url}/someone/models, and set HF_TOKEN" in _refusal(FILE)
    models.gated = False
    assert fetch(FILE).path.read_bytes() == CONTENT


def test_a_full_disk_is_found_before_the_download_or_in_it(hub, models, monkeypatch, full_disk):
    usage = types.SimpleNamespace(free=1000)
    with monkeypatch.context() as patched:
        patched.setattr(download.shutil, "disk_usage", lambda path: usage)
        message = _refusal(FILE)
    assert "has 300.0 kB, but" in message and "only 1.0 kB free. Free space there" in message
    assert hub.ranges() == []
    with full_disk():
        assert "cannot be written to" in (message := _refusal(FILE))
    assert "(File too large). Free space and allow access there, or set HF_HOME" in message
    assert fetch(FILE).path.read_bytes() == CONTENT


def test_a_file_with_another_hash_is_refused_until_it_is_removed(hub, models):
    claimed = "0" * 64
    models.claimed["a.pt"] = claimed
    message = _refusal(FILE)
    assert f"has the SHA-256 {SHA256}, but that of the hub is {claimed}" in message
    pathlib.Path(message.rpartition(" rm ")[2]).unlink()
    models.claimed.clear()
    found = fetch(FILE)
    # Later damage is found too, even without a network.
    found.path.resolve().write_bytes(b"damaged")
    fetch.cache_clear()
    hub.repositories.clear()
    assert f"is damaged: {found.path.resolve()} has the SHA-256" in _refusal(FILE)


def test_of_several_processes_one_downloads(hub, models):
    hub.delay = 1.0
    code = (
        "from symmflow_jax.interop.hub.download import fetch\n"
        f"print(fetch({FILE!r}).hashes['a.pt'])"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate(timeout=120)[0].strip() for process in processes] == 2 * [SHA256]
    assert hub.ranges() == [""]


@pytest.mark.parametrize(
    "read", [read_weights, read_state_dict, features.inception, lpips.lpips, read_classifier]
)
def test_weights_are_fetched_wherever_a_file_of_them_is_read(hub, models, read):
    with pytest.raises(WeightsFileError, match="a.pt is no file of torch.save"):
        read(FILE)
    assert hub.ranges() == [""]


def test_paths_stay_and_links_are_refused(tmp_path):
    assert fetched(tmp_path / "a.pt") == tmp_path / "a.pt"
    assert here(tmp_path) == tmp_path and here(tmp_path / "a.pt") is None
    with pytest.raises(WeightsFileError, match="is a link; write hf:o/n/a.pt"):
        fetched("https://huggingface.co/o/n/resolve/main/a.pt")
