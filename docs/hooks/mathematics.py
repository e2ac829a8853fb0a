"""Turns formulas into MathML, which browsers draw themselves: no script, no fonts."""

import html
import re

from latex2mathml.converter import convert

_FORMULA = re.compile(
    r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>',
    re.DOTALL,
)


def as_mathml(content: str) -> str:
    """HTML in which formulas of `pymdownx.arithmatex` are MathML."""

    def replace(match: re.Match) -> str:
        display = "block" if match[1] == "div" else "inline"
        formula = convert(html.unescape(match[2]).strip(), display=display)
        return f'<div class="formula">{formula}</div>' if display == "block" else formula

    return _FORMULA.sub(replace, content)


def on_page_content(content, **_):
    """Replaces the formulas of a page."""
    return as_mathml(content)
