"""The site: it builds without a warning, asks no other host, and its links lead somewhere."""

import ast
import html.parser
import pathlib
import re
import runpy
import urllib.parse

import pytest

from symmflow_jax import main
from symmflow_jax.config.schema.fields import fields_of
from symmflow_jax.config.values import Config

ROOT = pathlib.Path(__file__).parents[1]
PAGES = ROOT / "docs"

_LOADED = {"script": "src", "link": "href", "img": "src", "source": "src", "iframe": "src"}
"""What a browser fetches by itself, by element; an `a` waits for a click."""


class _Page(html.parser.HTMLParser):
    """Ids, links and fetched addresses of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids |= {values[name] for name in ("id", "name") if values.get(name)}
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        is_hint = tag == "link" and values.get("rel") in ("canonical", "next", "prev", "alternate")
        if values.get(_LOADED.get(tag, "")) and not is_hint:
            self.fetched.append(values[_LOADED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages of the built site by their paths."""
    pytest.importorskip("material")
    pytest.importorskip("mkdocstrings")
    from mkdocs.commands import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    # Strict, as the file says: a warning ends the build with an error.
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder))
    assert config.strict
    config.plugins.on_startup(command="build", dirty=False)
    build.build(config)
    texts = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.html")}
    return folder, {path: _Page(text) for path, text in texts.items()}, texts


def test_no_page_asks_another_host(site):
    folder, pages, texts = site
    assert len(pages) > 30
    for path, page in pages.items():
        assert not [url for url in page.fetched if urllib.parse.urlsplit(url).netloc], path
        # The bundle of the theme asks for stars of a repository that has this mark.
        assert 'data-md-component="source"' not in texts[path]
    for sheet in folder.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", sheet.read_text("utf-8"))


def test_links_lead_to_pages_and_sections(site):
    folder, pages, _ = site
    for path, page in pages.items():
        if path.name == "404.html":  # Its links begin at the root of the host.
            continue
        for link in page.links + page.fetched:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            place = urllib.parse.unquote(parts.path)
            target = (path.parent / place).resolve() if place else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path.relative_to(folder)}: {link}"
            if parts.fragment and target in pages:
                fragment = urllib.parse.unquote(parts.fragment)
                assert fragment in pages[target].ids | {"__skip"}, (path.relative_to(folder), link)


def test_the_reference_has_every_key_mode_and_flag(site):
    folder, pages, _ = site
    keys = pages[folder / "reference" / "config.html"].ids
    assert set(fields_of(Config)) <= keys
    modes = pages[folder / "reference" / "modes.html"].ids
    assert set(main.MODES) <= modes
    assert {f"flag-{name}" for mode in main.MODES.values() for name in mode.flags} <= modes


def test_the_reference_tells_range_default_and_meaning():
    page = runpy.run_path(str(PAGES / "hooks" / "reference.py"))["config_page"]()
    section = page.partition("### train.batch_size ")[2].partition("\n### ")[0]
    assert "*Whole number, at least 1.* By default `64`." in section
    assert "Examples per step over all devices and processes." in section
    clock = page.partition("### train.clock ")[2].partition("\n### ")[0]
    assert "One of `tied`, `independent`, `mixed`" in clock and "#configtrainclock" in clock


def test_formulas_are_mathml(site):
    folder, _, texts = site
    text = texts[folder / "method.html"]
    assert text.count("<math") > 20 and "arithmatex" not in text
    # Nothing of TeX is left in what a reader sees.
    assert not re.findall(r"\\[a-z]+|\$\$", re.sub(r"<[^>]+>", "", text.partition("<article")[2]))


def _messages(tree: ast.Module) -> list[str]:
    """Texts of a module, each with … in the place of a value."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
            found.append("".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


def _says(message: str, quote: str) -> bool:
    """True if a message of the code has the parts of a quote, in their order."""
    place = 0
    for part in (part.strip() for part in quote.split("…")):
        place = message.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return True


def test_quoted_messages_are_those_of_the_code():
    quotes = re.findall(r"^```text\n(.*?)\n```$", (PAGES / "faq.md").read_text(), re.M | re.S)
    assert len(quotes) > 20
    trees = [ast.parse(path.read_text()) for path in (ROOT / "symmflow_jax").rglob("*.py")]
    messages = [message for tree in trees for message in _messages(tree)]
    # What a class adds to its sentence is a message of its own.
    for quote in quotes:
        for sentence in quote.split(" Add them to config.data.class_names, "):
            assert any(_says(message, sentence) for message in messages), quote


def test_badges_and_the_site_name_one_repository():
    (address,) = re.findall(r"repository: &repository (\S+)", (ROOT / "mkdocs.yml").read_text())
    repository = address.removeprefix("https://github.com/")
    named = re.findall(r"colab\.research\.google\.com/github/([^/]+/[^/]+)/", _readme())
    assert len(named) == 5 and set(named) == {repository}


def test_the_readme_is_one_screen_with_links_that_lead_somewhere():
    text = _readme()
    assert len(text.splitlines()) <= 90
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert len(links) > 15 and all((ROOT / link).exists() for link in links)


def _readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")
