"""The addresses of the server and what they answer."""

import asyncio
import http
import io
import json
import logging
import urllib.parse
import zipfile
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from symmflow_jax.runtime import files
from symmflow_jax.studio.jobs import Job, Queue
from symmflow_jax.studio.refusal import Refusal
from symmflow_jax.studio.sessions import Entry, Session, Sessions
from symmflow_jax.studio.web import guard, pages, uploads
from symmflow_jax.studio.web.guard import Hosts, Password
from symmflow_jax.studio.work import Work

_logger = logging.getLogger(__name__)

COOKIE = "symmflow_studio"
_SECONDS_TO_SEND = 120.0
_MOST_DECODED_AT_ONCE = 2
_MOST_JSON_DEPTH_ERRORS = (ValueError, RecursionError)
_WRONG = "<!-- message -->"
_SETS_COOKIE = web.RequestKey("sets_cookie", Session)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_TEXTS = {
    http.HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    http.HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take such requests.",
    http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        f"The upload is larger than {uploads.MOST_BYTES // 2**20} MiB; choose a smaller photo."
    ),
}


class Routes:
    """The handlers of the studio.

    Args:
        about: what the page needs to know of the model.
        work: makes tasks of requests.
        queue: the jobs.
        hosts: the names of the server.
        password: the password.
        longest_side: most pixels of a row or a column of a photo.
    """

    def __init__(
        self,
        about: dict[str, Any],
        work: Work,
        queue: Queue,
        hosts: Hosts,
        password: Password,
        longest_side: int,
    ):
        self._about, self._work, self._queue = about, work, queue
        self._hosts, self._password = hosts, password
        self._longest_side = longest_side
        self._sessions = Sessions(queue.has_work)
        self._decoding = asyncio.Semaphore(_MOST_DECODED_AT_ONCE)

    def application(self) -> web.Application:
        """The application with all routes."""
        application = web.Application(
            client_max_size=uploads.MOST_BYTES, middlewares=[self._answer, self._admit]
        )
        application.add_routes(
            [
                web.get("/", self._index),
                web.get("/login", self._login_page),
                web.post("/login", self._login),
                web.get("/page/{name}", self._page_file),
                web.get("/api/model", self._model),
                web.post("/api/photos", self._add_photo),
                web.post("/api/jobs", self._add_job),
                web.get("/api/jobs/{id}", self._job),
                web.delete("/api/jobs/{id}", self._cancel_job),
                web.get("/api/results", self._results),
                web.delete("/api/results/{id}", self._remove_result),
                web.get("/api/results/{id}/all.zip", self._archive),
                web.get("/api/results/{id}/{name}", self._result_file),
            ]
        )
        return application

    # What all requests pass through.

    @property
    def _answer(self):
        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            """Turns errors into messages, and adds the headers and the cookie."""
            try:
                response = await handler(request)
            except Refusal as refusal:
                response = _message(str(refusal), refusal.status)
            except web.HTTPException as error:
                status = http.HTTPStatus(error.status)
                if error.status < http.HTTPStatus.BAD_REQUEST:
                    place = {"Location": error.headers["Location"]}
                    response = web.Response(status=status, headers=place)
                else:
                    response = _message(_TEXTS.get(status, status.phrase), status)
            except (asyncio.CancelledError, ConnectionError):
                raise
            except Exception:
                _logger.exception("A request to the studio has failed.")
                status = http.HTTPStatus.INTERNAL_SERVER_ERROR
                response = _message("The server has failed; its log says why.", status)
            response.headers.update(guard.HEADERS)
            response.headers.setdefault("Cache-Control", "no-store")
            session: Session | None = request.get(_SETS_COOKIE)
            if session is not None:
                response.set_cookie(
                    self._cookie_name(request), session.token, httponly=True, samesite="Strict",
                )  # fmt: skip
            return response

        return answer

    @property
    def _admit(self):
        @web.middleware
        async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
            """Lets requests through that come from the page, and from who knows the password."""
            host = request.headers.get("Host")
            self._hosts.check(host)
            guard.check_origin(request.method, host, request.headers.get("Origin"))
            if (request.content_length or 0) > uploads.MOST_BYTES:
                raise web.HTTPRequestEntityTooLarge(uploads.MOST_BYTES, request.content_length or 0)
            if not self._password.is_needed or self._find_session(request) is not None:
                return await handler(request)
            if request.path == "/login" or _is_open(request.path):
                return await handler(request)
            if request.path == "/":
                raise web.HTTPSeeOther("/login")
            raise Refusal("Give the password first: load the page.", http.HTTPStatus.UNAUTHORIZED)

        return admit

    def _cookie_name(self, request: web.Request) -> str:
        """Servers on other ports of one host share cookies, so each has a name of its own."""
        transport = request.transport
        name = transport.get_extra_info("sockname") if transport else None
        port = name[1] if name else 0
        return f"{COOKIE}_{port}"

    def _find_session(self, request: web.Request) -> Session | None:
        return self._sessions.find(request.cookies.get(self._cookie_name(request)))

    def _session(self, request: web.Request) -> Session:
        """The session of a request; a new one if it has none."""
        session = self._find_session(request)
        if session is None:
            session = self._sessions.create()
            request[_SETS_COOKIE] = session
        return session

    # Pages.

    async def _index(self, request: web.Request) -> web.Response:
        del request
        return _page(pages.INDEX)

    async def _page_file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in pages.page_files() or name in (pages.INDEX, pages.LOGIN):
            raise web.HTTPNotFound
        return _page(name)

    async def _login_page(self, request: web.Request) -> web.Response:
        if not self._password.is_needed or self._find_session(request) is not None:
            raise web.HTTPSeeOther("/")
        return _page(pages.LOGIN)

    async def _login(self, request: web.Request) -> web.Response:
        text = (await self._sent(request)).decode("utf-8", "replace")
        guess = dict(_form(text)).get("password", "")
        message = "This is not the password."
        status = http.HTTPStatus.FORBIDDEN
        try:
            is_right = self._password.check(guess, request.remote or "")
        except Refusal as refusal:
            is_right, message, status = False, str(refusal), refusal.status
        if not is_right:
            response = _page(pages.LOGIN, message)
            response.set_status(status)
            return response
        request[_SETS_COOKIE] = self._sessions.create()
        raise web.HTTPSeeOther("/")

    # The model, photos, jobs and results.

    async def _model(self, request: web.Request) -> web.Response:
        del request
        return _json(self._about)

    async def _add_photo(self, request: web.Request) -> web.Response:
        content = await self._sent(request)
        name = request.query.get("name", "photo")
        async with self._decoding:
            photo = await asyncio.to_thread(uploads.read_photo, content, name, self._longest_side)
        photo_id = self._session(request).add_photo(photo)
        height, width = photo.size
        values = {"id": photo_id, "name": photo.name, "width": width, "height": height}
        return _json(values | {"note": photo.note}, http.HTTPStatus.CREATED)

    async def _add_job(self, request: web.Request) -> web.Response:
        try:
            values = json.loads(await self._sent(request))
        except _MOST_JSON_DEPTH_ERRORS as error:
            raise Refusal("The request is no JSON.") from error
        session = self._session(request)
        task = await asyncio.to_thread(self._work.task, values, session)
        is_live = values.get("live") is True
        job = self._queue.submit(Job(session.token, task, is_live))
        return _json(self._described(job), http.HTTPStatus.ACCEPTED)

    async def _job(self, request: web.Request) -> web.Response:
        return _json(self._described(self._own_job(request)))

    async def _cancel_job(self, request: web.Request) -> web.Response:
        job = self._own_job(request)
        self._queue.cancel(job)
        return _json(self._described(job))

    async def _results(self, request: web.Request) -> web.Response:
        session = self._find_session(request)
        return _json({"results": [_summary(e) for e in session.entries()] if session else []})

    async def _remove_result(self, request: web.Request) -> web.Response:
        self._session(request).remove(request.match_info["id"])
        return _json({})

    async def _result_file(self, request: web.Request) -> web.Response:
        entry, name = self._entry(request), request.match_info["name"]
        if name not in entry.files:
            raise web.HTTPNotFound
        kind = "application/json" if name.endswith(".json") else "image/png"
        # A result never changes.
        headers = {"Cache-Control": "private, max-age=14400, immutable"}
        return web.Response(body=entry.files[name], content_type=kind, headers=headers)

    async def _archive(self, request: web.Request) -> web.Response:
        entry = self._entry(request)
        return web.Response(body=_zipped(entry), content_type="application/zip")

    def _own_job(self, request: web.Request) -> Job:
        session = self._find_session(request)
        return self._queue.find(request.match_info["id"], session.token if session else "")

    def _entry(self, request: web.Request) -> Entry:
        session = self._find_session(request)
        if session is None:
            raise Refusal("The result is no longer here.", http.HTTPStatus.GONE)
        return session.entry(request.match_info["id"])

    def _described(self, job: Job) -> dict[str, Any]:
        return {
            "id": job.id,
            "state": job.state.value,
            "before": self._queue.num_before(job),
            "share": job.progress.share,
            "text": job.progress.text,
            "seconds": job.progress.seconds,
            "elapsed": job.progress.elapsed,
            "message": job.message,
            "result": _summary(job.result) if isinstance(job.result, Entry) else None,
        }

    async def _sent(self, request: web.Request) -> bytes:
        """The body of a request, which may take its time, but not for ever."""
        try:
            async with asyncio.timeout(_SECONDS_TO_SEND):
                return await request.read()
        except TimeoutError as error:
            raise Refusal("The upload took too long.", http.HTTPStatus.REQUEST_TIMEOUT) from error


def _is_open(path: str) -> bool:
    """True for a file that the page of the password needs."""
    return path.startswith("/page/") and path.removeprefix("/page/") in pages.BEFORE_LOGIN


def _form(text: str) -> list[tuple[str, str]]:
    try:
        return urllib.parse.parse_qsl(text, max_num_fields=4)
    except ValueError:
        return []


def _summary(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "kind": entry.kind,
        "time": entry.time,
        "live": entry.is_live,
        "about": entry.about,
        "files": list(entry.files),
    }


def _zipped(entry: Entry) -> bytes:
    """The files of a result that are not for the page alone, as a ZIP."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # PNGs are compressed already.
        for name, content in entry.files.items():
            if not name.startswith("page_"):
                archive.writestr(name, content)
    return buffer.getvalue()


def _page(name: str, message: str = "") -> web.Response:
    file = pages.page_files()[name]
    body = file.content
    if message:
        # Of a fixed text, which holds no signs of HTML.
        body = body.replace(_WRONG.encode(), message.encode())
    headers = {"Cache-Control": "no-cache"}
    return web.Response(body=body, content_type=file.kind, charset="utf-8", headers=headers)


def _json(value: Any, status: http.HTTPStatus = http.HTTPStatus.OK) -> web.Response:
    return web.Response(text=files.as_json(value), status=status, content_type="application/json")


def _message(text: str, status: http.HTTPStatus) -> web.Response:
    return _json({"error": text}, status)
