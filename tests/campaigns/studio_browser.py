"""Uses the studio in headless Chromium as a person would, and as a hostile one would not.

    python tests/campaigns/studio_browser.py --config=configs/shapes.py --workdir=runs/shapes \
        --output=pictures/

It starts the server, drops a photo on the page, paints, edits, undoes, downloads, and does the
same with keys alone and at the width of a phone. Then it sends hostile uploads, and lets twenty
people edit at once. Each line of its report is a check with what was seen; the exit status is 1 if
one has failed. Screenshots come to --output, and are to be looked at.

It needs Chromium and the Python package playwright, which may lie in another environment than the
server: --python names the server's.
"""

import argparse
import base64
import concurrent.futures
import contextlib
import io
import json
import pathlib
import re
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from playwright.sync_api import Page, sync_playwright

_MAKE_PHOTO = """
import runpy, sys
from PIL import Image
from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment
config = runpy.run_path(sys.argv[1])["get_config"]()
source = Experiment(conversion.from_config_dict(config)).evaluation_source
Image.fromarray(source[int(sys.argv[3])]["image"].squeeze()).save(sys.argv[2])
"""
_SECONDS_TO_START = 300.0
_SECONDS_TO_WORK = 300_000  # In milliseconds, as playwright counts.
_PEOPLE = 20

_DROP = """
([content, name, kind]) => {
  const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: kind }));
  for (const type of ["dragover", "drop"]) {
    const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new DragEvent(type, options));
  }
}
"""
_UNNAMED = """
() => [...document.querySelectorAll("button, a, input, select, canvas[tabindex]")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .filter((one) => !(one.textContent.trim() || one.ariaLabel || one.placeholder ||
                     [...(one.labels ?? [])].some((label) => label.textContent.trim())))
  .map((one) => one.outerHTML.slice(0, 120))
"""
_WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Report:
    """What was checked, with what was seen."""

    def __init__(self) -> None:
        self.failures = 0

    def check(self, name: str, passed: bool, seen: object = "") -> None:
        """Prints a check."""
        self.failures += not passed
        sys.stdout.write(f"{'ok  ' if passed else 'FAIL'}  {name}: {seen}\n")
        sys.stdout.flush()


@contextlib.contextmanager
def server(python: str, config: str, workdir: str, *more: str) -> Iterator[str]:
    """Starts the server at a free port; gives its address."""
    command = [python, "-m", "symmflow_jax.main", f"--config={config}", f"--workdir={workdir}"]
    process = subprocess.Popen(
        [*command, "--mode=studio", "--port=0", *more],
        stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    lines: list[str] = []
    try:
        begin = time.monotonic()
        while time.monotonic() - begin < _SECONDS_TO_START:
            line = process.stderr.readline()
            lines.append(line)
            found = re.search(r"The studio is at (\S+)", line)
            if found:
                yield found[1]
                return
            if not line:
                break
        raise RuntimeError(f"The server has not started: {''.join(lines)[-2000:]}")
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()


def drop(page: Page, photo: pathlib.Path, name: str = "scene.png", kind: str = "image/png") -> None:
    """Drops a file on the page."""
    content = base64.b64encode(photo.read_bytes()).decode()
    page.evaluate(_DROP, [content, name, kind])


def stroke(page: Page, places: list[tuple[float, float]]) -> None:
    """Drags over the painting area; places are shares of its width and height."""
    page.locator("#cursor").scroll_into_view_if_needed()
    box = page.locator("#cursor").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()


def choose(page: Page, number: int) -> None:
    """Chooses a class in the legend."""
    page.locator(".class").nth(number).click()


def shares(page: Page) -> list[str]:
    """The shares of the classes, as the legend shows them."""
    return page.locator(".class .share").all_text_contents()


def result(page: Page) -> str:
    """The address of the picture that is shown as the result, or "" if none is."""
    image = page.locator("#result")
    return (image.get_attribute("src") or "") if image.is_visible() else ""


def wait_for_other(page: Page, before: str) -> str:
    """Waits until another result is shown and no job runs; returns its address."""
    page.wait_for_function(
        "(before) => { const image = document.getElementById('result');"
        " return !image.hidden && image.getAttribute('src') !== before && image.complete"
        " && document.getElementById('job').hidden; }",
        arg=before,
        timeout=_SECONDS_TO_WORK,
    )
    return result(page)


def wait_for_photo(page: Page) -> None:
    """Waits until a photo was read."""
    page.wait_for_function(
        "() => !document.getElementById('workspace').hidden"
        " && document.getElementById('job').hidden && document.getElementById('photo').complete",
        timeout=_SECONDS_TO_WORK,
    )


def download(page: Page, name: str) -> bytes:
    """What a link of the page downloads."""
    with page.expect_download() as told:
        page.locator(name).click()
    return pathlib.Path(told.value.path()).read_bytes()


def on_a_desktop(page: Page, photo: pathlib.Path, output: pathlib.Path, report: Report) -> None:
    """Drops a photo, paints, edits, undoes, downloads."""
    page.screenshot(path=output / "1_welcome.png")
    drop(page, photo)
    wait_for_photo(page)
    read = shares(page)
    report.check("the photo is read", any(read), read)
    page.locator("#cursor").hover(position={"x": 40, "y": 40})
    report.check("the class under the pointer is named", "% sure" in page.inner_text("#under"),
                 page.inner_text("#under"))  # fmt: skip
    page.screenshot(path=output / "2_read.png", full_page=True)

    choose(page, len(read) - 1)
    before = result(page)
    stroke(page, [(0.3, 0.3), (0.5, 0.35), (0.6, 0.3)])
    first = wait_for_other(page, before)  # Compiles.
    painted = shares(page)
    report.check("a stroke changes the mask", painted != read, painted)
    begin = time.monotonic()
    stroke(page, [(0.3, 0.7), (0.45, 0.75)])
    second = wait_for_other(page, first)
    report.check("a stroke gives a picture", bool(second), f"{time.monotonic() - begin:.1f} s")

    page.keyboard.press("z")
    page.keyboard.press("z")
    report.check("two undos give the mask as read", shares(page) == read, shares(page))
    page.keyboard.press("Control+y")
    page.keyboard.press("y")
    report.check("two redos give the strokes again", shares(page) != read, shares(page))

    page.locator("label:has-text('Variants') input").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    before = wait_for_other(page, "")
    page.locator("#make").click()
    wait_for_other(page, before)
    page.wait_for_selector("#variants button >> nth=2", timeout=_SECONDS_TO_WORK)
    page.wait_for_timeout(500)
    page.screenshot(path=output / "3_edited.png", full_page=True)
    page.locator("#variants button").nth(0).focus()
    page.keyboard.press("ArrowRight")
    report.check("a key chooses the next variant", "picture_2" in result(page), result(page))
    page.keyboard.press("c")
    report.check("the photo is compared", result(page).startswith("blob:"), result(page))
    page.keyboard.press("c")

    picture = download(page, "#download-image")
    mask = download(page, "#download-mask")
    recipe = json.loads(download(page, "#download-recipe"))
    with zipfile.ZipFile(io.BytesIO(download(page, "#download-all"))) as archive:
        names = archive.namelist()
        report.check("the archive has the same", archive.read("mask.png") == mask, names)
        archive.extractall(output / "edit")
    report.check("a picture and a JSON", picture.startswith(b"\x89PNG"), recipe["commands"][0])

    page.locator("#clear-region").scroll_into_view_if_needed()
    page.keyboard.press("r")
    stroke(page, [(0.6, 0.6), (0.75, 0.7), (0.7, 0.8)])
    page.screenshot(path=output / "4_region.png", full_page=True)
    before = result(page)
    page.locator("#regenerate").click()
    report.check("a region is made anew", wait_for_other(page, before) != before, result(page))
    page.keyboard.press("u")
    page.screenshot(path=output / "5_unsure.png", full_page=True)
    page.keyboard.press("u")
    page.keyboard.press("?")
    page.wait_for_timeout(200)
    page.screenshot(path=output / "6_shortcuts.png")
    page.locator("#help button").click()

    unnamed = page.evaluate(_UNNAMED)
    report.check("every control has a name", not unnamed, unnamed)
    kept = page.locator("#history li").count()
    page.reload()
    page.wait_for_selector("body[data-ready]")
    again = page.locator("#history li").count()
    report.check("a reload keeps the history", again == kept > 0, f"{again} of {kept}")


def cancelling(page: Page, report: Report) -> None:
    """Cancels a job of several pictures while it runs."""
    before = result(page)
    page.locator("label:has-text('Variants') input").focus()
    page.keyboard.press("End")
    page.locator("#live").uncheck()
    page.locator("#make").click()
    page.wait_for_function("() => document.getElementById('job-bar').value > 0",
                           timeout=_SECONDS_TO_WORK)  # fmt: skip
    begin = time.monotonic()
    page.locator("#job-cancel").click()
    page.wait_for_function("() => document.getElementById('job').hidden", timeout=_SECONDS_TO_WORK)
    seconds = time.monotonic() - begin
    report.check("a job is cancelled", result(page) == before, f"after {seconds:.1f} s")


def by_keys_alone(page: Page, photo: pathlib.Path, output: pathlib.Path, report: Report) -> None:
    """Paints with the keys; the focus must be seen."""
    drop(page, photo)
    wait_for_photo(page)
    read = shares(page)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.id") == "cursor":
            break
    report.check("Tab reaches the painting area",
                 page.evaluate("() => document.activeElement.id") == "cursor")  # fmt: skip
    page.keyboard.press(str(1 + read.index("")))
    for key in ["Shift+ArrowRight", "Shift+ArrowDown", "Space", "ArrowRight", "Space"]:
        page.keyboard.press(key)
    report.check("keys paint", shares(page) != read, page.inner_text("#under"))
    report.check("the picture follows", bool(wait_for_other(page, "")), result(page))
    page.screenshot(path=output / "7_keys.png", full_page=True)


def on_a_phone(page: Page, photo: pathlib.Path, output: pathlib.Path, report: Report) -> None:
    """Paints with a finger at the width of a phone."""
    page.screenshot(path=output / "8_phone_welcome.png")
    drop(page, photo)
    wait_for_photo(page)
    read = shares(page)
    choose(page, read.index(""))  # A class that the photo does not show.
    page.locator("#cursor").scroll_into_view_if_needed()
    box = page.locator("#cursor").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    report.check("a finger paints", shares(page) != read, shares(page))
    wait_for_other(page, "")
    page.evaluate("() => scrollTo(0, 0)")
    page.screenshot(path=output / "9_phone.png")
    page.screenshot(path=output / "10_phone_whole.png", full_page=True)
    report.check("nothing is wider than the phone", page.evaluate(_WIDER) <= 0,
                 f"{page.evaluate(_WIDER)} px")  # fmt: skip


def labels(page: Page, output: pathlib.Path, report: Report) -> None:
    """Draws on the pad of a model of labels, and generates one."""
    box = page.locator("#pad").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(middle[0], middle[1] - 100)
    page.mouse.down()
    page.mouse.move(middle[0], middle[1] + 100, steps=12)
    page.mouse.up()
    page.wait_for_selector("#shares li", timeout=_SECONDS_TO_WORK)
    report.check("the pad is read", True, page.locator("#shares li").all_text_contents()[:3])
    page.locator("#generate").click()
    page.wait_for_selector("#label-results img", timeout=_SECONDS_TO_WORK)
    report.check("a label is generated", True, page.locator("#label-results a").count())
    page.wait_for_timeout(300)
    page.screenshot(path=output / "11_labels.png", full_page=True)


# Hostile requests, without a browser.


def ask(url: str, body: bytes | None = None, method: str | None = None, **headers: str) -> str:
    """The status and the message of an answer."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, given, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return f"{answer.status} {answer.read()[:200]!r}"
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read()[:300].decode()}"


def raw(url: str, text: bytes) -> str:
    """The first bytes of the answer to bytes that no HTTP library would send."""
    place = urllib.parse.urlsplit(url)
    with socket.create_connection((place.hostname, place.port), 60) as connection:
        connection.sendall(text)
        answer = connection.recv(65536)
        with contextlib.suppress(TimeoutError):
            connection.settimeout(2)
            answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    return f"{head.split(b' ', 1)[1][:3].decode()} {body[:200].decode('utf-8', 'replace')}"


def bomb(side: int) -> bytes:
    """A small PNG that says it is large, and would be."""

    def part(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(side * 3 + 1)) for _ in range(min(side, 2000)))
    data = rows + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", data) + part(b"IEND", b"")


def hostile(url: str, photo: bytes, report: Report) -> None:
    """Sends what must be refused with a message."""
    host = urllib.parse.urlsplit(url).netloc
    claim = f"POST /api/photos HTTP/1.1\r\nHost: {host}\r\nContent-Length: 10737418240\r\n\r\n"
    script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    page = b"<!doctype html><script>alert(1)</script>"
    photos = f"{url}/api/photos?name=photo.png"
    deep = b"[" * 200_000

    def get(path: str) -> bytes:
        return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()

    tries: list[tuple[str, str, Callable[[], str]]] = [
        ("a claim of 10 GB", "413", lambda: raw(url, claim.encode())),
        ("40 MiB", "413", lambda: ask(photos, bytes(40 * 2**20))),
        ("a bomb of 60000x60000 pixels", "413", lambda: ask(photos, bomb(60_000))),
        ("an SVG with a script", "415", lambda: ask(photos, script)),
        ("a page with a script", "415", lambda: ask(photos, page)),
        ("half a photo", "400", lambda: ask(photos, photo[: len(photo) // 2])),
        ("an empty photo", "400", lambda: ask(photos, b"")),
        ("a path in the address", "404", lambda: raw(url, get("/page/../../../etc/passwd"))),
        ("a path of escapes", "404", lambda: raw(url, get("/page/..%2f..%2fetc%2fpasswd"))),
        ("a path as a result", "", lambda: ask(f"{url}/api/results/..%2f..%2fetc/passwd")),
        ("another host", "421", lambda: ask(url, Host="evil.example")),
        ("another site", "403", lambda: ask(photos, photo, Origin="http://evil.example")),
        ("JSON of deep brackets", "400", lambda: ask(f"{url}/api/jobs", deep)),
        ("a job of another kind", "400", lambda: ask(f"{url}/api/jobs", b'{"kind": "rm"}')),
        ("a job of no photo", "410", lambda: ask(f"{url}/api/jobs", b'{"kind": "read"}')),
    ]  # fmt: skip
    for name, status, send in tries:
        seen = send()
        report.check(name, seen.startswith(status or "4") and "Traceback" not in seen, seen[:230])
    name = urllib.parse.quote("../../etc/passwd<script>")
    seen = ask(f"{url}/api/photos?name={name}", photo)
    report.check("a path as a name", "201" in seen and ".." not in seen, seen[:200])
    seen = ask(f"{url}/api/model")
    report.check("the server still works", seen.startswith("200"), seen[:60])


class Person:
    """Somebody with a browser of their own, but without the browser."""

    def __init__(self, url: str):
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def ask(self, path: str, body: bytes | None = None) -> Any:
        """The JSON of an answer."""
        with self._opener.open(f"{self._url}{path}", body, timeout=300) as answer:
            content = answer.read()
        return json.loads(content) if content[:1] in b"{[" else content

    def work(self, **values: Any) -> tuple[dict, int]:
        """The result of a job, and the most jobs that were seen to come before it."""
        told = self.ask("/api/jobs", json.dumps(values).encode())
        most = told["before"]
        while told["state"] in ("waiting", "running"):
            time.sleep(0.2)
            told = self.ask(f"/api/jobs/{told['id']}")
            most = max(most, told["before"])
        assert told["state"] == "done", told
        return told["result"], most

    def edit(self, photo: bytes, seed: int) -> tuple[bytes, int]:
        """Reads a photo, makes another mask of it, and edits it: the picture, and the wait."""
        told = self.ask("/api/photos?name=p.png", photo)
        reading, _ = self.work(kind="read", photo=told["id"])
        old = self.ask(f"/api/results/{reading['id']}/page_mask.png")
        new = _turned(old)
        masks = {"mask": base64.b64encode(new).decode(), "source": base64.b64encode(old).decode()}
        settings = {"num_steps": 25, "seed": seed}
        made, most = self.work(kind="edit", photo=told["id"], settings=settings, **masks)
        return self.ask(f"/api/results/{made['id']}/picture_1.png"), most


def _turned(mask: bytes) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(mask)).transpose(Image.Transpose.ROTATE_180).save(buffer, "PNG")
    return buffer.getvalue()


def twenty_people(url: str, photo: bytes, report: Report) -> None:
    """Lets many people edit at once, each with a seed of their own."""
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(_PEOPLE) as pool:
        jobs = [pool.submit(Person(url).edit, photo, seed) for seed in range(_PEOPLE)]
        made = [job.result() for job in jobs]
    seconds = time.monotonic() - begin
    pictures = {picture for picture, _ in made}
    longest = max(most for _, most in made)
    report.check(
        f"{_PEOPLE} people at once", len(pictures) == _PEOPLE,
        f"{len(pictures)} pictures in {seconds:.1f} s, at most {longest} jobs before one",
    )  # fmt: skip
    alone, _ = Person(url).edit(photo, 7)
    report.check(
        "nobody's picture is another's", alone == made[7][0], "seed 7 alone gives the same"
    )


def with_chromium(
    url: str, chromium: str, photo: pathlib.Path, output: pathlib.Path, report: Report
) -> None:
    """Everything that takes a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        own = urllib.parse.urlsplit(url).netloc
        faults: list[str] = []

        def open_page(**options: Any) -> Page:
            page = browser.new_context(accept_downloads=True, **options).new_page()
            page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("request", lambda request: faults.extend(_elsewhere(request.url, own)))
            page.goto(url)
            page.wait_for_selector("body[data-ready]", timeout=_SECONDS_TO_WORK)
            return page

        desktop = open_page(viewport={"width": 1440, "height": 900})
        if desktop.locator("#labels").is_visible():
            labels(desktop, output, report)
        else:
            on_a_desktop(desktop, photo, output, report)
            cancelling(desktop, report)
            by_keys_alone(open_page(viewport={"width": 1100, "height": 800}), photo, output, report)
            phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
            page = open_page(**phone, is_mobile=True, device_scale_factor=2, color_scheme="dark")
            on_a_phone(page, photo, output, report)
        report.check("no error and no other host", not faults, faults)
        browser.close()


def _elsewhere(address: str, own: str) -> list[str]:
    """What to say of a request, if it goes to another host."""
    return [] if urllib.parse.urlsplit(address).netloc in ("", own) else [f"asks {address}"]


def main() -> int:
    """Runs everything; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--workdir", required=True)
    parser.add_argument("--output", required=True, type=pathlib.Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--example", default="3", help="number of the example that is the photo")
    parser.add_argument("--url", default="", help="of a server that runs already")
    parser.add_argument("--parts", default="browser,hostile,people")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    photo = given.output / "photo.png"
    if not photo.exists():
        command = [given.python, "-c", _MAKE_PHOTO, given.config, str(photo), given.example]
        subprocess.run(command, check=True)
    report = Report()
    running = (
        contextlib.nullcontext(given.url)
        if given.url
        else server(given.python, given.config, given.workdir)
    )
    with running as url:
        if "browser" in given.parts:
            with_chromium(url, given.chromium, photo, given.output, report)
        if "hostile" in given.parts:
            hostile(url, photo.read_bytes(), report)
        if "people" in given.parts:
            twenty_people(url, photo.read_bytes(), report)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
