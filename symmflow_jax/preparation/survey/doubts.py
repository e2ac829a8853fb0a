"""Doubts about data that can be read: training would not stop, but it might learn another task."""

import pathlib
from collections.abc import Iterable

import numpy as np

from symmflow_jax.data.masks import artefacts
from symmflow_jax.preparation.survey.pairs import PairFindings
from symmflow_jax.preparation.survey.survey import MOST_COLOURS, DataSurvey

_NUM_SHOWN = 3


def doubts(findings: DataSurvey) -> list[str]:
    """One line for each doubt about the files of image pairs, with the remedy."""
    pairs = findings.pairs
    return [
        *_of_compression(pairs),
        *_of_palettes(pairs),
        *_of_turns(findings),
        *_of_values(findings),
    ]


def _of_compression(pairs: PairFindings) -> list[str]:
    if pairs.lossy:
        path, signs = max(pairs.lossy, key=lambda item: item[1].share)
        names = _names(path for path, _ in pairs.lossy)
        return [
            f"{len(pairs.lossy)} of {pairs.num_masks} masks hold traces of compression ({names}). "
            f"The most in {path}: {artefacts.describe(signs)} {artefacts.REMEDY}"
        ]
    if pairs.signs.has_jpeg_blocks:
        return [
            f"The {pairs.num_masks} masks taken together hold traces of JPEG compression: "
            f"{pairs.signs.share:.1%} of the pixels differ from all neighbours, in blocks of 8x8. "
            f"Look at one. {artefacts.REMEDY}"
        ]
    return []


def _of_palettes(pairs: PairFindings) -> list[str]:
    if not pairs.differences:
        return []
    used = dict.fromkeys([*pairs.palettes.colours.values(), *sorted(pairs.palettes.more_colours)])
    listed = ",".join(f"'#{colour:06x}'" for colour in used)
    remedy = (
        f'--config.data.class_colours="({listed})", in the order of class_names'
        if len(used) <= MOST_COLOURS
        else f"these are {len(used)}, too many for classes"
    )
    return [
        f"The palettes of {len(pairs.differences)} of {pairs.num_masks} masks differ from those "
        f"before: {pairs.differences[0]}. Masks are read by index. If the colours tell the "
        f"classes, name the colour of each: {remedy}"
    ]


def _of_turns(findings: DataSurvey) -> list[str]:
    pairs = findings.pairs
    if not pairs.turned:
        return []
    confirmed = (
        f"The sizes of {pairs.confirmed} other pairs fit as the files are read now. "
        if pairs.confirmed
        else ""
    )
    other = "ignore" if findings.applies_exif else "apply"
    reading = "turned by EXIF" if findings.applies_exif else "read without their EXIF turn"
    return [
        f"{len(pairs.turned)} images are {reading} and their masks have another EXIF orientation "
        f"or none ({_names(pairs.turned)}); their sizes do not tell if the masks fit. {confirmed}"
        f"Look at one; if it does not fit: --config.data.exif={other}"
    ]


_LEAST_SPAN = 0.25  # Of the range of values: 12 bits in a file of 16 have a sixteenth of it.


def _of_values(findings: DataSurvey) -> list[str]:
    if findings.lowest is None or findings.highest is None:
        return []
    span = float(np.max(findings.highest) - np.min(findings.lowest))
    if span >= _LEAST_SPAN:
        return []
    return [
        f"The values of the images use {span:.1%} of their range, so that pictures look flat and "
        "little is learned of them. Spread them by the values that all files have: "
        "--config.data.value_range=LOWEST,HIGHEST"
    ]


def _names(paths: Iterable[pathlib.Path]) -> str:
    names = [path.name for path in paths]
    return ", ".join(names[:_NUM_SHOWN]) + (", ..." if len(names) > _NUM_SHOWN else "")
