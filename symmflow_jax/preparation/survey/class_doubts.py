"""Doubts about the classes of data that can be read: empty ones, shifted ids, all ignored."""

from collections.abc import Sequence

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.preparation.survey.survey import DataSurvey
from symmflow_jax.semantics.labels import LabelSchema

_NUM_SHOWN = 5
_MOST_IGNORED = 0.9


def doubts(training: DataSurvey, evaluation: DataSurvey, experiment: Experiment) -> list[str]:
    """One line for each doubt about the classes of both splits, with the remedy.

    Args:
        training: findings about the training split.
        evaluation: findings about the evaluation split.
        experiment: the run.
    """
    if not training.counts:
        return []
    shifted = _shifted(training, experiment)
    lines = [shifted] if shifted else _empty(training, evaluation, experiment)
    return [*lines, *_ignored(training, experiment.source_schema)]


def _shifted(findings: DataSurvey, experiment: Experiment) -> str:
    """A line on ids that seem to begin with 1, or on 0 and 255 as two classes; or nothing."""
    data, schema = experiment.data, experiment.source_schema
    names = [schema.names[c] for c in schema.scored]
    plain = [schema.raw_ids[c] for c in schema.scored] == list(range(len(names)))
    if not (experiment.has_own_classes and plain) or data.class_colours:
        return ""
    found = {raw_id for raw_id in findings.raw_ids if raw_id != data.ignored_id}
    if data.ignored_id in (255, 65535) and found == {0} and findings.raw_ids[data.ignored_id]:
        return (
            f"The masks hold only 0 and {data.ignored_id}, and {data.ignored_id} is ignored, so "
            f"that nothing but {names[0]!r} is learned. If {data.ignored_id} is a class: "
            f"--config.data.class_ids=0,{data.ignored_id} --config.data.ignored_id=None"
        )
    if len(names) > 2 and 0 not in found and 1 in found and len(found) > 1:
        ids = ",".join(str(number) for number in range(1, len(names) + 1))
        return (
            f"No mask has the id 0 ({names[0]!r}): the ids may be shifted by one. If 1 is "
            f"{names[0]!r}: --config.data.class_ids={ids}"
        )
    return ""


def _empty(training: DataSurvey, evaluation: DataSurvey, experiment: Experiment) -> list[str]:
    schema, what = experiment.source_schema, experiment.kind.value
    empty = [c for c in schema.scored if not training.counts[c]]
    if not empty:
        return []
    asked = [c for c in empty if evaluation.counts[c]]
    remedy = (
        "take what is not there out of config.data.class_names, or look at the ids"
        if experiment.has_own_classes
        else "look at the split"
    )
    lines = [
        f"In no training {what} there is {_listed(empty, schema)}: {len(empty)} of "
        f"{len(schema.scored)} classes cannot be learned; {remedy}."
    ]
    if asked:
        lines.append(
            f"Of these, the evaluation split has {_listed(asked, schema)}: their scores will be 0. "
            "Move examples of them to the training split."
        )
    return lines


def _ignored(findings: DataSurvey, schema: LabelSchema) -> list[str]:
    total = sum(findings.counts.values())
    ignored = sum(findings.counts[c] for c in schema.ignored)
    if not total or ignored / total < _MOST_IGNORED:
        return []
    return [
        f"{ignored / total:.1%} of the training pixels are of the ignored "
        f"{_listed(schema.ignored, schema)}; hardly anything is learned from them. Look at "
        "config.data.ignored_id."
    ]


def _listed(classes: Sequence[int], schema: LabelSchema) -> str:
    names = [f"{schema.names[c]!r} (id {schema.raw_ids[c]})" for c in classes]
    return ", ".join(names[:_NUM_SHOWN]) + (", ..." if len(names) > _NUM_SHOWN else "")
