"""Commands and figures in the documents: every command runs, and what they name exists.

Each block of shell in README.md, docs/ and the docstrings of configs/ is given to bash with
stand-ins, which tell the commands in it. Programs of this package then run in this process, in a
folder with tiny data, with tiny settings behind their own; launchers run with `--dry-run`. What
does not run in full stands below, with the reason.
"""

import ast
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import textwrap
from collections.abc import Iterator

import jax
import numpy as np
import pytest
from absl import flags
from absl.testing import flagsaver
from PIL import Image

from symmflow_jax import main
from symmflow_jax.config import command_line, conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.build.tables import TABLES
from symmflow_jax.config.reading import config_file, overrides
from symmflow_jax.evaluation.compare import compare
from symmflow_jax.evaluation.report.paper import figures
from symmflow_jax.interop.hub import address
from tests.campaigns import data_kinds

ROOT = pathlib.Path(__file__).parents[1]
WEIGHTS = ROOT / "docs" / "weights.md"
DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "configs").glob("*.py")]
NAMES = {str(path.relative_to(ROOT)): path for path in sorted(DOCUMENTS)}

_MAIN = "symmflow_jax.main"
_NO_SHELL = {"python", "text", "yaml", "json", "toml", "html", "markdown"}
"""Languages of blocks that hold no commands."""

ELSEWHERE = {
    r"pip install ": "changes the environment that runs the tests; .ci/run installs",
    r"python -m pytest": "these tests",
    r"python -m venv": "makes an environment",
    r"python launch/empty_prompt\.py": "needs the text encoder of Stable Diffusion",
    r"mkdocs ": "tests/test_site.py builds the site",
    r"gcloud ": "needs an account of Google Cloud",
    r"kubectl ": "needs a cluster of Kubernetes",
    r"docker ": "needs Docker and hundreds of megabytes",
    r"\./gcluster ": "needs an account of Google Cloud",
    r"(scancel|scontrol|tail) ": "needs a job of Slurm",
    r"launch/\w+\.sh ": "ran with --dry-run before; tests/launch plays the rest",
    r"python -m symmflow_jax\.studies\.": "trains toys for minutes; tests/studies has short ones",
    r"python -m symmflow_jax\.main .*gs://": "needs a bucket; tests/test_buckets.py emulates them",
    r"python launch/notebooks/execute\.py": "tests/launch/test_notebooks.py runs all cells",
    r"python exports/": "tests/inference/export/standalone runs these scripts apart",
    r"python -m symmflow_jax\.interop\.convert_metric_weights": (
        "reads files of other projects; tests/interop converts small ones"
    ),
}
"""Commands that are not started here, by their beginning; their flags are looked at."""

OPENED = {
    r"configs/(?!shapes\.py)\S+(?!.*--mode)": "trains as configs/shapes.py, after its data is open",
    r"configs/shapes\.py --config\.train\.clock=": "trains as configs/shapes.py alone",
    r"--config\.data\.dir=data.* --mode=check_data": "looks as the command for pairs of folders",
    r"--mode=evaluate (?!--config\.eval\.num_steps=1,5,25)": "measures as that of shapes.py",
    r"configs/shapes_map\.py --mode=evaluate": "measures as that of shapes.py",
    r"--mode=(encode|finetune_vae)": "compiles the autoencoder; tests/preparation runs them",
    r"--mode=studio": "serves until a signal; tests/studio visits it",
    r"--mode=segment .*--(num_draws|flips)": "segments as the command without a vote or flips",
    r"--mode=benchmark .*--batch_sizes": "compiles all workloads; tests/performance runs it",
}
"""Commands that run until their work begins: config, classes, data and method are made."""

REFUSED = {
    r"--mode=import .*--input=hf:": (r"is not in the cache .* HF_HUB_OFFLINE", "has no network"),
    r"--mode=import": ("There is no ", "needs weights of others"),
    r"--mode=plan": ("config.plan.topology is ''", "compiles for minutes with the package libtpu"),
    r"tensorflow_datasets": ("tensorflow_datasets", "needs data that TFDS has prepared"),
}
"""Commands that end with one line for want of something: that line, and why."""

_TINY = {
    "data.train_size": 8, "data.eval_size": 4, "data.num_workers": 0, "data.latents": "",
    "network.channels": 4, "network.channel_multipliers": 1, "network.num_res_blocks": 1,
    "network.num_groups": 2, "network.head_channels": 4, "network.attention_rates": "()",
    "network.cross_attention_width": 4, "autoencoder.channels": 4, "autoencoder.num_groups": 2,
    "autoencoder.channel_multipliers": "1,2", "autoencoder.num_res_blocks": 1,
    "train.batch_size": 4, "train.num_epochs": 0.5, "train.warmup_epochs": 0,
    "train.eval_every_steps": 0, "eval.batch_size": 4, "eval.num_examples": 4,
    "eval.num_quick_examples": 4, "eval.num_generated": 4, "eval.generation_steps": 1,
    "eval.num_steps": 1, "eval.metrics": "recognition", "eval.num_seeds": 1,
    "eval.num_feature_samples": 0, "eval.features": "", "eval.lpips_weights": "",
    "eval.likelihood_examples": 0, "plan.topology": "",
}  # fmt: skip
_TINY_FLAGS = {
    "num_steps": 1, "num_samples": 2, "classifier_steps": 1, "num_rounds": 1, "batch_sizes": 4,
}  # fmt: skip
_WITHOUT = {("export", None): ("num_steps",), ("benchmark", "export"): ("batch_sizes",)}
"""Tiny flags that a part of a mode does not take, by mode and by --format or --only."""


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of code of a document: its language, empty if it has none, and its lines."""

    language: str
    text: str


def _blocks(path: pathlib.Path) -> Iterator[Block]:
    """The fenced and the indented blocks of a Markdown page, or of a config's docstring."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        text = ast.get_docstring(ast.parse(text)) or ""
    lines = [*text.splitlines(), ""]
    in_list = False
    while lines:
        line = lines.pop(0)
        in_list = bool(re.match(r" *(-|\d+\.) ", line)) or (in_list and not re.match(r"\S", line))
        fence = re.fullmatch(r"( *```)(\w*)", line)
        if fence:
            end = next(i for i, other in enumerate(lines) if other.rstrip() == fence[1])
            yield Block(fence[2], textwrap.dedent("\n".join(lines[:end])))
            del lines[: end + 1]
        elif not line and lines and re.match(r" {4,}[^ `]", lines[0]):
            ends = re.compile(r"| {0,3}\S.*")
            end = next(i for i, other in enumerate(lines) if ends.fullmatch(other))
            block = textwrap.dedent("\n".join(lines[:end]))
            del lines[:end]
            if not in_list:
                yield Block("", block)
            else:  # A paragraph of the list; the site shows no indented code there.
                assert not re.match(r"(python|pip|launch/\S+) ", block), f"{path}: fence {block}"


_PROGRAMS = (
    "python",
    "pip",
    "gcloud",
    "kubectl",
    "docker",
    "scancel",
    "scontrol",
    "tail",
    "mkdocs",
)
_STAND_INS = r"""
set -eu
record() { printf '%s\0' "$@" >&3; printf '\n\0' >&3; }
PATH=
""" + "".join(f'{name}() {{ record {name} "$@"; }}\n' for name in _PROGRAMS)
_LAUNCHER = """#!/bin/bash
printf '%s\\0' "launch/${{0##*/}}" "$@" >&3
printf '\\n\\0' >&3
PATH={path} exec {root}/launch/${{0##*/}} "$@" --dry-run
"""


def _commands(path: pathlib.Path, folder: pathlib.Path) -> list[list[str]]:
    """The commands of a document's shell, as bash reads them in a folder with stand-ins."""
    blocks = list(_blocks(path))
    unknown = {block.language for block in blocks} - _NO_SHELL - {"", "bash", "sh"}
    assert not unknown, f"{path.name} has blocks of {unknown}; are they commands?"
    shell = [block.text for block in blocks if block.language not in _NO_SHELL]
    # A name that the launchers take for a bucket.
    script = _STAND_INS + "\n".join(shell).replace("gs://BUCKET", "gs://bucket")
    told = folder / "commands"
    with told.open("wb") as file:
        result = subprocess.run(
            ["/bin/bash", "-c", f"exec 3>&{file.fileno()}\n{script}"],
            cwd=folder, pass_fds=[file.fileno()], capture_output=True, text=True,
        )  # fmt: skip
    assert result.returncode == 0, f"{path.name}: {result.stdout[-500:]}{result.stderr}"
    found = told.read_text(encoding="utf-8").split("\0\n\0")[:-1]
    return [command.split("\0") for command in found]


def _add_launchers(folder: pathlib.Path) -> None:
    """Stand-ins of the launchers, which run them with --dry-run, and of what shells start."""
    text = _LAUNCHER.format(path=os.environ["PATH"], root=ROOT)
    for script in (ROOT / "launch").glob("*.sh"):
        (folder / "launch").mkdir(exist_ok=True)
        place = folder / "launch" / script.name
        place.write_text(text)
        place.chmod(0o755)
    gcluster = folder / "gcluster"
    gcluster.write_text(text.split("PATH=")[0].replace("launch/", "./"))
    gcluster.chmod(0o755)
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "activate").write_text("")


@pytest.fixture(scope="module")
def shell_folder(tmp_path_factory):
    """A folder in which the shell of a document finds what it starts."""
    folder = tmp_path_factory.mktemp("shell")
    _add_launchers(folder)
    return folder


def _values(arguments: list[str]) -> dict[str, str]:
    """The values of flags by name."""
    return dict(text.removeprefix("--").split("=", 1) for text in arguments)


def _flags_of(module: str) -> set[str]:
    """The flags that the source of a module, or what it starts with, defines."""
    starts = ["symmflow_jax.studies.report", "symmflow_jax.config.command_line"]
    shared = starts if ".studies." in module else []
    places = [ROOT / name.replace(".", "/") for name in (module, *shared)]
    files = [p / "__main__.py" if p.is_dir() else p.with_suffix(".py") for p in places]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        ast.literal_eval(call.args[0])
        for call in calls
        if ast.unparse(call.func).startswith(("flags.DEFINE_", "define_number"))
    }


def _check_command_of_main(arguments: list[str]) -> None:
    """Checks that the mode uses every flag and key that a document gives to it."""
    rest, given = overrides.split(arguments)
    values = _values(rest)
    config = config_file.load(str(ROOT / values.pop("config"))).to_dict()
    conversion.from_given(overrides.applied(config, given))
    mode = main.MODES[values.get("mode", "train")]
    of_modes = {flag for other in main.MODES.values() for flag in other.flags}
    for name, value in values.items():
        flags.FLAGS[name].parser.parse(value)
        assert name not in of_modes or name in mode.flags, f"--{name} is of other modes"
    assert not overrides.unused(given, mode.keys)


@pytest.mark.parametrize("name", NAMES)
def test_commands_name_flags_and_keys_that_exist(name, shell_folder):
    for command in _commands(NAMES[name], shell_folder):
        if command[:3] == ["python", "-m", _MAIN]:
            _check_command_of_main(command[3:])
        elif command[:2] == ["python", "-m"] and command[2].startswith("symmflow_jax"):
            assert set(_values(command[3:])) <= _flags_of(command[2])


# A folder in which the commands run: data of each kind, and two saved runs.


def _add_pictures(folder: pathlib.Path, channels: tuple[int, ...]) -> None:
    folder.mkdir()
    for number in range(2):
        values = np.random.default_rng(number).integers(0, 256, (8, 8, *channels), np.uint8)
        Image.fromarray(values).save(folder / f"{number}.png")


def _add_archive(path: pathlib.Path, num_classes: int, side: int) -> None:
    rng = np.random.default_rng(0)
    arrays = {}
    for split in ("train", "val", "test"):
        labels = np.arange(2 * num_classes) % num_classes
        arrays[f"{split}_images"] = rng.integers(0, 256, (len(labels), side, side, 3), np.uint8)
        arrays[f"{split}_labels"] = labels[:, None].astype(np.uint8)
    np.savez(path, **arrays)


def _add_streets(folder: pathlib.Path, split: str) -> None:
    folder.mkdir(exist_ok=True)
    _add_pictures(folder / split, (3,))
    (folder / f"{split}annot").mkdir()
    for number in range(2):
        mask = np.arange(64, dtype=np.uint8).reshape(8, 8) % 12
        Image.fromarray(mask).save(folder / f"{split}annot" / f"{number}.png")


def _add_data(folder: pathlib.Path) -> None:
    kinds = {
        "DATA": lambda place: data_kinds._pairs(data_kinds._grey_mask, place, 0),
        "data/mnist": lambda place: data_kinds._idx(place, 0),
        "data/coco": lambda place: data_kinds._coco_stuff(place, 0),
        "data/cifar10": lambda place: data_kinds._cifar10(place, 0),
        "data/CelebAMask-HQ": lambda place: data_kinds._celebamask(place, 0),
    }
    for name, make in kinds.items():
        (folder / name).mkdir(parents=True)
        make(folder / name)
    for split in ("train", "val", "test"):
        _add_streets(folder / "CAMVID", split)
    (folder / "data" / "medmnist").mkdir()
    for name, num_classes in (("dermamnist", 7), ("bloodmnist", 8)):
        _add_archive(folder / "data" / "medmnist" / f"{name}.npz", num_classes, 28)
        _add_archive(folder / "data" / "medmnist" / f"{name}_224.npz", num_classes, 224)
    _add_pictures(folder / "photos", (3,))
    _add_pictures(folder / "digits", ())


def _add_saved_run(name: str, folder: pathlib.Path) -> None:
    archive = ROOT / "tests" / "fixtures" / "earlier_runs" / f"{name}.tar.xz"
    with tarfile.open(archive) as file:
        file.extractall(folder.parent, filter="data")
    (folder.parent / name).rename(folder)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The folder."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "configs").symlink_to(ROOT / "configs")
    _add_data(folder)
    (folder / "runs").mkdir()
    _add_saved_run("levels", folder / "runs" / "mnist")
    return folder


@pytest.fixture
def start(monkeypatch, place, standard_dtype_promotion):
    """A function from arguments of the command line to its exit: 0, or the error's text."""
    monkeypatch.setattr(command_line, "prepare", lambda: None)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(place)

    def run(*arguments: str):
        monkeypatch.setattr("sys.argv", ["symmflow_jax", *arguments])
        with flagsaver.flagsaver(), pytest.raises(SystemExit) as ended:
            command_line.start(main.main)
        return ended.value.code or 0

    return run


def _tiny(arguments: list[str]) -> list[str]:
    """Arguments with tiny settings behind them."""
    values = _values(overrides.split(arguments)[0])
    config = config_file.load(values["config"])
    keys = dict(_TINY)
    if config.data.image_size:
        keys["data.image_size"] = "8,8"
    alone = "--config.train.clock=generation" in arguments
    if config.train.clock == "unconditional" or alone:
        keys["eval.metrics"] = "objective"
    own = main.MODES[values.get("mode", "train")].flags
    added = {name: value for name, value in _TINY_FLAGS.items() if name in own}
    for name in _WITHOUT.get((values.get("mode"), values.get("format") or values.get("only")), ()):
        del added[name]
    if values.get("input") == "3,7":
        added["input"] = "3,5"  # The saved run has seven classes.
    return [
        *arguments,
        *(f"--config.{key}={value}" for key, value in keys.items()),
        *(f"--{name}={value}" for name, value in added.items()),
        *(["--overwrite"] if "overwrite" in own else []),
    ]


def _open(experiment, workdir) -> None:
    """Makes what the work of a command begins with."""
    assert len(experiment.training_source) and len(experiment.evaluation_source)
    assert experiment.schema.num_classes and experiment.method.codec.shapes


def _found(table, line: str):
    return next((value for beginning, value in table.items() if re.search(beginning, line)), None)


def _run_main(start, arguments: list[str], monkeypatch) -> str:
    """Runs a command of the main program; returns what went wrong, or nothing."""
    line = " ".join(arguments).removeprefix("--config=")
    refused = _found(REFUSED, line)
    mode = _values(overrides.split(arguments)[0]).get("mode", "train")
    with monkeypatch.context() as patch:
        if not refused and _found(OPENED, line):
            patch.setitem(main.MODES, mode, dataclasses.replace(main.MODES[mode], run=_open))
        code = start(*_tiny(arguments))
    if not refused:
        return str(code) if code else ""
    is_as_told = str(code).startswith("Error: ") and re.search(refused[0], str(code))
    return "" if is_as_told else f"ended with {code!r}, not with {refused[0]!r}"


def _compare(arguments: list[str]) -> str:
    """The program's work with the folders of its flag, of which the first was trained here."""
    folders = [pathlib.Path(run) for run in _values(arguments)["runs"].split(",")]
    for folder in folders[1:]:
        shutil.copytree(folders[0], folder, dirs_exist_ok=True)
    output = pathlib.Path("runs/comparison")
    compare(folders, output, overwrite=True)
    return "" if "miou" in (output / "comparison.md").read_text() else "its table has no mIoU"


@pytest.mark.slow
def test_every_command_runs(shell_folder, start, monkeypatch):
    """One test, because later commands use what earlier ones have made; README.md is the first."""
    done, faults = set(), []
    for name, path in NAMES.items():
        for command in _commands(path, shell_folder):
            line = " ".join(command)
            if line in done or _found(ELSEWHERE, line):
                continue
            done.add(line)
            if command[:3] == ["python", "-m", _MAIN]:
                fault = _run_main(start, command[3:], monkeypatch)
            elif command[:3] == ["python", "-m", "symmflow_jax.evaluation.compare"]:
                fault = _compare(command[3:])
            else:
                fault = "no test runs it, and no table of this module gives a reason"
            faults += [f"{name}: {line}: {fault}"] if fault else []
    assert not faults, "\n".join(faults)


def test_the_parts_on_the_page_of_extending_make_a_method():
    code = [b.text for b in _blocks(ROOT / "docs" / "extending.md") if b.language == "python"]
    before = {name: set(table) for name, table in TABLES.items()}
    namespace: dict = {"__name__": "my_parts"}
    try:
        exec("\n".join(code), namespace)
        experiment = Experiment(conversion.from_config_dict(namespace["get_config"]()))
        assert experiment.schema.names == ("outside", "inside")
        shapes = jax.eval_shape(experiment.method.init, jax.random.key(0))
        sizes = {leaf.shape for leaf in jax.tree.leaves(shapes)}
        # A point, a sign and two times in; a point and a sign out.
        assert {(5, 64), (64, 3)} <= sizes
        assert experiment.solver("ralston", 4).nfe == 8
    finally:
        for name, table in TABLES.items():
            for added in set(table) - before[name]:
                del table[added]


def test_every_reason_is_of_a_command(shell_folder):
    commands = [command for path in DOCUMENTS for command in _commands(path, shell_folder)]
    lines = [" ".join(command).replace("--config=", "", 1) for command in commands]
    for beginning in (*ELSEWHERE, *OPENED, *REFUSED):
        assert any(re.search(beginning, line.replace("--config=", "", 1)) for line in lines), (
            beginning
        )


def test_the_page_of_weights_imports_and_evaluates(shell_folder):
    of_main = [command for command in _commands(WEIGHTS, shell_folder) if _MAIN in command]
    modes = [_values(command[3:])["mode"] for command in of_main]
    assert modes.count("import") >= 6 and modes.count("evaluate") >= 5


def test_addresses_have_their_form():
    found = [text for path in DOCUMENTS for text in re.findall(r"=(hf:\S+)", path.read_text())]
    assert found
    for text in found:
        assert str(address.parse(text)) == text


_METRICS = {"mIoU, %": "miou", "FID": "fid", "LPIPS": "lpips"}


@pytest.mark.parametrize(
    ("title", "dataset"), [("COCO-Stuff", "coco_stuff"), ("CelebAMask-HQ", "celebamask_hq")]
)
def test_the_scores_of_the_paper_are_those_of_the_report(title, dataset):
    section = WEIGHTS.read_text().partition(f"### {title}\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\| (\S.*?) \| (\d+) \| (\S+) \| \|$", section, re.MULTILINE)
    found = {(_METRICS[score], int(steps)): float(value) for score, steps, value in rows}
    expected = {
        (series.metric, steps): value
        for series in figures.of(dataset)
        for steps, value in series.values.items()
    }
    assert found == expected
