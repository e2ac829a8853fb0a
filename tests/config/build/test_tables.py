"""One of everything, added from outside of the package by a line each."""

import dataclasses
import json

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import symmflow_jax
from symmflow_jax.config.build.data.sources import SOURCES, SourceChoice, from_seed
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.build.method.method import COUPLINGS, PARAMETERIZATIONS, PATHS
from symmflow_jax.config.build.method.networks import NETWORKS, NetworkChoice
from symmflow_jax.config.build.method.semantics import ENCODINGS, EncodingChoice
from symmflow_jax.config.build.metrics import METRICS, MetricChoice
from symmflow_jax.config.build.solvers import SOLVERS, SolverChoice
from symmflow_jax.config.build.tables import TABLES
from symmflow_jax.config.build.unused import unused_keys
from symmflow_jax.config.choices import Choice
from symmflow_jax.evaluation.findings import Findings, table_over_seeds
from symmflow_jax.evaluation.measurement import Scores
from symmflow_jax.flow.objectives.errors import mean_squared_error
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import RungeKutta
from symmflow_jax.flow.state import JointState
from symmflow_jax.performance import workloads
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.semantics.labels import consecutive
from symmflow_jax.train import train_and_evaluate
from symmflow_jax.training.state import TrainState
from symmflow_jax.training.train_step import make_train_step
from tests.campaigns.experiments import random_params

pytestmark = pytest.mark.slow


class Halves:
    """Points on a line, labelled by their sign."""

    schemas = {"label": consecutive(("left", "right"))}

    def __init__(self, size, split, seed):
        rng = np.random.default_rng((seed, split == "train"))
        self._points = rng.uniform(-1, 1, (size, 1)).astype(np.float32)

    def __len__(self):
        return len(self._points)

    def __getitem__(self, index):
        point = self._points[index]
        return {"image": point, "label": np.int32(point[0] > 0)}


@dataclasses.dataclass(frozen=True)
class Sign:
    """Two classes as -1 and 1."""

    @classmethod
    def of_classes(cls, schema, spatial_shape, dequantization_beta):
        assert schema.num_classes == 2 and not spatial_shape
        return cls()

    def encode(self, key, labels):
        return self.encode_clean(labels)

    def encode_clean(self, labels):
        return (2.0 * labels.astype(jnp.float32) - 1.0)[..., None]

    def decode(self, signal):
        return (signal[..., 0] > 0).astype(jnp.int32)

    def confidence(self, signal, labels):
        return jnp.ones(labels.shape)

    def signal_shape(self, image_shape):
        return (1,)


@dataclasses.dataclass(frozen=True)
class QuarterCircle:
    """A path along a quarter of a circle."""

    sigma_min: float

    def _turn(self, t, array):
        angle = jnp.reshape(0.5 * jnp.pi * t, t.shape + (1,) * (array.ndim - t.ndim))
        return jnp.cos(angle), jnp.sin(angle)

    def interpolate(self, start, end, t):
        cos, sin = self._turn(t, start)
        return cos * start + sin * end

    def velocity(self, start, end, t):
        cos, sin = self._turn(t, start)
        return 0.5 * jnp.pi * (cos * end - sin * start)


class BatchReversed:
    """Noise that other examples drew."""

    def couple(self, key, data, noise):
        return jax.tree.map(lambda array: array[::-1], noise)


@dataclasses.dataclass(frozen=True)
class HalfVelocity:
    """The output is half of the velocity."""

    @classmethod
    def of_component(cls, encoding, label_scale, cross_entropy_weight):
        return cls()

    def velocity(self, output, point, t, path):
        return 2.0 * output

    def loss(self, output, at, path):
        return mean_squared_error(2.0 * output, path.velocity(at.clean, at.noise, at.t))


class Cubic(nn.Module):
    """A dense layer over products of the inputs."""

    channels: int
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x_t, y_t, t, dropout_keys=None):
        h = jnp.concatenate([x_t, y_t, jnp.reshape(t, (len(t), -1))], axis=-1)
        h = nn.Dense(self.channels, name="in")(jnp.concatenate([h, h**3], axis=-1))
        v_x, v_y = jnp.split(nn.Dense(2, name="out")(nn.silu(h)), 2, axis=-1)
        return v_x, v_y


def ralston(num_steps):
    return FixedSteps(RungeKutta(2, (0.0, 2 / 3), ((2 / 3,),), (0.25, 0.75)), num_steps)


def make_share_of_right(evaluator):
    """A metric: how many of the split's points lie on the right."""

    def measure(evaluated):
        points = [evaluator.source[i]["image"][0] for i in range(len(evaluator.source))]
        protocol = evaluator.protocol("counting", evaluated, evaluator.seeds[0])
        share = float(np.mean(np.asarray(points) > 0))
        scores = Scores(
            values={"share_of_right": share}, num_examples=len(points), protocol=protocol
        )
        return Findings(table_over_seeds([[scores]]))

    return measure


@pytest.fixture
def added(monkeypatch):
    """One new entry in each table."""
    label = (SemanticsKind.LABEL,)
    monkeypatch.setitem(SOURCES, "halves", SourceChoice(Halves, "halves", label, from_seed))
    monkeypatch.setitem(ENCODINGS, "sign", EncodingChoice(Sign.of_classes, "signs", label))
    monkeypatch.setitem(PATHS, "circle", Choice(QuarterCircle, "a quarter of a circle"))
    monkeypatch.setitem(COUPLINGS, "reversed", Choice(BatchReversed, "of the other end"))
    monkeypatch.setitem(PARAMETERIZATIONS, "half", Choice(HalfVelocity.of_component, "half"))
    monkeypatch.setitem(NETWORKS, "cubic", NetworkChoice(Cubic, "a cubic layer"))
    monkeypatch.setitem(SOLVERS, "ralston", SolverChoice(ralston, "order 2"))
    monkeypatch.setitem(METRICS, "share_of_right", MetricChoice(make_share_of_right, "a count"))


_VALUES = {
    "data": {"source": "halves", "train_size": 2_048, "eval_size": 64, "image_size": (),
             "point_size": 1},
    "semantics": {"encoding": "sign"},
    "network": {"name": "cubic", "channels": 32},
    "train": {
        "batch_size": 32, "num_epochs": 12.0, "peak_learning_rate": 1e-2, "ema_decay": 0.9,
        "image_weight": 0.5, "clock": "independent", "path": "circle", "coupling": "reversed",
        "image_parameterization": "half", "semantics_parameterization": "half",
        "eval_every_steps": 0,
    },
    "eval": {
        "batch_size": 32, "solvers": ("ralston",), "num_steps": (8,), "generation_steps": 2,
        "num_generated": 32, "metrics": ("recognition", "agreement", "share_of_right"),
    },
}  # fmt: skip


@pytest.mark.usefixtures("standard_dtype_promotion", "added")
def test_config_values_alone_train_evaluate_and_report_with_what_was_added(tmp_path):
    experiment = Experiment.from_json(_VALUES)
    method = experiment.method
    assert type(method.network) is Cubic and type(method.codec.encoding) is Sign
    assert type(method.coupling) is BatchReversed
    assert method.parameterizations == JointState(HalfVelocity(), HalfVelocity())
    assert [type(path.path) for path in method.paths] == [QuarterCircle, QuarterCircle]

    train_and_evaluate(experiment, tmp_path)
    found = {m["metric"]: m for m in json.loads((tmp_path / "metrics.json").read_text())}
    assert found["accuracy"]["value"] > 0.8 and found["accuracy"]["nfe"] == 16
    assert found["accuracy"]["solver"] == "ralston" and found["accuracy"]["dataset"] == "halves"
    assert found["share_of_right"]["value"] == pytest.approx(0.5, abs=0.2)
    assert "loss" not in found
    report = (tmp_path / "report.md").read_text()
    assert "share_of_right" in report and "ralston" in report and "right" in report

    model = symmflow_jax.load(tmp_path)
    points = np.float32([[-0.9], [0.9]])
    labels = np.asarray(model.classify(points, jax.random.key(0), 8, "ralston"))
    assert labels.tolist() == [0, 1]


@pytest.mark.usefixtures("added")
def test_messages_and_checks_know_what_was_added():
    with pytest.raises(ValueError, match=r"network\.name is 'cubik'; choose one of .*cubic"):
        Experiment.from_json({"network": {"name": "cubik"}})
    with pytest.raises(ValueError, match="'sign' learns a label, but 'coco_stuff' has only mask"):
        Experiment.from_json({"semantics": {"encoding": "sign"}, "data": {"source": "coco_stuff"}})
    unused = unused_keys(Experiment.from_json(_VALUES).config)
    assert {"network.head_channels", "data.class_ids", "train.clock_shares.tied"} <= unused
    assert not {"network.channels", "data.train_size"} & unused


@pytest.mark.parametrize("key", TABLES)
def test_every_constructor_is_there(key):
    for name, choice in TABLES[key].items():
        assert callable(choice.resolve()), name
        assert choice.summary


_POINTS = {
    "data.source": "spirals",
    "eval.metrics": ("objective",),  # The one that every model has.
    "data.image_size": (),
    "semantics.encoding": "onehot",
    "network.name": "mlp",
    "network.num_res_blocks": 1,
}
_IMAGES = {"network.channel_multipliers": (1,), "network.cross_attention_width": 8}
_TRAINED_WITH = ("semantics.encoding", "network.name", "train.clock", "train.path",
                 "train.coupling", "train.image_parameterization",
                 "train.semantics_parameterization")  # fmt: skip
_REFUSED = {
    ("train.image_parameterization", "categorical"): "'categorical' is for semantics of one-hot",
}
_ON_IMAGES = {("semantics.encoding", "palette"), ("network.name", "unet"),
              ("network.name", "latent_unet")}  # fmt: skip


@pytest.mark.usefixtures("standard_dtype_promotion")
@pytest.mark.parametrize(
    ("key", "name"), [(key, name) for key in _TRAINED_WITH for name in TABLES[key]]
)
def test_every_choice_takes_a_train_step(tiny_experiment, key, name):
    values = (_IMAGES if (key, name) in _ON_IMAGES else _POINTS) | {key: name}
    experiment = tiny_experiment(**values).with_schema(consecutive(tuple("abcdef")))
    if (key, name) in _REFUSED:
        with pytest.raises(ValueError, match=_REFUSED[key, name]):
            _ = experiment.method
        return
    subject = workloads.subject(experiment.changed({"data.class_names": tuple("abcdef")}), 4)
    optimizer, params = optax.sgd(0.1), random_params(subject.method)
    state = TrainState(jnp.zeros((), jnp.int32), params, params, optimizer.init(params))
    step = make_train_step(
        subject.method, optimizer, loss_weights=JointState(0.5, 0.5), ema_decay=0.5
    )
    after, metrics = jax.jit(step)(state, None, subject.batch, jax.random.key(1))
    assert all(np.isfinite(value) for value in metrics.values()) and metrics["loss"] > 0
    moved = jax.tree.map(lambda old, new: bool(jnp.any(old != new)), state.params, after.params)
    assert any(jax.tree.leaves(moved))
