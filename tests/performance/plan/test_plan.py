"""`--mode=plan` as a user meets it; in processes of their own, since libtpu serves one."""

import importlib.util
import json

import pytest

from symmflow_jax.performance.plan.plan import plan
from symmflow_jax.runtime.outputs import OutputError

needs_libtpu = pytest.mark.skipif(
    importlib.util.find_spec("libtpu") is None,
    reason="libtpu is not installed: pip install 'symmflow_jax[tpu]' (a TPU is not needed)",
)

POINTS = (
    "--config.data.source=spirals",
    "--config.data.image_size=()",
    "--config.semantics.encoding=plane",
    "--config.network.name=mlp",
    "--config.network.channels=256",
    "--config.network.num_res_blocks=3",
    "--config.train.batch_size=64",
)


def _end(process) -> tuple[int, str]:
    output, _ = process.communicate(timeout=600)
    return process.returncode, output


@needs_libtpu
@pytest.mark.parametrize(("parallel", "level"), [("pmap", "O2"), ("fsdp", "O0")])
def test_a_plan_of_four_chips(run_main, tmp_path, parallel, level):
    code, output = _end(
        run_main(
            "--mode=plan",
            "--config.plan.topology=v5e:2x2",
            f"--config.plan.optimization_level={level}",
            f"--config.plan.dump={tmp_path}/modules",
            f"--config.parallel={parallel}",
            f"--workdir={tmp_path}",
            *POINTS,
        )
    )
    assert code == 0, output
    assert "not timings" in output
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert plan["num_chips"] == 4 and plan["optimization_level"] == level
    step, generation = (plan["programs"][name] for name in ("train step", "generation"))
    assert step["fits"] and 0 < step["memory"]["peak"] < plan["chip"]["hbm_bytes"]
    # Two layers of 256 x 256 weights beside small ones; each weight is there four times, as
    # parameter, average and two moments.
    weights = 2 * 256 * 256
    held = weights if parallel == "pmap" else weights / 4
    assert 4 * 4 * held < step["memory"]["arguments"] < 1.4 * 4 * 4 * held
    # A product for the result and two for the gradients, of 16 examples on each chip.
    assert 3 * 2 * 16 * weights < step["flops"] < 1.4 * 3 * 2 * 16 * weights
    assert step["memory"]["aliased"] > 0.9 * step["memory"]["outputs"]
    kinds = {collective["kind"] for collective in step["collectives"]}
    if parallel == "fsdp":
        assert {"all-gather", "reduce-scatter"} <= kinds
        # Whole on every chip are only vectors and the small layers at both ends.
        sizes = {collective["kind"]: collective["num_bytes"] for collective in step["collectives"]}
        assert sizes["reduce-scatter"] == 4 * weights > 10 * sizes.get("all-reduce", 0)
    else:
        assert kinds == {"all-reduce"}
    # Two steps of a sampler, and the work around them.
    examples = generation["batch_size"] / generation["num_chips"]
    assert 1.0 < generation["flops"] / (2 * 2 * examples * weights) < 1.4
    assert "HloModule" in (tmp_path / "modules" / "train_step.hlo.txt").read_text()[:100]


@needs_libtpu
def test_sixteen_chips_sum_up_only_their_parts(run_main, tmp_path):
    code, output = _end(
        run_main(
            "--mode=plan",
            "--config.plan.topology=v5e:4x4",
            "--config.plan.optimization_level=O0",
            "--config.parallel=fsdp",
            f"--workdir={tmp_path}",
            *POINTS,
        )
    )
    assert code == 0, output
    step = json.loads((tmp_path / "plan.json").read_text())["programs"]["train step"]
    sizes = {collective["kind"]: collective["num_bytes"] for collective in step["collectives"]}
    # All of the large gradients in a first exchange, and a quarter of them in a second.
    weights = 4 * 2 * 256 * 256
    assert sizes["reduce-scatter"] == weights + weights / 4 > 10 * sizes.get("all-reduce", 0)


@needs_libtpu
def test_between_two_slices_only_parts_of_the_gradient_are_sent(run_main, tmp_path):
    code, output = _end(
        run_main(
            "--mode=plan",
            "--config.plan.topology=v5e:2x2",
            "--config.plan.num_slices=2",
            "--config.plan.optimization_level=O0",
            "--config.parallel=fsdp",
            f"--workdir={tmp_path}",
            *POINTS,
        )
    )
    assert code == 0, output
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert (plan["num_slices"], plan["num_chips"]) == (2, 8)
    found = {
        (collective["kind"], collective["between_slices"]): collective["num_bytes"]
        for collective in plan["programs"]["train step"]["collectives"]
    }
    weights = 4 * 2 * 256 * 256
    assert found["all-gather", False] == found["reduce-scatter", False] == weights
    assert weights / 4 <= found["all-reduce", True] < 1.1 * weights / 4
    assert "all-reduce between slices" in output


@needs_libtpu
def test_a_layout_that_does_not_exist(run_main, tmp_path):
    arguments = ("--mode=plan", "--config.plan.topology=v5e:3x3", f"--workdir={tmp_path}")
    code, output = _end(run_main(*arguments))
    assert code != 0
    assert "There is no topology 'v5e:3x3'" in output
    assert "Traceback" not in output


def test_an_unknown_chip(run_main, tmp_path):
    arguments = ("--mode=plan", "--config.plan.topology=v99:2x2", f"--workdir={tmp_path}")
    code, output = _end(run_main(*arguments))
    assert code != 0
    assert "config.plan.topology is 'v99:2x2'; give a chip (v4, v5e, v5p, v6e)" in output
    assert "Traceback" not in output


def test_a_plan_is_replaced_only_on_request(tiny_experiment, tmp_path):
    (tmp_path / "plan.json").touch()
    with pytest.raises(OutputError, match=r"plan\.json exists already\. .* another --workdir"):
        plan(tiny_experiment(), tmp_path)
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "train_step.hlo.txt").touch()
    experiment = tiny_experiment(**{"plan.dump": str(tmp_path / "modules")})
    with pytest.raises(OutputError, match=r"train_step\.hlo\.txt exists already"):
        plan(experiment, tmp_path / "new")
