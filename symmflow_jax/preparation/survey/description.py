"""The findings of a survey as text."""

from symmflow_jax.preparation.survey.survey import DataSurvey
from symmflow_jax.semantics.labels import LabelSchema

_NUM_SHOWN = 10


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
    lines += _classes(findings, schema, what)
    lines += [f"  ! {message}" for message in findings.damaged]
    for message in findings.errors[:_NUM_SHOWN]:
        lines.append(f"  ! {message}")
    if len(findings.errors) > _NUM_SHOWN:
        lines.append(f"  ! ... and {len(findings.errors) - _NUM_SHOWN} more")
    return "\n".join(lines)


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
