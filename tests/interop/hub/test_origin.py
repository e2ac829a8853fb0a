import hashlib

import pytest

from symmflow_jax.interop.hub.origin import origin_of
from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.runtime.storage.place import as_path

SHA256 = hashlib.sha256(b"weights").hexdigest()


def test_a_file_has_its_hash(tmp_path):
    path = tmp_path / "a.pt"
    path.write_bytes(b"weights")
    origin = origin_of(path)
    assert origin.to_json() == {"given": str(path), "commit": None, "sha256": {"a.pt": SHA256}}
    assert str(origin) == f"{path} (SHA-256 {SHA256})"


def test_a_file_in_a_bucket_has_its_hash(bucket):
    path = f"{bucket}/weights/a.pt"
    as_path(path).write_bytes(b"weights")
    assert origin_of(path).to_json() == {"given": path, "commit": None, "sha256": {"a.pt": SHA256}}
    with pytest.raises(WeightsFileError, match="is a folder; in a bucket, name one file"):
        origin_of(f"{bucket}/weights")


def test_a_folder_has_the_hashes_of_what_is_read(tmp_path):
    names = ["diffusion_pytorch_model.safetensors", "config.json", "diffusion_pytorch_model.bin"]
    for name in names:
        (tmp_path / name).write_bytes(b"weights")
    origin = origin_of(tmp_path)
    assert origin.hashes == dict.fromkeys(names[:2], SHA256)
    assert f"SHA-256 {SHA256} of config.json" in str(origin)


def test_an_address_has_its_commit_and_the_hash_of_the_same_file(hub, hub_server):
    repository = hub_server.Repository({"main": {"x/a.pt": b"weights"}})
    hub.repositories["someone/models"] = repository
    origin = origin_of("hf:someone/models/x/a.pt")
    commit = repository.commit("main")
    assert str(origin) == f"hf:someone/models/x/a.pt (commit {commit}, SHA-256 {SHA256})"
    assert origin.to_json()["sha256"] == {"x/a.pt": SHA256}
