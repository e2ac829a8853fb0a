"""launch/kubernetes.sh, with stand-ins of docker and kubectl that play the states of a JobSet."""

import pytest
import yaml

from tests.launch.standins import ROOT, StandIns

SCRIPT = ROOT / "launch" / "kubernetes.sh"
COMMON = ["--name=coco", "--image=r/p/symmflow", "--bucket=gs://my-bucket"]
COMMON += ["--config=configs/coco.py"]
TPU = [*COMMON, "--accelerator=tpu-v5-lite-podslice", "--topology=4x4"]
GPU = [*COMMON, "--accelerator=nvidia-h100-80gb", "--nodes=2", "--gpus-per-node=8"]
AWKWARD = ['--config.data.name=it\'s "it"\\', "--config.data.dir=gs://my-bucket/$(HOME) x"]


@pytest.fixture
def cluster(tmp_path):
    cluster = StandIns(tmp_path)
    cluster.play("docker")
    play(cluster)
    return cluster


def play(cluster, *states):
    cluster.play(
        "kubectl",
        ("apply", [{"shell": f"cat >{cluster.folder}/manifest"}]),
        ("logs", [{"status": 1, "err": "no pods"}, {"out": "step 100\n"}]),
        ("status.terminalState", [{"out": state} for state in states] or [{}]),
        ("status.restarts", [{"out": "restarts: 0"}, {"out": "restarts: 1"}]),
    )


def applied(cluster, *args):
    """The manifest that is applied."""
    result = cluster.launch(SCRIPT, *args)
    assert result.returncode == 0, result.stderr
    return yaml.safe_load((cluster.folder / "manifest").read_text())


def jobs(manifest):
    (hosts,) = manifest["spec"]["replicatedJobs"]
    return hosts, hosts["template"]["spec"], hosts["template"]["spec"]["template"]["spec"]


def test_it_runs_what_it_shows(cluster):
    args = [*TPU, "--build", "--follow"]
    play(cluster, "Completed")
    result = cluster.launch(SCRIPT, *args)
    assert result.returncode == 0, result.stderr
    shown = cluster.launch(SCRIPT, *args, "--dry-run").stdout
    manifest = (cluster.folder / "manifest").read_text()
    commands = shown.replace(manifest, "").replace(" <<'YAML'\nYAML\n", "\n").splitlines()
    assert [line.replace("'", "") for line in commands] == [
        " ".join(call) for call in cluster.calls()
    ]
    assert [call[:2] for call in cluster.calls("docker")] == [
        ["docker", "build"],
        ["docker", "push"],
    ]
    assert "--target=tpu" in cluster.calls("docker build")[0]


def test_a_mistake_ends_the_job_and_anything_else_starts_it_again(cluster):
    manifest = applied(cluster, *TPU, "--max-restarts=7")
    policy = manifest["spec"]["failurePolicy"]
    assert policy["maxRestarts"] == 7
    assert policy["rules"] == [
        {"action": "FailJobSet", "onJobFailureReasons": ["PodFailurePolicy"]}
    ]
    _, job, pod = jobs(manifest)
    assert job["backoffLimit"] == 0
    assert pod["restartPolicy"] == "Never"
    (rule,) = job["podFailurePolicy"]["rules"]
    assert rule["action"] == "FailJob"
    assert rule["onExitCodes"] == {"containerName": "main", "operator": "In", "values": [1, 2]}


@pytest.mark.parametrize(
    ("topology", "more", "hosts", "chips"),
    [
        ("4x4", [], 4, 4),
        ("2x2", [], 1, 4),
        ("1x1", [], 1, 1),
        ("2x4", ["--chips-per-host=8"], 1, 8),
        ("2x2x4", [], 4, 4),
    ],
)
def test_a_slice_has_the_hosts_of_its_topology(cluster, topology, more, hosts, chips):
    manifest = applied(cluster, *TPU, f"--topology={topology}", *more, "--slices=2")
    replicated, job, pod = jobs(manifest)
    assert replicated["replicas"] == 2
    assert job["parallelism"] == job["completions"] == hosts
    assert pod["containers"][0]["resources"]["limits"] == {"google.com/tpu": chips}
    assert pod["nodeSelector"]["cloud.google.com/gke-tpu-topology"] == topology
    assert "SYMMFLOW_COORDINATOR" not in str(manifest)  # GKE tells the processes of TPUs.


def test_gpu_nodes_meet_at_the_first_pod(cluster):
    manifest = applied(cluster, *GPU)
    _, job, pod = jobs(manifest)
    environment = {entry["name"]: entry for entry in pod["containers"][0]["env"]}
    assert job["parallelism"] == 2
    assert environment["SYMMFLOW_COORDINATOR"]["value"] == "coco-hosts-0-0.coco:9531"
    assert environment["SYMMFLOW_NUM_PROCESSES"]["value"] == "2"
    assert "job-completion-index" in str(environment["SYMMFLOW_PROCESS_ID"]["valueFrom"])
    assert pod["containers"][0]["resources"]["limits"] == {"nvidia.com/gpu": 8}
    assert "annotations" not in manifest["metadata"]
    _, _, pod = jobs(applied(cluster, *GPU, "--nodes=1"))
    alone = {entry["name"]: entry.get("value") for entry in pod["containers"][0]["env"]}
    assert alone["SYMMFLOW_NUM_PROCESSES"] == "1"
    assert "SYMMFLOW_COORDINATOR" not in alone


def test_paths_in_the_bucket_are_below_its_mount(cluster):
    _, _, pod = jobs(applied(cluster, *TPU, *AWKWARD))
    (main,) = pod["containers"]
    assert main["args"] == [
        "--config=configs/coco.py",
        AWKWARD[0],
        "--config.data.dir=/mnt/symmflow/$$(HOME) x",  # Kubernetes makes $( of $$( .
        "--workdir=/mnt/symmflow/runs/coco",
    ]
    assert main["volumeMounts"] == [{"name": "bucket", "mountPath": "/mnt/symmflow"}]
    (volume,) = pod["volumes"]
    assert volume["csi"]["volumeAttributes"]["bucketName"] == "my-bucket"
    assert main["env"][0]["value"] == "/mnt/symmflow/cache/jax"


def test_spot_nodes(cluster):
    _, _, pod = jobs(applied(cluster, *TPU, "--spot"))
    assert pod["nodeSelector"]["cloud.google.com/gke-spot"] == "true"
    assert pod["tolerations"][0]["key"] == "cloud.google.com/gke-spot"
    _, _, pod = jobs(applied(cluster, *TPU))
    assert "tolerations" not in pod


def test_the_log_is_followed_over_restarts_to_the_end(cluster):
    play(cluster, "", "", "Completed")
    result = cluster.launch(SCRIPT, *TPU, "--follow", SYMMFLOW_PAUSE="0")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("step 100") == 2
    assert "coco: no end yet (restarts: 1)" in result.stdout
    play(cluster, "", "Failed")
    result = cluster.launch(SCRIPT, *TPU, "--follow", SYMMFLOW_PAUSE="0")
    assert result.returncode == 1
    assert "coco failed; --delete removes it" in result.stderr


def test_delete(cluster):
    assert cluster.launch(SCRIPT, "--name=coco", "--delete").returncode == 0
    assert cluster.calls() == [["kubectl", "delete", "jobset", "coco"]]


def test_a_refused_manifest_fails(cluster):
    cluster.play("kubectl", ("apply", [{"err": "no matches for kind JobSet", "status": 1}]))
    result = cluster.launch(SCRIPT, *TPU, "--follow")
    assert result.returncode == 1
    assert len(cluster.calls()) == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "missing: --name"),
        (["--name=a"], "missing: --image --accelerator --bucket --config"),
        ([*TPU, "--slices"], "--slices needs a value"),
        ([*TPU, "--slices=x"], "x is no number for --slices"),
        ([*TPU, "--topology=4"], "--topology=4 is no topology of tpu-v5-lite-podslice"),
        ([*TPU, "--chips-per-host=3"], "--chips-per-host=3 does not divide the 16 chips"),
        ([*TPU, "--accelerator=tpu-v9"], "--accelerator=tpu-v9 is unknown; known are tpu-v4"),
        ([*TPU, "--bucket=gs://a/b"], "--bucket=a/b is no bucket"),
        ([*TPU, "--config.data.dir=gs://other/x"], "gs://other/x is not in gs://my-bucket"),
    ],
)
def test_bad_usage_is_one_message(cluster, args, message):
    result = cluster.launch(SCRIPT, *args)
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert cluster.calls() == []
