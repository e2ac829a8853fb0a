"""The line of config that mends each usual mistake in the user's own masks."""

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.preparation.survey.survey import MOST_COLOURS, DataSurvey

_NUM_SHOWN = 10


def remedies(findings: DataSurvey, experiment: Experiment) -> list[str]:
    """Advice, with config flags, for the usual mistakes in a folder of the user's own masks."""
    if not experiment.has_own_classes:
        return []
    data, schema = experiment.data, experiment.schema
    known = set(schema.raw_ids)
    found = set(findings.raw_ids)
    unknown = sorted(found - known)
    num_names = len(data.class_names)
    if findings.colours and not data.class_colours:
        return [_colour_remedy(findings)]
    if not unknown:
        return []
    if unknown == [255] and found <= {0, 255} and num_names == 2:
        return ["The masks hold 0 and 255 for two classes: --config.data.class_ids=0,255"]
    if 0 not in found and unknown[0] == num_names and len(unknown) == 1:
        ids = ",".join(str(number) for number in range(1, num_names + 1))
        return [f"The ids are shifted by one: --config.data.class_ids={ids}"]
    if len(unknown) == 1 and data.ignored_id is None:
        return [
            f"Only id {unknown[0]} has no class; if it means void: "
            f"--config.data.ignored_id={unknown[0]}"
        ]
    return [f"Ids without a class, with the masks that have them: {_counts(findings, unknown)}"]


def _colour_remedy(findings: DataSurvey) -> str:
    if len(findings.colours) > MOST_COLOURS:
        return (
            f"The masks are coloured images with more than {MOST_COLOURS} colours: photos, or "
            "smoothed. Save them anew without smoothing, as PNG."
        )
    colours = ",".join(f"'#{colour:06x}'" for colour in sorted(findings.colours))
    return (
        "The masks are coloured images. Name the colour of each class, in the order of "
        f'class_names; these occur: --config.data.class_colours="({colours})"'
    )


def _counts(findings: DataSurvey, ids: list[int]) -> str:
    return ", ".join(f"{raw_id} ({findings.raw_ids[raw_id]})" for raw_id in ids[:_NUM_SHOWN])
