"""launch/slurm.sh, with stand-ins of sbatch, srun and scontrol."""

import shlex

import pytest

from tests.launch.standins import ROOT, StandIns

SCRIPT = ROOT / "launch" / "slurm.sh"
COCO = "--config=configs/coco.py"
AWKWARD = ["--workdir=/shared/my run", "--config.data.name=it's", "--config.data.dir=$HOME;*"]


@pytest.fixture
def cluster(tmp_path):
    cluster = StandIns(tmp_path)
    cluster.play("sbatch", ("", [{"shell": f"cat >{tmp_path}/job"}]))
    return cluster


def job(cluster, *args):
    """Submits; returns the job's text."""
    result = cluster.launch(SCRIPT, COCO, *args)
    assert result.returncode == 0, result.stderr
    return (cluster.folder / "job").read_text()


def run_job(cluster, status, **env):
    """Runs the submitted job, whose srun ends with a status."""
    cluster.play("srun", ("", [{"status": status}]))
    cluster.play("scontrol")
    return cluster.launch(cluster.folder / "job", SLURM_JOB_ID="17", **env).returncode


def test_it_submits_what_it_shows(cluster):
    args = ["--nodes=4", "--gpus-per-node=8", "--time=24:00:00", "--sbatch=--partition=gpu"]
    text = job(cluster, *args, *AWKWARD)
    (call,) = cluster.calls("sbatch")
    shown = cluster.launch(SCRIPT, COCO, *args, *AWKWARD, "--dry-run").stdout
    command, _, rest = shown.partition(" <<'JOB'\n")
    assert shlex.split(command) == call
    assert rest == f"{text}JOB\n"
    assert {"--requeue", "--signal=TERM@120", "--open-mode=append"} <= {*call}
    assert {"--nodes=4", "--ntasks-per-node=8", "--gpus-per-node=8"} <= {*call}
    assert {"--time=24:00:00", "--partition=gpu", "--job-name=coco"} <= {*call}


def test_each_argument_arrives_whole(cluster):
    job(cluster, *AWKWARD)
    assert run_job(cluster, 0) == 0
    (call,) = cluster.calls("srun")
    assert call[call.index("python") :] == ["python", "-m", "symmflow_jax.main", COCO, *AWKWARD]
    assert "--kill-on-bad-exit=0" in call


def test_one_process_for_each_node_uses_all_its_gpus(cluster):
    assert "JAX_LOCAL_DEVICE_IDS" not in job(cluster, "--gpus-per-node=4")
    text = job(cluster, "--gpus-per-node=4", "--per=node")
    assert "\nexport JAX_LOCAL_DEVICE_IDS=0,1,2,3\n" in text
    assert "--ntasks-per-node=1" in cluster.calls("sbatch")[-1]


@pytest.mark.parametrize(
    ("status", "is_queued_again"),
    [(143, True), (75, True), (137, True), (1, False), (2, False), (0, False)],
)
def test_what_saved_or_lost_a_process_is_queued_again(cluster, status, is_queued_again):
    job(cluster)
    assert run_job(cluster, status) == status
    again = [["scontrol", "requeue", "17"]] if is_queued_again else []
    assert cluster.calls("scontrol") == again


def test_a_process_is_not_lost_for_ever(cluster):
    job(cluster)
    run_job(cluster, 75, SLURM_RESTART_COUNT="50")
    assert cluster.calls("scontrol") == []
    run_job(cluster, 143, SLURM_RESTART_COUNT="50")
    assert len(cluster.calls("scontrol")) == 1


def test_a_refused_submission_fails(cluster):
    cluster.play("sbatch", ("", [{"err": "invalid partition", "status": 1}]))
    result = cluster.launch(SCRIPT, COCO)
    assert result.returncode == 1
    assert "invalid partition" in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "--config is missing"),
        ([COCO, "--nodes"], "--nodes needs a value"),
        ([COCO, "--nodes=two"], "--nodes=two is no number of nodes"),
        ([COCO, "--gpus-per-node=0"], "--gpus-per-node=0 is no number of GPUs"),
        ([COCO, "--per=rack"], "--per=rack is unknown; known are gpu and node"),
    ],
)
def test_bad_usage_is_one_message(cluster, args, message):
    result = cluster.launch(SCRIPT, *args)
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert cluster.calls() == []
