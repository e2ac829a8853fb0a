"""The server's answers, as a browser and as others get them, with an engine without a network."""

import asyncio
import io
import json
import threading
import zipfile

import numpy as np
import pytest

pytest.importorskip("aiohttp")

from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from symmflow_jax.studio.web import guard, uploads
from symmflow_jax.studio.web.guard import Password
from symmflow_jax.studio.web.server import Serving, application
from tests.studio.conftest import SIZE


@pytest.fixture
def visit(queue, stand_in, run_async):
    """A function that runs a visit, a coroutine of a client, on a server."""

    def run(visit, password: str = "", engine=None):
        async def go():
            app = application(
                engine or stand_in(), ("--config=c.py",), Serving(), Password(password), queue
            )
            async with TestClient(TestServer(app)) as client:
                return await visit(client)

        return run_async(go())

    return run


async def _follow(client, answer) -> dict:
    """A job when it has ended."""
    job = await answer.json()
    assert answer.status == 202, job
    while job["state"] in ("waiting", "running"):
        job = await (await client.get(f"/api/jobs/{job['id']}")).json()
    return job


async def _send(client, photo, name="p.png") -> str:
    answer = await client.post("/api/photos", params={"name": name}, data=photo)
    assert answer.status == 201
    return (await answer.json())["id"]


async def _message(answer) -> str:
    return (await answer.json())["error"]


def test_a_person_reads_edits_and_downloads(visit, photo, encoded):
    async def person(client):
        photo_id = await _send(client, photo)
        told = {"kind": "read", "photo": photo_id}
        job = await _follow(client, await client.post("/api/jobs", json=told))
        assert job["state"] == "done" and job["result"]["about"]["name"] == "p.png"
        masks = {
            "mask": encoded(np.full(SIZE, 2, np.uint8)),
            "source": encoded(np.zeros(SIZE, np.uint8)),
        }
        told = {"kind": "edit", "photo": photo_id, "settings": {"num_variants": 2}, **masks}
        job = await _follow(client, await client.post("/api/jobs", json=told))
        place = f"/api/results/{job['result']['id']}"
        archive = zipfile.ZipFile(io.BytesIO(await (await client.get(f"{place}/all.zip")).read()))
        mask = await client.get(f"{place}/mask.png")
        assert mask.content_type == "image/png" and await mask.read() == archive.read("mask.png")
        assert not [name for name in archive.namelist() if name.startswith("page_")]
        recipe = await (await client.get(f"{place}/recipe.json")).json()
        assert recipe["commands"][0].startswith("python -m symmflow_jax.main --config=c.py")
        kinds = [
            entry["kind"] for entry in (await (await client.get("/api/results")).json())["results"]
        ]
        assert kinds == ["read", "edit"]
        await client.delete(place)
        assert (await client.get(f"{place}/mask.png")).status == 410

    visit(person)


def test_twenty_people_lose_nothing_and_see_their_own(visit, photo, encoded):
    async def one(client, seed: int) -> int:
        own = TestClient(client.server)
        photo_id = await _send(own, photo)
        masks = dict.fromkeys(("mask", "source"), encoded(np.zeros(SIZE, np.uint8)))
        told = {"kind": "edit", "photo": photo_id, "settings": {"seed": seed}, **masks}
        job = await _follow(own, await own.post("/api/jobs", json=told))
        picture = await own.get(f"/api/results/{job['result']['id']}/picture_1.png")
        results = (await (await own.get("/api/results")).json())["results"]
        assert len(results) == 1
        found = uploads.read_photo(await picture.read(), "p", 100).pixels[0, 0, 0]
        await own.session.close()
        return int(found)

    async def all_of_them(client):
        return await asyncio.gather(*(one(client, seed) for seed in range(20)))

    assert visit(all_of_them) == list(range(20))


def test_a_job_that_fails_says_why(visit, photo):
    async def person(client):
        answer = await client.post("/api/jobs", json={"kind": "read", "photo": "other"})
        assert (answer.status, await _message(answer)) == (
            410,
            "The photo is no longer here; send it again.",
        )
        answer = await client.post("/api/jobs", data="[" * 100_000)
        assert (answer.status, await _message(answer)) == (400, "The request is no JSON.")
        answer = await client.post("/api/jobs", data="[1]")
        assert (answer.status, await _message(answer)) == (400, "The request is no object of JSON.")
        assert (await client.get("/api/jobs/other")).status == 404
        assert (await client.delete("/api/jobs/other")).status == 404

    visit(person)


def test_jobs_and_results_of_others_are_not_there(visit, photo):
    async def two(client):
        told = {"kind": "read", "photo": await _send(client, photo)}
        job = await _follow(client, await client.post("/api/jobs", json=told))
        other = TestClient(client.server)
        assert (await other.get(f"/api/jobs/{job['id']}")).status == 404
        assert (await other.get(f"/api/results/{job['result']['id']}/mask.png")).status == 410
        assert (await (await other.get("/api/results")).json()) == {"results": []}
        await other.session.close()

    visit(two)


def test_every_answer_has_the_headers(visit):
    async def look(client):
        for path in ("/", "/page/main.js", "/api/model", "/nothing"):
            headers = (await client.get(path)).headers
            for name, value in guard.HEADERS.items():
                assert headers[name] == value, (path, name)
        cookie = (await client.post("/api/photos", data=b"x")).headers.get("Set-Cookie")
        assert cookie is None  # Refused, so nothing is remembered.

    visit(look)


def test_the_cookie_is_for_the_server_alone(visit, photo):
    async def look(client):
        answer = await client.post("/api/photos", data=photo)
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
        assert f"symmflow_studio_{client.port}=" in cookie

    visit(look)


@pytest.mark.parametrize(
    "path",
    [
        "/page/../server.py", "/page/%2e%2e/server.py", "/page/..%2f..%2fetc%2fpasswd",
        "/page/index.html", "/page/login.html", "/page//etc/passwd", "/etc/passwd", "/page/",
        "/studio/page/main.js",
    ],
)  # fmt: skip
def test_no_path_reaches_the_disk(visit, path):
    async def look(client):
        answer = await client.get(URL(path, encoded=True))
        assert (answer.status, await _message(answer)) == (404, "There is nothing at this address.")

    visit(look)


def test_too_many_bytes_are_refused_by_their_claim_and_by_their_number(visit, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES", 1000)

    async def look(client):
        claimed = await client.post("/api/photos", data=bytes(1001))
        assert claimed.status == 413 and "larger than" in await _message(claimed)

        async def unclaimed():
            for _ in range(20):
                yield bytes(100)

        sent = await client.post("/api/photos", data=unclaimed())
        assert sent.status == 413 and "larger than" in await _message(sent)

    visit(look)


@pytest.mark.parametrize(
    ("content", "status"), [(b"<svg/>", 415), (b"", 400), (b"\x89PNG\r\n\x1a\n", 400)]
)
def test_what_is_no_photo_is_told(visit, content, status):
    async def look(client):
        answer = await client.post("/api/photos?name=../../etc/passwd", data=content)
        assert answer.status == status and (await _message(answer)).startswith("passwd ")

    visit(look)


def test_other_names_and_sites_are_refused(visit, photo):
    async def look(client):
        answer = await client.get("/", headers={"Host": "evil.example"})
        assert answer.status == 421 and "not known by that name" in await _message(answer)
        answer = await client.post(
            "/api/photos", data=photo, headers={"Origin": "http://evil.example"}
        )
        assert (answer.status, await _message(answer)) == (
            403,
            "Another site has sent this request.",
        )
        own = {"Origin": f"http://{client.host}:{client.port}"}
        assert (await client.post("/api/photos", data=photo, headers=own)).status == 201

    visit(look)


def test_a_password_opens_the_studio(visit, photo):
    async def look(client):
        answer = await client.get("/")
        assert answer.url.path == "/login" and "password" in await answer.text()
        for path in ("/api/model", "/api/results", "/page/main.js"):
            assert (await client.get(path)).status == 401
        assert (await client.post("/api/photos", data=photo)).status == 401
        assert (await client.get("/page/style.css")).status == 200
        wrong = await client.post("/login", data={"password": "wrong"})
        assert wrong.status == 403 and "This is not the password." in await wrong.text()
        assert (await client.get("/api/model")).status == 401
        right = await client.post("/login", data={"password": "a good one"})
        assert right.url.path == "/" and (await client.get("/api/model")).status == 200
        assert (await client.post("/api/photos", data=photo)).status == 201
        assert (await client.get("/login")).url.path == "/"

    visit(look, password="a good one")


def test_guesses_of_the_password_are_bounded(visit):
    async def look(client):
        for _ in range(5):
            await client.post("/login", data={"password": "wrong"})
        answer = await client.post("/login", data={"password": "a good one"})
        assert answer.status == 429 and "wait a minute" in await answer.text()

    visit(look, password="a good one")


def test_a_fault_of_the_server_is_told_without_its_traceback(visit, photo, stand_in, caplog):
    class Broken(stand_in):
        def read(self, pixels, progress):
            raise RuntimeError("a broken network")

    async def look(client):
        told = {"kind": "read", "photo": await _send(client, photo)}
        job = await _follow(client, await client.post("/api/jobs", json=told))
        assert (job["state"], job["message"]) == ("failed", "The work failed: a broken network")
        assert "Traceback" not in json.dumps(job)

    visit(look, engine=Broken())
    assert "a broken network" in caplog.text


def test_a_job_is_cancelled(visit, photo, stand_in):
    reached, let_on = threading.Event(), threading.Event()

    class Slow(stand_in):
        def read(self, pixels, progress):
            progress(0.0, "Reading")
            reached.set()
            assert let_on.wait(10)
            progress(0.5, "Still reading")

    async def look(client):
        told = {"kind": "read", "photo": await _send(client, photo)}
        job = await (await client.post("/api/jobs", json=told)).json()
        while not reached.is_set():
            await client.get("/api/model")
        assert (await (await client.get(f"/api/jobs/{job['id']}")).json())["text"] == "Reading"
        await client.delete(f"/api/jobs/{job['id']}")
        let_on.set()
        while (job := await (await client.get(f"/api/jobs/{job['id']}")).json())[
            "state"
        ] == "running":
            pass
        assert (job["state"], job["message"]) == ("cancelled", "Cancelled.")

    visit(look, engine=Slow())
