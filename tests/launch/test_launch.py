import os
import pathlib
import shlex
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
CPU = ROOT / "launch" / "cpu.sh"
CUDA = ROOT / "launch" / "cuda.sh"
TPU_POD = ROOT / "launch" / "tpu_pod.sh"
POD = ["--name=my-pod", "--zone=us-central2-b", "--config=configs/coco.py"]
AWKWARD = ["--workdir=gs://bucket/my run", "--config.data.name=it's", "--config.data.dir=$HOME;*"]


def launch(script, *args, **env):
    # From elsewhere: nothing may depend on where the script is called.
    return subprocess.run(
        ["bash", script, *args], cwd="/", env=os.environ | env, capture_output=True, text=True
    )


def dry_run(script, *args):
    result = launch(script, *args, "--dry-run")
    assert result.returncode == 0, result.stderr
    return [shlex.split(line) for line in result.stdout.splitlines()]


def record(folder, *programs):
    """Programs that only note how they were called; `calls` reads the notes."""
    for program in programs:
        path = folder / program
        path.write_text(
            "#!/usr/bin/env bash\n"
            f'printf \'%s\\0\' {program} "$PWD" "$@" >> {folder}/calls\n'
            f"printf '\\n' >> {folder}/calls\n"
        )
        path.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def calls(folder):
    """(program, working directory, arguments) of each call."""
    lines = (folder / "calls").read_text().splitlines()
    split = [line.rstrip("\0").split("\0") for line in lines]
    return [(program, cwd, args) for program, cwd, *args in split]


def test_cuda_dry_run_shows_the_commands():
    assert dry_run(CUDA, "--config=configs/mnist.py", *AWKWARD) == [
        ["cd", str(ROOT)],
        ["python", "-m", "pip", "install", "-e", ".[cuda]"],
        ["python", "-m", "symmflow_jax.main", "--config=configs/mnist.py", *AWKWARD],
    ]


def test_cuda_runs_what_it_shows(tmp_path):
    env = record(tmp_path, "python")
    result = launch(CUDA, "--config", "configs/mnist.py", *AWKWARD, **env)
    assert result.returncode == 0, result.stderr
    shown = dry_run(CUDA, "--config", "configs/mnist.py", *AWKWARD)
    assert calls(tmp_path) == [("python", str(ROOT), command[1:]) for command in shown[1:]]


def test_tpu_pod_dry_run_shows_the_commands():
    tpu_vm = ["gcloud", "compute", "tpus", "tpu-vm"]
    make, copy, start = dry_run(TPU_POD, *POD, *AWKWARD, "--project=my-project")
    where = ["--zone=us-central2-b", "--project=my-project"]
    assert make[:-1] == [*tpu_vm, "ssh", "my-pod", *where, "--worker=all"]
    assert copy[:5] == [*tpu_vm, "scp"]
    assert "--recurse" in copy and "--worker=all" in copy and "my-pod:symmflow_jax" in copy
    assert {f"{ROOT}/{part}" for part in ("symmflow_jax", "configs", "setup.cfg")} <= set(copy)
    assert start[:-1] == make[:-1]
    remote = start[-1].removeprefix("--command=").split(" && ")
    assert [shlex.split(command) for command in remote] == [
        ["cd", "symmflow_jax"],
        ["python3", "-m", "pip", "install", "-e", ".[tpu]"],
        ["python3", "-m", "symmflow_jax.main", "--config=configs/coco.py", *AWKWARD],
    ]


def test_tpu_pod_runs_what_it_shows(tmp_path):
    env = record(tmp_path, "gcloud")
    result = launch(TPU_POD, *POD, *AWKWARD, **env)
    assert result.returncode == 0, result.stderr
    shown = dry_run(TPU_POD, *POD, *AWKWARD)
    assert [("gcloud", args) for _, _, args in calls(tmp_path)] == [
        ("gcloud", command[1:]) for command in shown
    ]


def test_the_remote_shell_receives_each_argument_whole(tmp_path):
    """Runs the remote command in a home folder, as ssh would on a host."""
    command = dry_run(TPU_POD, *POD, *AWKWARD)[-1][-1].removeprefix("--command=")
    (tmp_path / "symmflow_jax").mkdir()
    env = os.environ | record(tmp_path, "python3")
    subprocess.run(["bash", "-c", command], cwd=tmp_path, env=env, check=True)
    _, (_, cwd, args) = calls(tmp_path)
    assert cwd == str(tmp_path / "symmflow_jax")
    assert args == ["-m", "symmflow_jax.main", "--config=configs/coco.py", *AWKWARD]


def test_tpu_pod_can_be_created_first():
    create, *rest = dry_run(TPU_POD, *POD, "--accelerator-type=v4-32")
    assert create[4:] == [
        "create",
        "my-pod",
        "--zone=us-central2-b",
        "--accelerator-type=v4-32",
        "--version=tpu-ubuntu2204-base",
    ]
    assert rest == dry_run(TPU_POD, *POD)
    create, *_ = dry_run(TPU_POD, *POD, "--accelerator-type=v4-32", "--version", "v2-alpha")
    assert create[-1] == "--version=v2-alpha"


def test_tpu_pod_takes_the_python_of_its_hosts():
    remote = dry_run(TPU_POD, *POD, "--python=python3.12")[-1][-1]
    assert "&& python3.12 -m pip install" in remote
    assert "&& python3.12 -m symmflow_jax.main" in remote


@pytest.mark.parametrize(
    ("script", "args", "message"),
    [
        (CUDA, [], "--config is missing"),
        (CUDA, ["--config"], "--config needs a value"),
        (CUDA, ["--config="], "--config is missing"),
        (CUDA, ["--config.train.batch_size=3"], "--config is missing"),
        (TPU_POD, [], "missing: --name --zone --config"),
        (TPU_POD, ["--name=a", "--config=c"], "missing: --zone"),
        (TPU_POD, ["--name=a", "--zone"], "--zone needs a value"),
        (TPU_POD, [*POD, "--version=v2-alpha"], "give --accelerator-type too"),
    ],
)
def test_bad_usage_is_one_message(tmp_path, script, args, message):
    result = launch(script, *args, **record(tmp_path, "python", "gcloud"))
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
    assert not (tmp_path / "calls").exists()


def test_a_failing_command_ends_the_launch(tmp_path):
    (tmp_path / "python").write_text(f"#!/usr/bin/env bash\necho called >> {tmp_path}/n\nexit 3\n")
    (tmp_path / "python").chmod(0o755)
    result = launch(CUDA, "--config=c", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert result.returncode == 3
    assert (tmp_path / "n").read_text() == "called\n"  # Not trained after a failed installation.


@pytest.mark.parametrize("script", [CUDA, TPU_POD])
def test_help(script):
    result = launch(script, "--help")
    assert result.returncode == 0
    assert "Usage: launch/" in result.stdout and "--dry-run" in result.stdout
    assert os.access(script, os.X_OK)


def test_cpu_runs_what_it_shows(tmp_path):
    (shown,) = dry_run(CPU, "--config=configs/shapes.py", *AWKWARD)
    command = ["python", "-m", "symmflow_jax.main", "--config=configs/shapes.py", *AWKWARD]
    assert shown[0] == "env" and shown[3:] == command
    assert shown[1].startswith("GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:")
    result = launch(CPU, "--config=configs/shapes.py", *AWKWARD, **record(tmp_path, "python"))
    assert result.returncode == 0, result.stderr
    assert calls(tmp_path) == [("python", str(ROOT), command[1:])]
