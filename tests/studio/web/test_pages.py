"""The files of the page: they are there, they find each other, and they name no other host."""

import re

from symmflow_jax.studio.web import pages


def _texts() -> dict[str, str]:
    return {name: file.content.decode() for name, file in pages.page_files().items()}


def test_the_page_has_its_files():
    kinds = {name: file.kind for name, file in pages.page_files().items()}
    assert kinds["index.html"] == "text/html" and kinds["main.js"] == "text/javascript"
    assert set(pages.BEFORE_LOGIN) <= set(kinds) and {pages.INDEX, pages.LOGIN} <= set(kinds)


def test_files_find_each_other():
    texts = _texts()
    for name, text in texts.items():
        named = re.findall(r'(?:src|href)="/page/([^"]+)"', text)
        named += re.findall(r'from "\./([^"]+)"', text) if name.endswith(".js") else []
        assert set(named) <= set(texts), name


def test_the_elements_that_scripts_name_exist():
    texts = _texts()
    ids = set(re.findall(r'\bid="([\w-]+)"', texts["index.html"]))
    for name, text in texts.items():
        if name.endswith(".js"):
            missing = set(re.findall(r'\$\("([\w-]+)"\)', text)) - ids
            assert not missing, f"{name} names {missing}"
    for attribute in ("for", "aria-labelledby", "aria-describedby"):
        named = re.findall(rf'\b{attribute}="([\w-]+)"', texts["index.html"])
        assert set(named) <= ids, attribute


def test_a_label_with_an_output_names_its_control():
    """The label of a form that holds an output, and does not say more, is that of the output."""
    labels = re.findall(r"<label\b([^>]*)>(.*?)</label>", _texts()["index.html"], re.DOTALL)
    with_output = [attributes for attributes, inside in labels if "<output" in inside]
    assert with_output and all("for=" in attributes for attributes in with_output)


def test_no_other_host_is_named_and_no_script_stands_in_the_page():
    for name, text in _texts().items():
        for address in re.findall(r"https?://[^\s\"')]+", text):
            assert address == "http://www.w3.org/2000/svg", f"{name} names {address}"
        assert not re.search(r"\bon\w+=|javascript:|<style|\sstyle=|innerHTML|\beval\(", text), name
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), name
