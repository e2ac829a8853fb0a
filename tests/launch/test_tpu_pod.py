"""launch/tpu_pod.sh, with a stand-in of gcloud that plays the states of a pod."""

import contextlib
import functools
import io
import json
import re
import shlex
import subprocess

import pytest
from tpu_pod import accelerators, bucket, options, state
from tpu_pod.errors import UsageError
from tpu_pod.main import main

from tests.launch.standins import ROOT, StandIns

SCRIPT = ROOT / "launch" / "tpu_pod.sh"
STATUS = "my-bucket/pods/pod/status"
COMMON = ["--name=pod", "--bucket=gs://my-bucket", "--config=configs/coco.py", "--poll=0.02"]
V5E = [*COMMON, "--zone=us-west4-a", "--type=v5e-16"]
V6E = [*COMMON, "--zone=us-east5-b", "--type=v6e-16", "--project=my-project"]
AWKWARD = ["--config.data.name=it's", "--config.data.dir=gs://my-bucket/my data;$HOME*"]


@pytest.fixture
def cloud(tmp_path):
    return StandIns(tmp_path)


def queued(name, reason="", **more):
    answer = {"state": {"state": name}}
    if reason:
        answer["state"]["failedData"] = {"error": {"message": reason}}
    return {"out": json.dumps(answer), **more}


NOT_THERE = {"err": "ERROR: NOT_FOUND: Resource 'pod' was not found", "status": 1}
WAITING = queued("WAITING_FOR_RESOURCES")
PROVISIONING = queued("PROVISIONING")


def hosts(note, number=4):
    """What the hosts of a slice write to the bucket."""
    return {f"{STATUS}/host-{index}": f"{note}\n" for index in range(number)}


def active(note="running", number=4):
    return queued("ACTIVE", notes=hosts(note, number))


def play_queue(cloud, *states):
    cloud.play("gcloud", ("queued-resources describe", list(states)))


@functools.cache
def dry_run(*args):
    """The two files, which come first as here-documents, and the commands."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main([*args, "--dry-run"]) == 0
    *files, commands = re.split(r"^SYMMFLOW\n", out.getvalue(), flags=re.MULTILINE)
    return files, [shlex.split(line) for line in commands.splitlines()]


def verbs(cloud):
    """What was asked of the queue, without the looks."""
    calls = cloud.calls("queued-resources")
    return [call[call.index("queued-resources") + 1] for call in calls if "describe" not in call]


# The straight way.


def test_it_waits_until_the_pod_is_active_and_the_run_done(cloud):
    play_queue(cloud, NOT_THERE, WAITING, WAITING, PROVISIONING, active(), active("done"))
    result = cloud.launch(SCRIPT, *V5E)
    assert result.returncode == 0, result.stderr
    lines = [line[10:] for line in result.stdout.splitlines()]
    assert lines == [
        "pod: WAITING_FOR_RESOURCES",
        "pod: PROVISIONING",
        "pod: ACTIVE; of 4 hosts: 4 running",
        "pod: ACTIVE; done",
        "pod: the run is done (--restart does it again)",
        "pod: if its pod is still there, --delete ends its costs",
    ]
    assert verbs(cloud) == ["create"]


def test_it_runs_what_it_shows(cloud):
    more = [*AWKWARD, "--follow", "--delete-when-done", "--spot"]
    play_queue(cloud, NOT_THERE, active(), active("done"), NOT_THERE)
    result = cloud.launch(SCRIPT, *V5E, *more)
    assert result.returncode == 0, result.stderr
    _, shown = dry_run(*V5E, *more)
    # The folder for temporary files differs.
    lines = [shlex.join(command).replace("/tmp/", f"{cloud.folder}/") for command in shown]
    ran = {shlex.join(call) for call in cloud.calls()}
    assert ran == {line for line in lines if line.startswith("gcloud")}
    assert [line for line in lines if not line.startswith("gcloud")] == lines[4:5]  # tar
    assert (cloud.buckets / "my-bucket/pods/pod/code.tar.gz").stat().st_size > 10_000


def test_the_image_goes_by_the_type():
    def create(kind, *more):
        _, commands = dry_run(*COMMON, "--zone=us-west4-a", f"--type={kind}", *more)
        return next(command for command in commands if "create" in command)

    assert {"--accelerator-type=v4-32", "--runtime-version=tpu-ubuntu2204-base"} <= {
        *create("v4-32")
    }
    assert {"--accelerator-type=v5litepod-16", "--runtime-version=v2-alpha-tpuv5-lite"} <= {
        *create("v5e-16")
    }
    assert {"--accelerator-type=v5p-32", "--runtime-version=v2-alpha-tpuv5"} <= {*create("v5p-32")}
    assert {"--accelerator-type=v6e-16", "--runtime-version=v2-alpha-tpuv6e"} <= {
        *create("v6e-16", "--queue")
    }
    assert {"--machine-type=ct6e-standard-8t", "--maintenance-policy=TERMINATE"} <= {
        *create("v6e-8")
    }
    assert "--runtime-version=other" in create("v4-32", "--image=other")


def test_the_ways_to_pay():
    def create(*more):
        _, commands = dry_run(*V5E, *more)
        return next(command for command in commands if "create" in command)

    assert "--spot" in create("--spot")
    flex = create("--flex=24")
    assert flex[:3] == ["gcloud", "alpha", "compute"]
    assert {"--provisioning-model=flex-start", "--max-run-duration=24h"} <= {*flex}
    assert not {"--spot", "--provisioning-model=flex-start"} & {*create()}


def test_several_slices_are_one_request():
    _, commands = dry_run(*V5E, "--slices=2")
    create = next(command for command in commands if "create" in command)
    assert {"--node-count=2", "--node-prefix=pod"} <= {*create}
    assert not any(word.startswith("--node-id") for word in create)


# Troubles.


def test_a_preempted_pod_is_deleted_and_asked_for_again(cloud):
    play_queue(
        cloud,
        *(NOT_THERE, WAITING, active()),
        *(queued("SUSPENDING"), queued("SUSPENDED")),
        *(WAITING, active(), active("done")),
    )
    result = cloud.launch(SCRIPT, *V5E, "--spot")
    assert result.returncode == 0, result.stderr
    assert verbs(cloud) == ["create", "delete", "create"]
    assert "pod: SUSPENDED; asks again" in result.stdout
    create, again = cloud.calls("queued-resources create")
    assert create == again
    # The reports of the lost hosts are forgotten, or they would speak for the new ones.
    assert len(cloud.calls("storage rm")) == 2


def test_a_slice_may_be_preempted_while_its_request_is_active(cloud):
    cloud.play(
        "gcloud",
        (
            "queued-resources describe",
            [NOT_THERE, active(), active(), WAITING, active("done")],
        ),
        ("tpu-vm list", [{"out": "READY\n"}, {"out": "PREEMPTED\n"}, {"out": "READY\n"}]),
    )
    result = cloud.launch(SCRIPT, *V5E, "--spot")
    assert result.returncode == 0, result.stderr
    assert verbs(cloud) == ["create", "delete", "create"]


def test_the_same_command_takes_a_pod_up_that_was_preempted_meanwhile(cloud):
    play_queue(cloud, NOT_THERE, active(), active("done"))
    assert cloud.launch(SCRIPT, *V5E).returncode == 0
    write_notes(cloud, "failed with exit status 1")
    play_queue(cloud, queued("SUSPENDED"), WAITING, active("done"))
    result = cloud.launch(SCRIPT, *V5E)
    assert result.returncode == 0, result.stderr
    assert verbs(cloud) == ["create", "delete", "create"]


def write_notes(cloud, note, number=4):
    for name, text in hosts(note, number).items():
        (cloud.buckets / name).parent.mkdir(parents=True, exist_ok=True)
        (cloud.buckets / name).write_text(text)


def test_a_request_without_room_is_made_again(cloud):
    no_room = queued("FAILED", 'There is no more capacity in the zone "us-west4-a"')
    play_queue(cloud, NOT_THERE, WAITING, no_room, WAITING, active("done"))
    result = cloud.launch(SCRIPT, *V5E)
    assert result.returncode == 0, result.stderr
    assert verbs(cloud) == ["create", "delete", "create"]


def test_a_refused_request_ends_with_its_reason(cloud):
    play_queue(cloud, NOT_THERE, WAITING, queued("FAILED", "invalid network"))
    result = cloud.launch(SCRIPT, *V5E)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "pod was refused: invalid network" in result.stderr
    assert verbs(cloud) == ["create"]


def test_a_create_without_quota_ends_with_what_gcloud_said(cloud):
    said = "ERROR: Quota limit 'TPUV5sPreemptibleLitepodServing' has been exceeded.\nLimit: 0."
    cloud.play(
        "gcloud",
        ("queued-resources describe", [NOT_THERE]),
        ("queued-resources create", [{"err": said, "status": 1}]),
    )
    result = cloud.launch(SCRIPT, *V5E)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "has been exceeded. Limit: 0." in result.stderr
    assert len(cloud.calls("queued-resources create")) == 1


def test_a_broken_off_log_is_taken_up_again(cloud):
    cloud.play(
        "gcloud",
        ("queued-resources describe", [NOT_THERE, *[active()] * 3, active("done")]),
        ("queued-resources ssh", [{"err": "broken pipe", "status": 255}, {"out": "step 100\n"}]),
    )
    result = cloud.launch(SCRIPT, *V5E, "--follow")
    assert result.returncode == 0, result.stderr
    assert "the log broke off (exit status 255)" in result.stdout
    assert "step 100" in result.stdout
    assert verbs(cloud) == ["create", "ssh", "ssh", "ssh"]


def test_a_laptop_without_network_waits(cloud):
    offline = {"err": "ERROR: Unable to reach the server", "status": 1}
    play_queue(cloud, NOT_THERE, active(), offline, offline, active("done"))
    result = cloud.launch(SCRIPT, *V5E)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("cannot be seen now") == 1
    assert verbs(cloud) == ["create"]


def test_a_pod_that_was_deleted_is_not_asked_for_again(cloud):
    play_queue(cloud, NOT_THERE, WAITING, queued("DELETING"), NOT_THERE)
    result = cloud.launch(SCRIPT, *V5E)
    assert result.returncode == 1
    assert "it was deleted" in result.stderr
    assert verbs(cloud) == ["create"]


def test_a_failed_run_ends_the_watch_and_says_what_it_costs(cloud):
    play_queue(cloud, NOT_THERE, active(), active("failed with exit status 1"))
    result = cloud.launch(SCRIPT, *V5E)
    assert result.returncode == 1
    assert "the run failed with exit status 1; its log is in gs://my-bucket/pods/pod/log" in (
        result.stderr
    )
    assert "still there and costs" in result.stderr


def test_a_mended_run_starts_again_on_the_same_hosts(cloud):
    play_queue(cloud, active("failed with exit status 1"), active("done"))
    result = cloud.launch(SCRIPT, *V5E)
    assert result.returncode == 0, result.stderr
    (call,) = cloud.calls("queued-resources ssh")
    assert "--command=sudo bash /opt/symmflow/host.sh" in call and "--worker=all" in call
    assert verbs(cloud) == ["ssh"]


def test_the_same_command_only_watches_a_run_that_goes_on(cloud):
    files, _ = dry_run(*V5E)
    write_command(cloud, files)
    write_notes(cloud, "running")
    play_queue(cloud, active(), active(), active("done"))
    result = cloud.launch(SCRIPT, *V5E)
    assert result.returncode == 0, result.stderr
    assert verbs(cloud) == []
    assert cloud.calls("storage cp") == []


def write_command(cloud, files):
    path = cloud.buckets / "my-bucket/pods/pod/command"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(files[1].split("\n", 1)[1])


def test_another_command_does_not_end_a_run_unasked(cloud):
    files, _ = dry_run(*V5E)
    write_command(cloud, files)
    write_notes(cloud, "running")
    play_queue(cloud, active(), active(), active("done"))
    result = cloud.launch(SCRIPT, *V5E, "--mode=doctor")
    assert result.returncode == 1
    assert "has another command; --restart stops that one" in result.stderr
    assert verbs(cloud) == []
    assert cloud.launch(SCRIPT, *V5E, "--mode=doctor", "--restart").returncode == 0
    assert verbs(cloud) == ["ssh"]


def test_a_run_that_is_done_asks_for_no_pod(cloud):
    files, _ = dry_run(*V5E)
    write_command(cloud, files)
    write_notes(cloud, "done")
    play_queue(cloud, NOT_THERE)
    result = cloud.launch(SCRIPT, *V5E)
    assert result.returncode == 0
    assert "the run is done" in result.stdout
    assert verbs(cloud) == []


def test_after_its_time_the_pod_is_deleted_and_not_asked_for_again(cloud):
    play_queue(cloud, NOT_THERE, active(), active("limit"), NOT_THERE)
    result = cloud.launch(SCRIPT, *V5E, "--max-run-duration=12h")
    assert result.returncode == 0, result.stderr
    assert "its time is over; the same command goes on" in result.stdout
    assert verbs(cloud) == ["create", "delete"]


@pytest.mark.parametrize("note", ["done", "limit", "failed with exit status 1"])
def test_a_pod_that_its_hosts_deleted_is_not_asked_for_again(cloud, note):
    leaving = queued("DELETING", notes=hosts(note))
    play_queue(cloud, NOT_THERE, active(), leaving, NOT_THERE)
    more = ["--delete-when-done", "--max-run-duration=12h"]
    result = cloud.launch(SCRIPT, *V5E, *more)
    assert result.returncode == ("failed" in note), result.stderr
    assert len(cloud.calls("queued-resources create")) == 1
    assert "still there" not in result.stderr


def test_the_doctor_goes_before_the_training_on_the_same_pod(cloud):
    files, _ = dry_run(*V5E, "--mode=doctor")
    write_command(cloud, files)
    write_notes(cloud, "done")
    play_queue(cloud, active("done"))
    result = cloud.launch(SCRIPT, *V5E)
    assert result.returncode == 0, result.stderr
    assert verbs(cloud) == ["ssh"]
    assert "doctor" not in (cloud.buckets / "my-bucket/pods/pod/command").read_text()


def test_delete(cloud):
    play_queue(cloud, NOT_THERE)
    result = cloud.launch(SCRIPT, "--name=pod", "--zone=z", "--type=v5e-16", "--delete")
    assert result.returncode == 0, result.stderr
    assert verbs(cloud) == ["delete"]
    play_queue(cloud, active())
    result = cloud.launch(SCRIPT, "--name=pod", "--zone=z", "--type=v5e-16", "--delete")
    assert result.returncode == 1
    assert "could not be deleted: it is ACTIVE" in result.stderr


# Compute Engine.


def play_compute(cloud, statuses, *rules, groups=("",)):
    cloud.play(
        "gcloud",
        *rules,
        ("compute instances list", statuses),
        ("managed list", [{"out": name} for name in groups]),
    )


def words(cloud, *known):
    """The commands of Compute Engine that change something."""
    return [
        " ".join(call[2:5])
        for call in cloud.calls("gcloud compute")
        if not {"list", "ssh"} & set(call)
    ]


def test_a_slice_of_compute_engine_is_a_group_with_a_policy(cloud):
    running = {"out": "RUNNING\n" * 4}
    play_compute(
        cloud,
        [{}, {"out": "PENDING\n" * 4}, {**running, "notes": hosts("running")}]
        + [{**running, "notes": hosts("done")}],
        groups=("", "pod"),
    )
    result = cloud.launch(SCRIPT, *V6E)
    assert result.returncode == 0, result.stderr
    assert "pod: 0 of 4 hosts RUNNING" in result.stdout
    policy, template, group = cloud.calls(" create ")
    assert {"--type=HIGH_THROUGHPUT", "--accelerator-topology=4x4"} <= {*policy}
    assert {"--machine-type=ct6e-standard-4t", "--scopes=cloud-platform"} <= {*template}
    place = "projects/my-project/regions/us-east5"
    assert {
        "--size=4",
        "--target-size-policy-mode=bulk",
        "--default-action-on-vm-failure=do-nothing",
        f"--workload-policy={place}/resourcePolicies/pod",
        f"--template={place}/instanceTemplates/pod",
    } <= {*group}


def test_a_preempted_host_ends_the_whole_group(cloud):
    running = {"out": "RUNNING\n" * 4}
    play_compute(
        cloud,
        [
            *({}, {**running, "notes": hosts("running")}),
            {"out": "RUNNING\nTERMINATED\nRUNNING\nRUNNING\n"},
            {**running, "notes": hosts("done")},
        ],
        groups=("", "pod"),
    )
    result = cloud.launch(SCRIPT, *V6E, "--spot")
    assert result.returncode == 0, result.stderr
    assert "pod: TERMINATED; asks again" in result.stdout
    assert len(cloud.calls("managed create pod")) == 2
    assert len(cloud.calls("managed delete pod")) == 1


def test_an_instance_waits_for_room(cloud):
    no_room = {
        "err": "ERROR: The zone does not have enough resources available to fulfill the request.",
        "status": 1,
    }
    play_compute(
        cloud,
        [{}, {"out": "RUNNING\n", "notes": hosts("done", 1)}],
        ("instances create", [no_room, no_room, {}]),
    )
    result = cloud.launch(SCRIPT, *COMMON, "--zone=us-east5-b", "--type=v6e-4")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("no room in us-east5-b") == 1
    assert len(cloud.calls("instances create")) == 3


def test_a_preempted_instance_that_vanished_is_asked_for_again(cloud):
    play_compute(
        cloud,
        [
            *({}, {"out": "RUNNING\n", "notes": hosts("running", 1)}),
            *({}, {"out": "RUNNING\n", "notes": hosts("done", 1)}),
        ],
    )
    one = [*COMMON, "--zone=us-east5-b", "--type=v6e-4", "--spot", "--max-run-duration=2d"]
    result = cloud.launch(SCRIPT, *one)
    assert result.returncode == 0, result.stderr
    first, second = cloud.calls("instances create")
    assert first == second
    assert {"--provisioning-model=SPOT", "--max-run-duration=172800s"} <= {*first}
    assert "--instance-termination-action=DELETE" in first


def test_the_log_of_a_group_is_that_of_its_first_host(cloud):
    running = {"out": "RUNNING\n" * 4}
    first = {"my-bucket/pods/pod/first-host": "pod-x1z2\n"}
    play_compute(
        cloud,
        [{}, {**running, "notes": hosts("running") | first}, {**running, "notes": hosts("done")}],
    )
    assert cloud.launch(SCRIPT, *V6E, "--follow").returncode == 0
    (call,) = cloud.calls("compute ssh")
    assert call[3] == "pod-x1z2"


# What the hosts do.


@pytest.fixture
def machine(tmp_path):
    """A host: its root, and stand-ins of what the start of a machine uses."""
    cloud = StandIns(tmp_path)
    for program in (
        "curl",
        "apt-get",
        "lsb_release",
        "uv",
        "systemctl",
        "systemd-run",
        "journalctl",
    ):
        cloud.play(program)
    cloud.play("hostname", ("", [{"out": "host-0\n"}]))
    cloud.play("gcloud")
    root = tmp_path / "root"
    for folder in ("usr/share/keyrings", "etc/apt/sources.list.d", "etc/systemd/system"):
        (root / folder).mkdir(parents=True)
    return cloud, root


def start_host(machine, *more, mode="", **env):
    """Runs the startup script of a dry run; returns its result."""
    cloud, root = machine
    files, commands = dry_run(*V5E, *AWKWARD, *more)
    pod = root / "mnt/symmflow/pods/pod"
    pod.mkdir(parents=True, exist_ok=True)
    (pod / "command").write_text(files[1].split("\n", 1)[1])
    (archive,) = [command for command in commands if command[0] == "tar"]
    subprocess.run([*archive[:3], f"--file={pod}/code.tar.gz", *archive[4:]], check=True)
    script = cloud.folder / "startup.sh"
    script.write_text(files[0].split("\n", 1)[1])
    args = [script, mode] if mode else [script]
    return cloud.launch(*args, SYMMFLOW_ROOT=str(root), **env)


def test_a_host_mounts_the_bucket_and_starts_the_run(machine):
    cloud, root = machine
    cloud.play("curl", ("agent-worker-number", [{"out": "0"}]))
    result = start_host(machine)
    assert result.returncode == 0, result.stderr
    units = root / "etc/systemd/system"
    mount = (units / "symmflow-bucket.service").read_text()
    assert f" my-bucket {root}/mnt/symmflow\n" in mount
    assert " --rename-dir-limit=200000 " in mount
    # The bucket is there before the run and goes after it.
    assert "After=symmflow-bucket.service" in (units / "symmflow.service").read_text()
    starts = [call for call in cloud.calls("systemctl") if call[1] in ("start", "restart")]
    assert [call[2] for call in starts] == ["symmflow-bucket", "symmflow"]
    assert [call[1] for call in cloud.calls("uv ")] == ["venv", "pip"]
    assert cloud.calls("systemctl restart symmflow")
    assert not cloud.calls("systemd-run")
    assert (root / "opt/symmflow/code/symmflow_jax/main.py").exists()
    assert (root / "opt/symmflow/code/configs/coco.py").exists()
    pod = root / "mnt/symmflow/pods/pod"
    assert (pod / "status/host-0").read_text() == "running\n"
    assert (pod / "first-host").read_text() == "host-0\n"


def test_the_program_receives_each_argument_whole(machine):
    cloud, root = machine
    assert start_host(machine).returncode == 0
    command = (root / "opt/symmflow/command").read_text()
    cloud.play("python")
    cloud.launch("-c", command.replace("/opt/symmflow/venv/bin/python", "python"))
    (call,) = cloud.calls("python -m")
    assert call[1:] == [
        *("-m", "symmflow_jax.main", "--config=configs/coco.py", "--config.data.name=it's"),
        "--config.data.dir=/mnt/symmflow/my data;$HOME*",
        "--workdir=/mnt/symmflow/runs/pod",
    ]


def test_the_unit_starts_again_what_saved_or_lost_a_process(machine):
    _, root = machine
    assert start_host(machine).returncode == 0
    unit = (root / "etc/systemd/system/symmflow.service").read_text().splitlines()
    assert "RestartForceExitStatus=75 143" in unit
    assert "RestartPreventExitStatus=1 2" in unit
    assert "KillMode=mixed" in unit
    environment = " ".join(line for line in unit if line.startswith("Environment="))
    assert f"JAX_COMPILATION_CACHE_DIR={root}/mnt/symmflow/cache/jax" in environment
    assert "SYMMFLOW_STARTUP_TIMEOUT=1800" in environment


@pytest.mark.parametrize("status", ["75", "143", "KILL"])
def test_an_end_that_is_no_end_is_noted(machine, status):
    _, root = machine
    assert start_host(machine).returncode == 0
    assert start_host(machine, mode="ended", EXIT_STATUS=status).returncode == 0
    note = root / "mnt/symmflow/pods/pod/status/host-0"
    assert note.read_text() == f"ended {status}\n"
    assert not (root / "opt/symmflow/over").exists()
    assert start_host(machine, mode="failed").returncode == 0
    assert note.read_text() == f"failed with exit status {status}\n"
    assert (root / "opt/symmflow/over").exists()


def test_the_last_host_that_is_done_deletes_the_pod(machine):
    cloud, root = machine
    assert start_host(machine, "--delete-when-done").returncode == 0
    status = root / "mnt/symmflow/pods/pod/status"
    for name in ("host-1", "host-2"):
        (status / name).write_text("done\n")
    start_host(machine, "--delete-when-done", mode="ended", EXIT_STATUS="1")
    start_host(machine, "--delete-when-done", mode="ended", EXIT_STATUS="0")
    assert (status / "host-0").read_text() == "done\n"
    assert not cloud.calls("gcloud compute")
    (status / "host-3").write_text("done\n")
    start_host(machine, "--delete-when-done", mode="ended", EXIT_STATUS="0")
    (delete,) = cloud.calls("gcloud compute")
    assert delete[4:6] == ["delete", "pod"] and "--force" in delete
    start_host(machine, "--delete-when-done", mode="failed")
    assert len(cloud.calls("gcloud compute")) == 2
    start_host(machine, mode="ended", EXIT_STATUS="0")  # Without the option it stays.
    assert len(cloud.calls("gcloud compute")) == 2


def test_near_its_limit_the_run_saves_and_the_pod_goes(machine):
    cloud, root = machine
    cloud.play("systemctl", ("is-active", [{"status": 3}]))
    assert start_host(machine, "--max-run-duration=1h").returncode == 0
    (timer,) = cloud.calls("systemd-run")
    assert "--on-active=3300s" in timer
    assert start_host(machine, "--max-run-duration=1h", mode="limit").returncode == 0
    last = [call for call in cloud.calls() if call[0] in ("systemctl", "gcloud")][-2:]
    assert last[0] == ["systemctl", "stop", "symmflow"] and "delete" in last[1]
    assert (root / "mnt/symmflow/pods/pod/status/host-0").read_text() == "limit\n"


def test_a_host_that_cannot_be_set_up_says_so(machine):
    cloud, root = machine
    cloud.play("uv", ("pip", [{"err": "no such package", "status": 1}]))
    assert start_host(machine).returncode != 0
    note = (root / "mnt/symmflow/pods/pod/status/host-0").read_text()
    assert note.startswith("failed to set up")
    assert not cloud.calls("systemctl restart")


# Values.


def test_hosts_and_topologies():
    def hosts_of(name):
        return accelerators.accelerator(name).hosts

    assert [hosts_of(name) for name in ("v4-8", "v4-32", "v5p-8", "v5p-128")] == [1, 4, 1, 16]
    assert [hosts_of(f"v5e-{size}") for size in (1, 4, 8, 16, 256)] == [1, 1, 1, 4, 64]
    assert accelerators.accelerator("v5litepod-16") == accelerators.accelerator("v5e-16")
    assert accelerators.accelerator("v6e-32").topology == "4x8"
    assert accelerators.accelerator("v6e-4").topology == ""


@pytest.mark.parametrize(
    ("notes", "outcome"),
    [
        ("", state.Outcome.NOTHING),
        ("running\n", state.Outcome.RUNNING),
        ("running\nrunning\n", state.Outcome.RUNNING),
        ("done\nended 143\n", state.Outcome.RUNNING),
        ("done\n", state.Outcome.RUNNING),
        ("done\ndone\n", state.Outcome.DONE),
        ("done\nlimit\n", state.Outcome.LIMIT),
        ("limit\nfailed with exit status 1\n", state.Outcome.FAILED),
    ],
)
def test_reports_of_two_hosts(notes, outcome):
    assert state.report_of(notes, 2).outcome is outcome


def test_paths_in_the_bucket_become_local():
    given = ["--a=gs://b1/x,gs://b1/y", "gs://b1", "--c=gs/b1"]
    assert bucket.mapped(given, "gs://b1") == [
        "--a=/mnt/symmflow/x,/mnt/symmflow/y",
        "/mnt/symmflow",
        "--c=gs/b1",
    ]
    for elsewhere in ("--a=gs://b12/x", "--a=gs://b1/x,gs://other/y", "--a=s3://b1/x"):
        with pytest.raises(UsageError, match="is not in gs://b1, the only bucket"):
            bucket.mapped([elsewhere], "gs://b1")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "missing: --name --zone --type --bucket --config"),
        (["--delete"], "missing: --name --zone --type"),
        ([*V5E, "--zone"], "argument --zone: expected one argument"),
        ([*V5E, "--type=v7-8"], "--type=v7-8 is unknown; known are v4-32, v5e-16, v5p-32, v6e-16"),
        ([*V5E, "--type=v5e-7"], "sizes are 1, 4, 8, 16"),
        ([*V5E, "--type=v4-12"], "--type=v4-12 has no such size"),
        ([*V5E, "--name=My_Pod"], "--name=My_Pod is no name"),
        ([*V5E, "--bucket=gs://b/folder"], "is no bucket"),
        ([*V5E, "--config=/etc/x.py"], "--config=/etc/x.py is not below configs/"),
        ([*V5E, "--config=configs/none.py"], "--config=configs/none.py does not exist"),
        ([*V5E, "--workdir=runs/x"], "--workdir=runs/x is on the disk of a host"),
        ([*V5E, "--workdir", "runs/x"], "--workdir=runs/x is on the disk of a host"),
        ([*V5E, "--workdir=gs://other/x"], "the only bucket that the hosts mount"),
        ([*V5E, "--spot", "--flex=3"], "--spot and --flex are two ways to pay"),
        ([*V5E, "--flex=200"], "--flex=200 is not between 1 and 168 hours"),
        ([*V5E, "--flex=3", "--max-run-duration=2h"], "leave out --max-run-duration"),
        ([*V5E, "--max-run-duration=5m"], "--max-run-duration=5m is no time of at least"),
        ([*V5E, "--slices=0"], "--slices=0 is less than 1"),
        ([*V5E, "--queue"], "--queue is for v6e"),
        ([*V6E, "--slices=2"], "Compute Engine joins no slices; give --queue"),
        ([*V6E, "--project="], "missing: --project"),
    ],
)
def test_a_mistake_is_one_message(args, message):
    with pytest.raises(UsageError) as error:
        options.parsed(args)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_the_script_ends_with_2_after_a_mistake(cloud):
    cloud.play("gcloud")
    result = cloud.launch(SCRIPT, *V5E, "--type=v3-8")
    assert result.returncode == 2
    assert result.stderr.startswith("tpu_pod.sh: --type=v3-8 is unknown")
    assert result.stderr.count("\n") == 1
    assert cloud.calls() == []


def test_the_workdir_may_be_in_the_bucket():
    given = options.parsed([*V5E, "--workdir=gs://my-bucket/runs/x"])
    assert given.arguments[1:] == ("--workdir=/mnt/symmflow/runs/x",)


def test_the_program_may_use_the_bucket_itself():
    given = options.parsed([*V5E, "--direct", "--config.data.dir=gs://other/packed"])
    assert given.arguments[1:] == (
        "--config.data.dir=gs://other/packed",
        "--workdir=gs://my-bucket/runs/pod",
    )
    given = options.parsed([*V5E, "--direct", "--workdir=gs://other/x"])
    assert given.arguments[1:] == ("--workdir=gs://other/x",)
    with pytest.raises(UsageError, match="--workdir=runs/x is on the disk of a host"):
        options.parsed([*V5E, "--direct", "--workdir=runs/x"])


def test_help(cloud):
    result = cloud.launch(SCRIPT, "--help")
    assert result.returncode == 0
    assert "Usage: launch/tpu_pod.sh" in result.stdout and "--max-run-duration" in result.stdout
