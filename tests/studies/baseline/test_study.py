"""The joint model and its peers are trained alike, and stand beside each other."""

import json

import pytest

from symmflow_jax.runs import folder
from symmflow_jax.studies.baseline.study import PEERS, steps_in, study, with_steps
from symmflow_jax.train import train_and_evaluate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_POINTS = {
    "data.source": "spirals",
    "data.image_size": (),
    "data.train_size": 64,
    "data.eval_size": 20,
    "semantics.encoding": "onehot",
    "network.name": "mlp",
    "network.channels": 8,
    "network.num_res_blocks": 1,
    "train.batch_size": 8,
    "train.clock": "mixed",
    "train.eval_every_steps": 0,
    "eval.batch_size": 20,
    "eval.num_steps": (1, 2),
    "eval.generation_steps": 2,
    "eval.num_generated": 10,
    "eval.num_quick_examples": 10,
}


@pytest.fixture
def experiment(tiny_experiment):
    return tiny_experiment(**_POINTS)


def test_all_networks_have_the_same_steps_and_one_table(experiment, tmp_path):
    text = study(experiment, tmp_path, train_and_evaluate, num_steps=3)
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")]
    cells = {line[0].strip(): [cell.strip() for cell in line[1:]] for line in lines}
    accuracy = cells["accuracy of real images, read in one step"]
    made = cells["accuracy of generated images, read by the network of recognition"]
    assert accuracy[2] == "" and made[1] == ""
    assert all(0 <= float(cell) <= 1 for cell in (*accuracy[:2], made[0], made[2]))
    for name in PEERS:
        assert cells[name][2:4] == ["3", "24"]
        assert folder.read_history(tmp_path / name)[-1]["step"] == 3
    assert len({cells[name][1] for name in PEERS}) == 1  # GFLOP of a pass.
    assert (tmp_path / "baseline.md").read_text("utf-8").startswith(text)
    comparison = (tmp_path / "comparison.md").read_text("utf-8")
    for row in ("| accuracy | joint |", "| accuracy | recognition |"):
        assert row in comparison
    assert "| accuracy | generation |" not in comparison


def test_steps_follow_from_a_time(experiment):
    few, many = (steps_in(experiment, seconds) for seconds in (1e-9, 30.0))
    assert few == 1 and many > 10


def test_steps_are_timed_with_the_classes_of_the_data(experiment):
    weighted = {"train.class_weights": "given", "train.given_class_weights": (1.0, 2.0)}
    assert steps_in(experiment.changed(weighted), 1e-9) == 1


def test_a_second_call_keeps_the_steps_of_the_first(experiment, tmp_path):
    steps = []

    def stop(experiment, _):
        steps.append(experiment.num_steps)
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            study(experiment, tmp_path, stop, seconds=0.5)
    assert (
        steps[0]
        == steps[1]
        == json.loads((tmp_path / "budget.json").read_text(encoding="utf-8"))["num_steps"]
    )
    with pytest.raises(ValueError, match=r"with seconds=0\.5, not 2; give the same"):
        study(experiment, tmp_path, stop, seconds=2)
    other = experiment.changed({"train.batch_size": 16})
    with pytest.raises(ValueError, match=r"with config\.train\.batch_size=8, not 16"):
        study(other, tmp_path, stop, seconds=0.5)


@pytest.mark.parametrize("num_steps", [1, 7, 1000])
def test_warm_up_keeps_its_share(experiment, num_steps):
    changed = with_steps(experiment, num_steps)
    assert changed.num_steps == num_steps
    before, after = experiment.train, changed.train
    assert after.warmup_epochs / after.num_epochs == pytest.approx(
        before.warmup_epochs / before.num_epochs
    )


@pytest.mark.parametrize("clock", ["recognition", "generation", "unconditional"])
def test_a_config_of_one_task_has_no_peers(experiment, tmp_path, clock):
    one = experiment.changed({"train.clock": clock, "eval.metrics": ("objective",)})
    with pytest.raises(ValueError, match=f"clock is '{clock}', which learns one task alone"):
        study(one, tmp_path, train_and_evaluate)
    assert list(tmp_path.iterdir()) == []
