"""The line of config that mends each usual mistake in the user's own masks."""

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.masks.ids import conversion
from symmflow_jax.data.masks.rewriting import panoptic_line
from symmflow_jax.data.masks.unknown_ids import Meaning, meaning_of
from symmflow_jax.preparation.survey.survey import MOST_COLOURS, DataSurvey

_NUM_SHOWN = 10
_MOST_IDS = 20  # More would make the line of keys too long.


def remedies(findings: DataSurvey, experiment: Experiment) -> list[str]:
    """Advice, with config flags, for the usual mistakes in a folder of the user's own masks."""
    if not experiment.has_own_classes:
        return []
    data, schema = experiment.data, experiment.source_schema
    known = set(schema.raw_ids)
    found = set(findings.raw_ids)
    unknown = sorted(found - known)
    num_names = len(data.class_names)
    if findings.colours and not data.class_colours:
        return [_colour_remedy(findings)]
    if not unknown:
        return []
    meaning = meaning_of(found, known)
    if meaning is not None:
        return [_meaning_remedy(meaning, findings, experiment)]
    if 0 not in found and unknown[0] == num_names and len(unknown) == 1:
        ids = ",".join(str(number) for number in range(1, num_names + 1))
        return [f"The ids are shifted by one: --config.data.class_ids={ids}"]
    if len(unknown) == 1 and data.ignored_id is None:
        return [
            f"Only id {unknown[0]} has no class; if it means void: "
            f"--config.data.ignored_id={unknown[0]}"
        ]
    if len(found) == num_names and not data.class_ids:
        ids = ",".join(str(number) for number in sorted(found))
        return [
            "The masks hold as many ids as there are class_names. If they are in this order: "
            f"--config.data.class_ids={ids}"
        ]
    return [f"Ids without a class, with the masks that have them: {_counts(findings, unknown)}"]


def _meaning_remedy(meaning: Meaning, findings: DataSurvey, experiment: Experiment) -> str:
    """Keys of the config for ids with a factor, or the command that writes other masks."""
    data = experiment.data
    ids = data.class_ids or tuple(range(len(data.class_names)))
    if meaning.factor and len(ids) <= _MOST_IDS:
        factor = meaning.factor
        keys = "--config.data.class_ids=" + ",".join(str(factor * number) for number in ids)
        if data.ignored_id is not None:
            keys += f" --config.data.ignored_id={factor * data.ignored_id}"
        return f"In the masks {meaning.text}: {keys}"
    assert findings.masks is not None
    return f"The masks hold {meaning.text}; {conversion(findings.masks / 'mask', meaning.change)}"


def _colour_remedy(findings: DataSurvey) -> str:
    if len(findings.colours) > MOST_COLOURS >= findings.most_colours and findings.masks:
        annotations = findings.masks.with_name(f"{findings.masks.name}.json")
        return (
            "Each mask has few colours, but others than the next: they may number segments, as in "
            "COCO panoptic, whose classes are in a JSON file. With that file: "
            + panoptic_line(findings.masks, annotations)
        )
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
