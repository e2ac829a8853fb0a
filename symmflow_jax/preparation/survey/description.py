"""The findings of a survey as text."""

import re
from collections.abc import Sequence

from symmflow_jax.preparation.survey.survey import DataSurvey
from symmflow_jax.semantics.labels import LabelSchema

_NUM_SHOWN = 10

_PATH = re.compile(r"\S*[/\\]\S+")


def describe(findings: DataSurvey, schema: LabelSchema, split: str, what: str = "pixels") -> str:
    """Formats the findings as text: examples, sizes, classes by name, and errors.

    Args:
        findings: the findings.
        schema: the classes.
        split: name of the split.
        what: what is counted of each class, "pixels" or "examples".
    """
    readable = findings.num_examples - len(findings.errors)
    lines = [f"{split}: {findings.num_examples} examples, {readable} of them readable."]
    sizes = [
        f"{width}x{height} ({count})"
        for (height, width), count in findings.sizes.most_common(_NUM_SHOWN)
    ]
    more = len(findings.sizes) - len(sizes)
    rest = f" and {more} more" if more else ""
    if sizes:
        lines.append(f"  sizes (width x height): {', '.join(sizes)}{rest}")
    if findings.lowest is not None and findings.highest is not None:
        pairs = zip(findings.lowest, findings.highest, strict=True)
        spans = (f"{low:.1%} to {high:.1%}" for low, high in pairs)
        lines.append(f"  values of each channel, as shares of their range: {', '.join(spans)}")
    lines += _classes(findings, schema, what) if readable else _ids(findings)
    lines += [f"  ! {message}" for message in findings.damaged]
    groups = _alike(findings.errors)
    for messages in groups[:_NUM_SHOWN]:
        alike = f" ({len(messages) - 1} more like this)" if len(messages) > 1 else ""
        lines.append(f"  ! {messages[0]}{alike}")
    if len(groups) > _NUM_SHOWN:
        left = sum(len(messages) for messages in groups[_NUM_SHOWN:])
        lines.append(f"  ! ... and {left} more")
    return "\n".join(lines)


def _alike(messages: Sequence[str]) -> list[list[str]]:
    """Groups of messages that differ in nothing but the names of files."""
    groups: dict[str, list[str]] = {}
    for message in messages:
        groups.setdefault(_PATH.sub("", message), []).append(message)
    return list(groups.values())


def _ids(findings: DataSurvey) -> list[str]:
    """A line with the ids that masks hold of which none can be used."""
    found = [f"{raw_id} ({findings.raw_ids[raw_id]})" for raw_id in sorted(findings.raw_ids)]
    if not found:
        return []
    more = f" and {len(found) - _NUM_SHOWN} more" if len(found) > _NUM_SHOWN else ""
    return [f"  ids, with the masks that have them: {', '.join(found[:_NUM_SHOWN])}{more}"]


def _classes(findings: DataSurvey, schema: LabelSchema, what: str) -> list[str]:
    """A row for each class: id, name, what is counted, its share, and the examples that have it."""
    total = sum(findings.counts.values())
    width = max(24, *(len(name) for name in schema.names))
    counts_pictures = what != "examples"
    last = "  examples" if counts_pictures else ""
    lines = [f"  {'id':>5}  {'class':<{width}} {what:>12} {'share':>8}{last}"]
    for number, name in enumerate(schema.names):
        share = findings.counts[number] / total if total else 0.0
        pictures = f"  {findings.pictures[number]:>8}" if counts_pictures else ""
        remark = " (ignored)" if number in schema.ignored else ""
        lines.append(
            f"  {schema.raw_ids[number]:>5}  {name:<{width}} {findings.counts[number]:>12} "
            f"{share:8.3%}{pictures}{remark}"
        )
    return lines
