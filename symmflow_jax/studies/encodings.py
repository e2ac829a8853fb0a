"""Study of encodings: accuracy and calibration of one-step recognition.

    python -m symmflow_jax.studies.encodings --workdir=runs/encodings

The data have ten ordered classes in pairs. A point determines its pair but not its class, and the
probabilities are known. One step from pure noise gives the mean of the codes. With ordered codes,
the mean may lie on a class of probability zero.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from symmflow_jax.data.sources.synthetic import split_posterior
from symmflow_jax.metrics.calibration import ConfidenceBins
from symmflow_jax.runs.pictures import plots
from symmflow_jax.studies import report, training
from symmflow_jax.studies.report import Report
from symmflow_jax.studies.training import Examples, TrainedSeeds

SEEDS = (0, 1, 2)
ENCODINGS = ("plane", "colour", "onehot")
ACCURACY_GATE, CALIBRATION_GATE = 0.02, 0.03

SETTINGS: dict[str, Any] = {
    "network.channels": 128,
    "train.batch_size": 256,
    "train.num_epochs": 15.0,
    "train.peak_learning_rate": 2e-3,
}
"""Changes of `configs/split_posterior.py` in all variants."""

CLOCKS: dict[str, dict[str, Any]] = {
    "tied": {},
    "mixed": {"train.clock": "mixed", **training.clock_shares(0.0, 0.2, 0.4, 0.4)},
}

_BETAS = {"plane": 4.0, "colour": 6.0, "onehot": 0.0}

_ACCURACY, _CALIBRATION = "accuracy", "calibration error"
_KNOWN, _IMPOSSIBLE = "distance to the known probability", "impossible answers"
_COLUMNS = (_ACCURACY, _CALIBRATION, _KNOWN, _IMPOSSIBLE)

ScoresBySeed = dict[str, list[float]]
"""Values of all seeds by the name of a column."""


class Answers(NamedTuple):
    """Labels of points, as a model or the Bayes classifier predicts them.

    Attributes:
        labels: int `[seeds, count]`.
        confidence: float `[seeds, count]`.
        correct: bool `[seeds, count]`.
        known: float `[seeds, count]`, the true probability of the predicted label.
    """

    labels: np.ndarray
    confidence: np.ndarray
    correct: np.ndarray
    known: np.ndarray


def study(seeds: Sequence[int] = SEEDS, changes: Mapping[str, Any] | None = None) -> Report:
    """Trains and measures all variants.

    Args:
        seeds: seeds of points, parameters and noise.
        changes: config values on top of `SETTINGS`.
    """
    settings = SETTINGS | dict(changes or {})
    answers: dict[str, Answers] = {}
    best: dict[str, Answers] = {}
    for encoding in ENCODINGS:
        for clock, of_clock in CLOCKS.items():
            of_encoding = {
                "semantics.encoding": encoding,
                "semantics.dequantization_beta": _BETAS[encoding],
            }
            experiment = training.experiment_of(
                "configs/split_posterior.py", settings | of_clock | of_encoding
            )
            test = training.examples(experiment, seeds, train=False)
            answers[f"{encoding}, {clock}"] = _answers(training.train(experiment, seeds), test)
            best["Bayes"] = _best_answers(test)
    scores = {name: _scores(of_name) for name, of_name in (best | answers).items()}
    return Report(_text(scores, settings, seeds), _plot(scores, answers))


def _answers(trained: TrainedSeeds, test: Examples) -> Answers:
    result = trained.predict_semantics(test.points, num_steps=1)
    return _compared(np.asarray(result.labels), np.asarray(result.confidence), test)


def _best_answers(test: Examples) -> Answers:
    """Predictions of the Bayes classifier: the most probable class, with its probability."""
    known = split_posterior.posterior(np.asarray(test.points))
    return _compared(known.argmax(axis=-1), known.max(axis=-1), test)


def _compared(labels: np.ndarray, confidence: np.ndarray, test: Examples) -> Answers:
    known = split_posterior.posterior(np.asarray(test.points))
    of_label = np.take_along_axis(known, labels[..., None], axis=-1)[..., 0]
    return Answers(labels, confidence, labels == np.asarray(test.labels), of_label)


def _scores(answers: Answers) -> ScoresBySeed:
    return {
        _ACCURACY: answers.correct.mean(axis=1).tolist(),
        _CALIBRATION: [
            ConfidenceBins.from_answers(
                jnp.asarray(confidence, jnp.float32),
                jnp.asarray(correct),
                jnp.ones(len(correct), bool),
            ).calibration_error()
            for confidence, correct in zip(answers.confidence, answers.correct, strict=True)
        ],
        _KNOWN: np.abs(answers.confidence - answers.known).mean(axis=1).tolist(),
        _IMPOSSIBLE: (answers.known == 0.0).mean(axis=1).tolist(),
    }


def _text(
    scores: dict[str, ScoresBySeed], settings: Mapping[str, Any], seeds: Sequence[int]
) -> str:
    gates = "\n".join(
        f"- {name}: {_gate(cells, scores['Bayes'])}"
        for name, cells in scores.items()
        if name != "Bayes"
    )
    return f"""# Encodings: ten ordered classes, undecided in pairs

{report.table_over_seeds("one Euler step", scores, _COLUMNS)}

Means ± standard deviations of seeds {", ".join(map(str, seeds))}. Calibration error: between
confidence and accuracy, in 15 bins. Distance to the known probability: mean of the absolute
difference between the confidence in the answer and its true probability. Impossible answers:
share of answers of probability zero. Bayes names the more probable class of each pair.

The gates (accuracy within {ACCURACY_GATE:.0%} of Bayes, calibration error at most
{CALIBRATION_GATE}):

{gates}

`configs/split_posterior.py` with {training.in_words(settings)}; mixed with
{training.in_words(CLOCKS["mixed"])}; `semantics.dequantization_beta` is
{", ".join(f"{beta:g} ({encoding})" for encoding, beta in _BETAS.items())}."""


def _gate(cells: ScoresBySeed, best: ScoresBySeed) -> str:
    behind = float(np.mean(best[_ACCURACY]) - np.mean(cells[_ACCURACY]))
    error = float(np.mean(cells[_CALIBRATION]))
    met = behind <= ACCURACY_GATE and error <= CALIBRATION_GATE
    return f"{'met' if met else 'missed'}, {behind:.4f} behind Bayes, calibration error {error:.4f}"


def _plot(scores: dict[str, ScoresBySeed], answers: dict[str, Answers]) -> np.ndarray:
    """Plots accuracies, and the first seed's confidences by the true probability of the label."""
    plt = plots.pyplot()
    figure, (bars, dots) = plt.subplots(1, 2, figsize=(12, 4.5))
    values = [scores[name][_ACCURACY] for name in answers]
    bars.barh(list(answers), np.mean(values, axis=1), xerr=np.std(values, axis=1))
    bars.axvline(float(np.mean(scores["Bayes"][_ACCURACY])), color="k", ls=":", label="Bayes")
    bars.invert_yaxis()
    bars.set_xlabel("accuracy in one step")
    bars.legend()
    for index, (name, given) in enumerate(answers.items()):
        # There are few known probabilities, so variants are shifted to show beside each other.
        shifted = given.known[0] + 0.006 * (index - len(answers) / 2)
        dots.scatter(shifted, given.confidence[0], s=1, alpha=0.2, color=f"C{index}")
        dots.scatter([], [], s=20, color=f"C{index}", label=name)
    dots.plot([0, 1], [0, 1], "k:")
    dots.set_xlabel("true probability of the answer")
    dots.set_ylabel("confidence")
    dots.legend(loc="lower right")
    return plots.render(figure)


if __name__ == "__main__":
    report.start("encodings", study)
