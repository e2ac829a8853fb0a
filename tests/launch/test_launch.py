"""launch/cpu.sh and launch/cuda.sh, and what holds for all scripts."""

import os
import shlex
import shutil
import signal
import subprocess
import threading

import pytest

from tests.launch.standins import ROOT, StandIns

LAUNCH = ROOT / "launch"
CPU = LAUNCH / "cpu.sh"
CUDA = LAUNCH / "cuda.sh"
AWKWARD = ["--workdir=runs/my run", "--config.data.name=it's", "--config.data.dir=$HOME;*"]
MNIST = "--config=configs/mnist.py"
HOSTS = [MNIST, "--hosts=a,b"]


@pytest.fixture
def programs(tmp_path):
    return StandIns(tmp_path)


def dry_run(script, *args):
    result = subprocess.run(
        ["bash", script, *args, "--dry-run"], cwd="/", capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return [shlex.split(line) for line in result.stdout.splitlines()]


def test_cuda_dry_run_shows_the_commands():
    assert dry_run(CUDA, MNIST, *AWKWARD) == [
        ["cd", str(ROOT)],
        ["python", "-m", "pip", "install", "-e", ".[cuda]"],
        ["python", "-m", "symmflow_jax.main", MNIST, *AWKWARD],
    ]


def test_cuda_runs_what_it_shows(programs):
    programs.play("python")
    result = programs.launch(CUDA, "--config", "configs/mnist.py", *AWKWARD)
    assert result.returncode == 0, result.stderr
    shown = dry_run(CUDA, "--config", "configs/mnist.py", *AWKWARD)
    assert programs.raw_calls() == [["python", str(ROOT), *command[1:]] for command in shown[1:]]


def test_a_failing_command_ends_the_launch(programs):
    programs.play("python", ("pip", [{"status": 3}]))
    assert programs.launch(CUDA, MNIST).returncode == 3
    assert len(programs.calls()) == 1  # Not trained after a failed installation.


def test_cuda_runs_what_it_shows_on_several_hosts(programs):
    programs.play("ssh")
    programs.play("python")
    result = programs.launch(CUDA, *HOSTS, *AWKWARD)
    assert result.returncode == 0, result.stderr
    shown = programs.launch(CUDA, *HOSTS, *AWKWARD, "--dry-run").stdout.splitlines()
    assert sorted(programs.calls("ssh")) == [shlex.split(line) for line in shown[2:]]


def test_every_host_receives_its_number_and_each_argument_whole(programs):
    """Runs the remote command, as ssh would on a host."""
    programs.play("python")
    for number, host in enumerate("ab"):
        line = dry_run(CUDA, *HOSTS, "--port=9532", *AWKWARD)[2 + number]
        assert line[:5] == ["ssh", "-n", "-o", "ServerAliveInterval=30", host]
        command = line[5].replace(shutil.which("python"), "python")
        # The stand-in keeps only arguments; env says what else a program gets.
        seen = programs.launch("-c", command.replace("exec env", "echo"))
        assert seen.stdout.split()[:3] == [
            "SYMMFLOW_COORDINATOR=a:9532",
            "SYMMFLOW_NUM_PROCESSES=2",
            f"SYMMFLOW_PROCESS_ID={number}",
        ]
        programs.launch("-c", command)
        assert programs.raw_calls()[-1][1:] == [
            *(str(ROOT), "-m", "symmflow_jax.main", MNIST),
            *AWKWARD,
        ]


def test_a_lost_process_starts_all_again(programs):
    programs.play("python")
    # The lost host breaks off; the other says what it is.
    programs.play(
        "ssh",
        ("ID=0", [{"status": 75, "out": "a process was lost\n"}, {}]),
        ("ID=1", [{"status": 255}, {}]),
    )
    assert programs.launch(CUDA, *HOSTS).returncode == 75
    programs.play("ssh", ("ID=0", [{"status": 75}, {}]), ("ID=1", [{"status": 255}, {}]))
    result = programs.launch(CUDA, *HOSTS, "--restarts=1", SYMMFLOW_PAUSE="0")
    assert result.returncode == 0, result.stderr
    assert "starts again (1 of 1)" in result.stderr
    assert len(programs.calls("ID=1")) == 3


def test_a_mistake_is_not_started_again(programs):
    programs.play("python")
    programs.play("ssh", ("ID=", [{"status": 1, "err": "Error: no such key\n"}]))
    result = programs.launch(CUDA, *HOSTS, "--restarts=5", SYMMFLOW_PAUSE="0")
    assert result.returncode == 1
    assert "[a] Error: no such key" in result.stdout
    assert len(programs.calls("ID=")) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_all_hosts_save_and_leave(programs, number):
    """The stand-in of ssh runs the command here; each host has its own place for its number."""
    here = f'eval "${{5//\\/tmp\\/symmflow-/{programs.folder}\\/$4-}}"; exit'
    programs.play("ssh", ("", [{"shell": here}]))
    save = "trap 'echo saved; exit 143' TERM; echo ready; while :; do sleep 0.05; done"
    programs.play("python", ("pip", [{}]), ("symmflow_jax.main", [{"shell": save}]))
    # Bash cannot trap what is ignored, as SIGINT is in jobs of the background.
    process = subprocess.Popen(
        ["env", "--default-signal=INT", "bash", CUDA, *HOSTS, "--restarts=3"],
        start_new_session=True,
        env=os.environ | {"PATH": f"{programs.folder}/programs:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(60, os.killpg, [process.pid, signal.SIGKILL])
    watchdog.start()
    lines = [process.stdout.readline() for _ in range(2)]
    assert sorted(lines) == ["[a] ready\n", "[b] ready\n"]
    process.send_signal(number)
    assert sorted(process.stdout.read().splitlines()) == ["[a] saved", "[b] saved"]
    assert process.wait() == 143
    watchdog.cancel()
    assert [call[0] for call in programs.calls()].count("ssh") == 4  # Two runs, two signals.


def test_cpu_runs_what_it_shows(programs):
    (shown,) = dry_run(CPU, "--config=configs/shapes.py", *AWKWARD)
    command = ["python", "-m", "symmflow_jax.main", "--config=configs/shapes.py", *AWKWARD]
    assert shown[0] == "env" and shown[3:] == command
    assert shown[1].startswith("GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:")
    programs.play("python")
    result = programs.launch(CPU, "--config=configs/shapes.py", *AWKWARD)
    assert result.returncode == 0, result.stderr
    assert programs.raw_calls() == [["python", str(ROOT), *command[1:]]]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "--config is missing"),
        (["--config"], "--config needs a value"),
        (["--config="], "--config is missing"),
        (["--config.train.batch_size=3"], "--config is missing"),
        ([MNIST, "--port=x"], "--port=x is no port"),
        ([MNIST, "--restarts=-1"], "--restarts=-1 is no number"),
    ],
)
def test_bad_usage_is_one_message(programs, args, message):
    programs.play("python")
    result = programs.launch(CUDA, *args)
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
    assert programs.calls() == []


@pytest.mark.parametrize("name", ["cpu", "cuda", "slurm", "kubernetes", "tpu_pod"])
def test_help(name):
    script = LAUNCH / f"{name}.sh"
    result = subprocess.run(["bash", script, "--help"], capture_output=True, text=True)
    assert result.returncode == 0
    assert f"Usage: launch/{name}.sh" in result.stdout and "--dry-run" in result.stdout
    assert os.access(script, os.X_OK)


def test_shellcheck_finds_nothing():
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed (pip install -e '.[dev]')")
    scripts = sorted(str(path.relative_to(ROOT)) for path in LAUNCH.rglob("*.sh"))
    result = subprocess.run(
        ["shellcheck", "--external-sources", *scripts], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout
