"""Checks of shapes and strict numerics for all tests, and what several of them need."""

import contextlib
import dataclasses
import gc
import importlib.machinery
import importlib.metadata
import io
import json
import os
import pathlib
import re
import resource
import runpy
import shlex
import subprocess
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

import beartype
import flax.linen as nn
import hypothesis
import jax
import jaxtyping
import numpy as np
import pytest
from PIL import Image


def _holds_arrays(hint: Any) -> bool:
    """Tells if a type hint is, or contains, an array of a shape."""
    if isinstance(hint, type) and issubclass(hint, jaxtyping.AbstractArray):
        return True
    return any(_holds_arrays(part) for part in typing.get_args(hint))


def check_arrays(function: Callable) -> Callable:
    """Makes a function check the arrays that it takes and returns.

    Other hints are left to mypy, so that a simple object of a test may stand for a class.
    """
    hints = function.__annotations__.items()
    function.__annotations__ = {name: hint for name, hint in hints if _holds_arrays(hint)}
    # Functions in functions are made, and come here, whenever the outer one is called.
    return beartype.beartype(function) if function.__annotations__ else function


# Modules that are imported before the hook is there escape it. As in the tests of diffrax.
_CHECKED = ("flow", "semantics", "networks", "codecs", "methods")
assert not any(name.startswith("symmflow_jax.") for name in sys.modules)
jaxtyping.install_import_hook(
    [f"symmflow_jax.{room}" for room in _CHECKED], f"sys.modules[{__name__!r}].check_arrays"
)

# ruff: noqa: E402
from symmflow_jax.codecs import autoencoder_weights
from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.masks.ids import read_mask
from symmflow_jax.interop.hub.download import fetch
from symmflow_jax.networks.autoencoder import Autoencoder
from symmflow_jax.networks.velocity.latent_unet import LatentUNet
from symmflow_jax.networks.velocity.unet import UNet
from symmflow_jax.runtime import compilation

# Tests run each program a few times and compile all of them: leave out what makes code fast.
# jaxlib 0.10 translates fused operations by way of MLIR, unless told to write LLVM code at once:
# that halves the time to compile a train step. A tenth goes into splitting the code for several
# threads, while all cores have tests to run. Other versions may not know the flags.
_FLAGS = ["--xla_backend_optimization_level=0"]
if importlib.metadata.version("jaxlib").startswith("0.10."):
    _FLAGS += ["--xla_cpu_use_fusion_emitters=false", "--xla_cpu_parallel_codegen_split_count=1"]
os.environ["XLA_FLAGS"] = " ".join([os.environ.get("XLA_FLAGS", ""), *_FLAGS]).strip()
compilation.choose_fast_cpu_kernels()

# Shapes that fit only by silent broadcasting, or dtypes that mix, are mistakes.
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
# A key that is used twice gives the same numbers twice.
jax.config.update("jax_debug_key_reuse", True)

# The first example of a shape compiles: no deadline. The same examples every time: no luck.
hypothesis.settings.register_profile("symmflow", deadline=None, derandomize=True, max_examples=25)
hypothesis.settings.load_profile("symmflow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test that is not slow as quick."""
    for item in items:
        if item.get_closest_marker("slow") is None:
            item.add_marker(pytest.mark.quick)


def pytest_collection_finish() -> None:
    """Makes garbage collection as rare as in a command, and pass over what is imported by now."""
    compilation.collect_garbage_rarely()
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Gives workers long runs of neighbouring tests, which share fixtures and programs."""
    if config.getoption("dist") != "load":  # What `-n` chooses.
        return None
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


@dataclasses.dataclass(frozen=True)
class ReferenceUNet:
    """One case of `fixtures/pixel_unet.npz`: arrays that PyTorch has computed."""

    network: UNet
    state_dict: Mapping[str, np.ndarray]
    x_t: np.ndarray
    y_t: np.ndarray
    t: np.ndarray
    v_x: np.ndarray
    v_y: np.ndarray


@pytest.fixture(scope="session")
def reference_unet() -> Callable[[str], ReferenceUNet]:
    """A function from the name of a case to the case."""
    path = pathlib.Path(__file__).parent / "fixtures" / "pixel_unet.npz"
    arrays = dict(np.load(path))
    cases = json.loads(str(arrays["cases"]))

    def load(name: str) -> ReferenceUNet:
        attributes = cases[name]["network"]
        for key in ("channel_multipliers", "attention_rates"):
            attributes[key] = tuple(attributes[key])
        prefix = f"{name}/weights/"
        weights = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
        split = [cases[name]["x_channels"]]
        return ReferenceUNet(
            UNet(**attributes),
            {key: value.astype(np.float32) for key, value in weights.items()},
            *np.split(arrays[f"{name}/inputs"], split, axis=-1),
            arrays[f"{name}/t"],
            *np.split(arrays[f"{name}/outputs"], split, axis=-1),
        )

    return load


@dataclasses.dataclass(frozen=True)
class ReferenceLatentNetwork:
    """One case of `fixtures/latent_networks.npz`: what diffusers has computed, and its weights."""

    network: nn.Module
    state_dict: Mapping[str, np.ndarray]
    arrays: Mapping[str, np.ndarray]


@pytest.fixture(scope="session")
def reference_latent_network(weights_by_name) -> Callable[[str], ReferenceLatentNetwork]:
    """A function from a kind and name such as "unet/outer_attention" to the case.

    The weights of a U-Net include the embedding of the prompt.
    """
    path = pathlib.Path(__file__).parent / "fixtures" / "latent_networks.npz"
    stored = dict(np.load(path))
    cases = json.loads(str(stored["cases"]))
    networks = {"unet": LatentUNet, "autoencoder": Autoencoder}

    def load(name: str) -> ReferenceLatentNetwork:
        kind, case_name = name.split("/")
        case = cases[kind][case_name]
        attributes = {k: tuple(v) if isinstance(v, list) else v for k, v in case["network"].items()}
        shapes = {key: tuple(shape) for key, shape in case["shapes"].items()}
        state_dict = {key: weights_by_name(key, shape) for key, shape in shapes.items()}
        arrays = {
            key.removeprefix(f"{name}/"): value
            for key, value in stored.items()
            if key.startswith(f"{name}/")
        }
        if kind == "unet":
            state_dict["prompt_embedding"] = arrays["text"]
            split = [case["x_channels"]]
            arrays["x_t"], arrays["y_t"] = np.split(arrays["inputs"], split, axis=-1)
        return ReferenceLatentNetwork(networks[kind](**attributes), state_dict, arrays)

    return load


@pytest.fixture(scope="session")
def float32_operations() -> Callable[[str], list[str]]:
    """A function from a lowered program to its products and convolutions of float32 numbers.

    Those that say themselves that they round their operands to bfloat16 do not count.
    """

    def find(text: str) -> list[str]:
        lines = [line for line in text.splitlines() if re.search("dot_general|convolution", line)]
        assert lines
        types = [line.rsplit(" : ", 1)[1].split("->")[0].replace("bf16", "") for line in lines]
        return [
            line
            for line, operands in zip(lines, types, strict=True)
            if "f32" in operands and "lhs_precision_type = bf16" not in line
        ]

    return find


_LEAST_SECONDS = "jax_persistent_cache_min_compile_time_secs"
"""The setting of JAX, and in capitals the variable, from which time on programs are kept."""


@pytest.fixture(scope="session", autouse=True)
def compiled_programs(tmp_path_factory) -> None:
    """A folder in which all tests, and the processes they start, share compiled programs."""
    root = tmp_path_factory.getbasetemp()
    # The workers of one test run have folders beside each other.
    folder = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "compiled"
    # A test's process that runs tests itself has the folder of that test.
    folder = os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
    jax.config.update("jax_compilation_cache_dir", folder)
    # To read a program costs half of what it takes to compile even the smallest one. But processes
    # that start together would read what another one has half written, and warn.
    jax.config.update(_LEAST_SECONDS, 0.0)
    os.environ.setdefault(_LEAST_SECONDS.upper(), "0.1")


@pytest.fixture(scope="session")
def simulated_devices() -> Callable[[int], str]:
    """A function from a number of CPU devices to the `XLA_FLAGS` of a process that has them."""
    return lambda count: f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={count}"


@pytest.fixture(scope="session")
def tiny_experiment() -> Callable[..., Experiment]:
    """A function from overrides such as `**{"train.batch_size": 4}` to the tiny run."""
    path = pathlib.Path(__file__).parent / "configs" / "tiny.py"
    get_config = runpy.run_path(str(path))["get_config"]

    def make(**overrides) -> Experiment:
        values = get_config()
        values.update_from_flattened_dict(overrides)
        return Experiment(conversion.from_config_dict(values))

    return make


_TINY_AUTOENCODER = {
    "channels": 4,
    "channel_multipliers": (1, 2),
    "num_res_blocks": 1,
    "latent_channels": 2,
    "num_groups": 2,
}


@pytest.fixture(scope="session")
def tiny_autoencoder(tmp_path_factory) -> pathlib.Path:
    """A file of random weights of a tiny autoencoder, as diffusers would write it."""
    network = Autoencoder(**_TINY_AUTOENCODER)
    images = np.zeros((1, 8, 8, 3), np.float32)
    shapes = jax.eval_shape(network.init, jax.random.key(0), images)["params"]
    rng = np.random.default_rng(5)
    params = jax.tree.map(lambda leaf: 0.3 * rng.standard_normal(leaf.shape, np.float32), shapes)
    path = tmp_path_factory.mktemp("autoencoder") / "vae.safetensors"
    autoencoder_weights.write(path, params, network)
    return path


@pytest.fixture(scope="session")
def latent_experiment(tiny_experiment, tiny_autoencoder) -> Callable[..., Experiment]:
    """As `tiny_experiment`, for a flow that moves latents."""
    sizes = {f"autoencoder.{key}": value for key, value in _TINY_AUTOENCODER.items()}
    sizes |= {"autoencoder.weights": str(tiny_autoencoder), "data.train_size": 10}
    return lambda **overrides: tiny_experiment(**sizes | overrides)


@pytest.fixture
def run_main() -> Callable[..., subprocess.Popen]:
    """A function that starts the command line in a process of its own, as a user would."""
    root = pathlib.Path(__file__).parent.parent

    def start(*arguments: str, config: str = "tests/configs/tiny.py", **environment: str):
        return subprocess.Popen(
            [sys.executable, "-m", "symmflow_jax.main", f"--config={config}", *arguments],
            cwd=root,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


@pytest.fixture
def full_disk() -> Callable[[], contextlib.AbstractContextManager[None]]:
    """A function to a context in which no file can grow, as on a full disk."""

    @contextlib.contextmanager
    def enter():
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        least_seconds = jax.config.values[_LEAST_SECONDS]
        # A compiled program would stay behind as an empty file.
        jax.config.update(_LEAST_SECONDS, float("inf"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            jax.config.update(_LEAST_SECONDS, least_seconds)

    return enter


@pytest.fixture
def no_tensorflow(monkeypatch):
    """Hides TensorFlow where it is installed."""
    find = importlib.machinery.PathFinder.find_spec
    monkeypatch.setattr(
        importlib.machinery.PathFinder,
        "find_spec",
        lambda name, *others: None if name.split(".")[0] == "tensorflow" else find(name, *others),
    )
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorflow"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def standard_dtype_promotion():
    """For tests that take optimizer steps: optax mixes integer counts with floats."""
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.fixture(scope="session")
def weights_by_name() -> Callable[[str, tuple[int, ...]], np.ndarray]:
    """The weights that the references of large networks were computed with."""
    path = pathlib.Path(__file__).parent / "fixtures" / "weights_by_name.py"
    return runpy.run_path(str(path))["weights"]


@pytest.fixture(scope="session")
def torch_pickles() -> types.SimpleNamespace:
    """Functions that write files of `torch.save` without torch; see `fixtures/torch_pickles.py`."""
    path = pathlib.Path(__file__).parent / "fixtures" / "torch_pickles.py"
    return types.SimpleNamespace(**runpy.run_path(str(path)))


@pytest.fixture(scope="session")
def hub_server() -> types.SimpleNamespace:
    """A stand-in of the Hugging Face hub; see `fixtures/hub_server.py`."""
    path = pathlib.Path(__file__).parent / "fixtures" / "hub_server.py"
    return types.SimpleNamespace(**runpy.run_path(str(path)))


@pytest.fixture
def hub(hub_server, tmp_path, monkeypatch):
    """A running stand-in without repositories, and an empty cache, also for processes."""
    constants = pytest.importorskip("huggingface_hub.constants")
    cache = tmp_path / "hub_cache"
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no_token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with hub_server.serve({}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        fetch.cache_clear()
        yield server
    fetch.cache_clear()


@pytest.fixture(scope="session")
def run_advice() -> Callable:
    """A function that runs the command at the end of a message, and reads the mask it has made.

    Args:
        message: the message.
        mask: the mask that it is about.
        in_shell: whether to start a shell with it, which takes longer.
    """

    def run(message: str, mask: pathlib.Path, in_shell: bool = False):
        assert "\n" not in message and str(mask) in message
        command = message[message.index("python -c ") :]
        if in_shell:
            subprocess.run(command, shell=True, check=True)
        else:
            program, option, code = shlex.split(command)
            exec(code, {})
        return read_mask(mask.parent.with_name(f"{mask.parent.name}_ids") / f"{mask.stem}.png")

    return run


def _draw(seed: int, step: int) -> np.ndarray:
    """uint8 `[120, 160]`: the regions of ten points, four classes with ids `step` apart."""
    rng = np.random.default_rng(seed)
    points = rng.uniform((0, 0), (120, 160), (10, 2))
    places = np.stack(np.mgrid[:120, :160], axis=-1)
    nearest = np.linalg.norm(places[..., None, :] - points, axis=-1).argmin(-1)
    return (np.arange(10) % 4 * step).astype(np.uint8)[nearest]


@pytest.fixture(scope="session")
def drawn_masks() -> Callable[[int, int], list[np.ndarray]]:
    """A function from a number and the distance of ids to masks."""
    return lambda count, step: [_draw(seed, step) for seed in range(count)]


@pytest.fixture(scope="session")
def compressed_masks() -> Callable[..., list[np.ndarray]]:
    """A function from a number, a quality and a distance of ids to masks that were JPEGs."""

    def compress(mask: np.ndarray, quality: int) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(mask).save(file, format="JPEG", quality=quality)
        return np.asarray(Image.open(file))

    return lambda count, quality, step=40: [
        compress(_draw(seed, step), quality) for seed in range(count)
    ]
