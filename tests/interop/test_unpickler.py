"""The unpickler: what it reads, and that it runs nothing of what a file names."""

import io
import pathlib
import sys

import numpy as np
import pytest

from symmflow_jax.interop.torch_files import WeightsFileError, read_tensors
from symmflow_jax.interop.unpickler import PassedOver, Storage, Tensor, Unpickler


def _load(code: bytes):
    unpickler = Unpickler(io.BytesIO(b"\x80\x02" + code + b"."))
    return unpickler.load(), list(unpickler.passed_over)


def test_plain_values_come_back(torch_pickles):
    value = {"epoch": 3, "lr": 1e-3, "names": ["a", ("b", None)], 5: {True: "c"}, (1, "d"): 2.5}
    assert _load(torch_pickles.code(value)) == (value, [])


def test_an_unknown_name_stands_for_itself_alone(torch_pickles):
    t = torch_pickles
    name = t.named("no.such.module", "Thing")
    for code in (name, t.call(name, 1, {"a": 2}), t.instance(name, {"b": 3})):
        value, passed_over = _load(code)
        assert isinstance(value, PassedOver) and value.kind == "no.such.module.Thing"
        assert passed_over == ["no.such.module.Thing"]
    assert "no" not in sys.modules


def _attacks(t) -> dict[str, bytes]:
    """Pickles that would run a program, or exhaust memory or stack, each with one object."""
    touch = t.named("pathlib", "Path.touch")
    path = t.call(t.named("pathlib", "Path"), "attacked")
    system = t.call(t.named("os", "system"), "touch attacked")
    evaluated = t.call(t.named("builtins", "eval"), "open('attacked', 'w')")
    getter = t.call(t.named("builtins", "getattr"), t.named("os", ""), "system")
    ordered = t.named("collections", "OrderedDict")
    rebuild = t.named("torch._utils", "_rebuild_tensor_v2")
    storage = t.Code(t.code(("storage", t.named("torch", "FloatStorage"), "0", "cpu", 4)) + b"Q")
    return {
        "system": system,
        "eval": evaluated,
        "touch": t.call(touch, path),
        "protocol 0": t.Code(b"(S'touch attacked'\nios\nsystem\n"),
        "object": t.Code(b"(" + t.named("os", "system") + t.code("touch attacked") + b"o"),
        "new object": t.Code(t.named("os", "system") + t.code(("touch attacked",)) + b"\x81"),
        "a result is called": t.call(getter, "touch attacked"),
        "state of a function": t.Code(rebuild + t.code({"__code__": evaluated}) + b"b"),
        "state of a class": t.Code(ordered + t.code((None, {"update": evaluated})) + b"b"),
        "stand-in as key": {system: 1, t.named("a", "b"): 2},
        "stand-in in a set": t.Code(b"\x8f(" + system + b"\x90"),
        "registered extension": t.Code(b"\x82\x01"),
        "deep key": {t.nested_tuples(300_000): 1},
        "deep key of a constructor": t.call(ordered, [(t.nested_tuples(30_000), 1)]),
        "deep key in a set": t.Code(b"(" + t.nested_tuples(30_000) + b"\x91"),
        "deep lists": t.Code(b"]" * 100_000 + b"a" * 99_999),
        "far memo": t.memo_at(2**31 - 1),
        "long text": t.Code(b"\x8d" + b"\xff" * 7 + b"\x7f" + b"a"),
        "long bytes": t.Code(b"\x96" + b"\xff" * 7 + b"\x7f" + b"a"),
        "memo of itself": t.Code(b"}q\x00(" + t.code("a") + b"h\x00u"),
        "storage that is none": t.call(rebuild, system, 0, (2,), (1,), False, {}),
        "key of a storage": t.Code(
            t.code(("storage", t.named("torch", "FloatStorage"), system, "cpu", 4)) + b"Q"
        ),
        "tensor that is changed": t.Code(
            t.call(rebuild, storage, 0, (2,), (1,), False, {}) + t.code({"offset": 10**9}) + b"b"
        ),
        "tensor of any size": t.call(rebuild, storage, 0, (10**12, 10**12), (0, 0), False, {}),
        "tensor of a stand-in's size": t.call(rebuild, storage, 0, (system,), (1,), False, {}),
        "names on one line": t.named("a\rError: all is well", "b"),
    }


def test_hostile_pickles_run_nothing_and_end_in_a_reading_or_in_one_line(
    torch_pickles, tmp_path, monkeypatch, caplog
):
    monkeypatch.chdir(tmp_path)
    good = np.arange(4, dtype=np.float32)
    with caplog.at_level("INFO", "symmflow_jax"):
        for attack in _attacks(torch_pickles).values():
            path = pathlib.Path("run.pt")
            torch_pickles.save(path, {"good": good, "bad": attack})
            try:
                tensors = read_tensors(path)
            except WeightsFileError as error:
                assert "run.pt" in str(error) and len(str(error).splitlines()) == 1
                continue
            np.testing.assert_array_equal(tensors["good"], good)
            assert set(tensors) - {"bad"} == {"good"}
            assert isinstance(tensors.get("bad", good), np.ndarray)
            assert tensors.get("bad", good).size <= 4
    assert not pathlib.Path("attacked").exists()
    assert all(len(message.splitlines()) == 1 for message in caplog.messages)


def test_a_tensor_stays_in_its_storage():
    storage = Storage("0", np.dtype("float32"), 4)
    Tensor(storage, 0, (2, 2), (2, 1))
    with pytest.raises(ValueError, match="beyond its storage"):
        Tensor(storage, 1, (2, 2), (2, 1))
    with pytest.raises(ValueError, match="impossible shape"):
        Tensor(storage, -1, (2,), (1,))
