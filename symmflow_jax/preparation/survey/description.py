"""The findings of a survey as text."""

from symmflow_jax.preparation.survey.survey import DataSurvey
from symmflow_jax.semantics.labels import LabelSchema

_NUM_SHOWN = 10


def describe(findings: DataSurvey, schema: LabelSchema, split: str) -> str:
    """Formats the findings as text: examples, sizes, classes by name, and errors."""
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
    total = sum(findings.counts.values())
    for number, name in enumerate(schema.names):
        share = findings.counts[number] / total if total else 0.0
        remark = " (ignored)" if number in schema.ignored else ""
        lines.append(f"  {schema.raw_ids[number]:>5}  {name:<24} {share:8.3%}{remark}")
    lines += [f"  ! {message}" for message in findings.damaged]
    for message in findings.errors[:_NUM_SHOWN]:
        lines.append(f"  ! {message}")
    if len(findings.errors) > _NUM_SHOWN:
        lines.append(f"  ! ... and {len(findings.errors) - _NUM_SHOWN} more")
    return "\n".join(lines)
