"""The app's web server: what each address answers."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Annotated
from urllib.parse import unquote, urlsplit

import anyio
from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect

from genredag.errors import GenredagError
from genredag.prediction.app import work
from genredag.prediction.app.jobs import Caller, Jobs, in_process
from genredag.prediction.app.limits import ExpiredError, Limits, TooLargeError, status_of
from genredag.prediction.app.offer import Offered
from genredag.prediction.app.picture import draw
from genredag.prediction.app.security import Confined
from genredag.prediction.app.songs import Song, SongStore, temporary_folder
from genredag.theme import STYLE

STATIC = Path(__file__).with_name("static")
SWEEP_SECONDS = 30
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")  # as a browser names them
# Downloads the audio at an address into a file of a folder, and returns its path.
Fetch = Callable[[str, Path], Path]


class Link(BaseModel):
    """The address of a song."""

    model_config = ConfigDict(extra="forbid")

    address: str = Field(max_length=2000)


class Choice(BaseModel):
    """A model of the offer, by its id."""

    model_config = ConfigDict(extra="forbid")

    model: str


@dataclass(frozen=True)
class SongContent:
    """A song as the page receives it."""

    id: str
    name: str
    duration: float
    peaks: list[float]
    hz: list[float]


class App:
    """What the requests of one server share.

    Parameters
    ----------
    offered
        The models to choose from; the first is loaded at once.
    fetch
        How to download a song.
    """

    def __init__(self, offered: Sequence[Offered], limits: Limits, fetch: Fetch, call: Caller) -> None:
        self.offered = {model.id: model for model in offered}
        self.limits, self.fetch = limits, fetch
        self.jobs = Jobs(limits, call)
        self.downloads = anyio.CapacityLimiter(2)
        self.store: SongStore

    def model(self, identity: str) -> Path:
        """Return the path of a model by its id.

        Raises
        ------
        ExpiredError
            There is no such model.
        """
        if identity not in self.offered:
            raise ExpiredError("no such model", hint="reload the page")
        return self.offered[identity].path

    async def add(self, song: Song) -> SongContent:
        """Look into a song that has arrived and keep it, or remove it if it is no song.

        Raises
        ------
        DataError
            It can't be decoded, or is too long.
        """
        try:
            found = await self.jobs.run(draw, song.path, self.limits.song_seconds)
        except BaseException:
            song.path.unlink(missing_ok=True)
            raise
        song.spectrogram = found.spectrogram
        self.store.keep(song)
        return SongContent(song.id, song.name, found.duration, found.peaks, found.hz)

    async def download(self, address: str) -> Song:
        """Download a song.

        Raises
        ------
        DataError
            The address is refused, or the download fails.
        """
        with self.store.side_folder() as folder:
            file = await to_thread.run_sync(self.fetch, address, folder, limiter=self.downloads)
            path = unquote(urlsplit(address).path)
            song = self.store.new(
                str(PurePosixPath(path).with_suffix(file.suffix)) if path.strip("/") else "song"
            )
            file.replace(song.path)
        return song


def the_app(request: Request) -> App:
    """Return what requests share."""
    app: App = request.app.state.shared
    return app


Shared = Annotated[App, Depends(the_app)]
Name = Annotated[str, Query(max_length=1000)]
api = APIRouter(prefix="/api")


@api.get("/about")
async def about(app: Shared) -> dict[str, object]:
    """Return the models to choose from, and the limits."""
    limits = app.limits
    return {
        "models": [model.content() for model in app.offered.values()],
        "upload_bytes": limits.upload_bytes,
        "song_seconds": limits.song_seconds,
    }


@api.post("/songs")
async def upload(request: Request, app: Shared, name: Name = "") -> SongContent:
    """Receive a song: the request's body is the file."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > app.limits.upload_bytes:
        raise TooLargeError.of(app.limits)
    try:
        song = await app.store.receive(name, request.stream())
    except ClientDisconnect:  # nobody is left to tell
        raise HTTPException(status_code=400) from None
    return await app.add(song)


@api.post("/links")
async def link(body: Link, app: Shared) -> SongContent:
    """Download a song."""
    return await app.add(await app.download(body.address))


@api.delete("/songs/{identity}", status_code=204)
async def forget(identity: str, app: Shared) -> None:
    """Remove a song."""
    app.store.remove(identity)


@api.get("/songs/{identity}/audio")
async def audio(identity: str, app: Shared) -> FileResponse:
    """Return a song's file as it came."""
    path = app.store.get(identity).path
    kind = mimetypes.guess_type(path)[0] or ""
    return FileResponse(path, media_type=kind if kind.startswith("audio/") else "application/octet-stream")


@api.get("/songs/{identity}/playable")
async def playable(identity: str, app: Shared) -> FileResponse:
    """Return a song as MP3."""
    song = app.store.get(identity)
    if not song.playable.exists():
        await app.jobs.run(work.copy_for_playing, song.path, song.playable)
    return FileResponse(song.playable, media_type="audio/mpeg")


async def theme() -> FileResponse:
    """Return the style that the app shares with the report."""
    return FileResponse(STYLE)


@api.get("/songs/{identity}/spectrogram")
async def spectrogram(identity: str, app: Shared) -> Response:
    """Return the picture of a song: a byte a pixel, column by column, from the lowest frequency."""
    return Response(app.store.get(identity).spectrogram, media_type="application/octet-stream")


@api.post("/songs/{identity}/predictions")
async def predict(identity: str, choice: Choice, app: Shared) -> work.PredictionContent:
    """Predict a song with a model."""
    model, song = app.model(choice.model), app.store.get(identity)
    return await app.jobs.run(work.predict_song, model, song.path)


@api.post("/songs/{identity}/explanations")
async def explain(identity: str, choice: Choice, app: Shared) -> work.ExplanationContent:
    """Return which times and bands of a song decided for a model."""
    model, song = app.model(choice.model), app.store.get(identity)
    return await app.jobs.run(work.explain_song, model, song.path)


def make_server(
    offered: Sequence[Offered],
    fetch: Fetch,
    limits: Limits | None = None,
    call: Caller = in_process,
    hosts: Sequence[str] = ("*",),
    parent: Path | None = None,
) -> FastAPI:
    """Return the server.

    Parameters
    ----------
    offered
        The models to choose from; the first is loaded at once.
    fetch
        Downloads the audio at an address into a file of a folder, and returns its path.
    call
        Where jobs run.
    hosts
        Names that the server may be addressed by; ``"*"`` for any.
    parent
        Where the temporary folder is made; None for the system's place.
    """
    shared = App(offered, limits or Limits(), fetch, call)
    server = FastAPI(
        title="genredag",
        lifespan=partial(_lifespan, shared, parent),
        openapi_url=None,  # its pages would load scripts from elsewhere
    )
    server.state.shared = shared
    server.include_router(api)
    server.get("/theme.css")(theme)
    server.mount("/", StaticFiles(directory=STATIC, html=True))
    server.add_exception_handler(GenredagError, _answer_error)
    server.add_exception_handler(RequestValidationError, _answer_invalid)
    server.add_middleware(GZipMiddleware, minimum_size=2000)
    server.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    server.add_middleware(Confined)
    return server


@asynccontextmanager
async def _lifespan(shared: App, parent: Path | None, server: FastAPI) -> AsyncIterator[None]:
    """Have a temporary folder while the server runs, and remove songs that are no longer used."""
    with temporary_folder(parent) as folder:
        shared.store = SongStore(folder, shared.limits)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_sweep, shared.store)
            for model in list(shared.offered.values())[:1]:
                tasks.start_soon(_warm_up, shared.jobs, model.path)
            yield
            tasks.cancel_scope.cancel()


async def _sweep(store: SongStore) -> None:
    while True:
        await anyio.sleep(SWEEP_SECONDS)
        store.expire()


async def _warm_up(jobs: Jobs, model: Path) -> None:
    with suppress(GenredagError):  # the page shows the error when the model is chosen
        await jobs.run(work.warm_up, model)


async def _answer_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GenredagError)
    shared: App = request.app.state.shared
    words = {"what": error.what, "expected": error.expected, "hint": error.hint}
    content = {key: shared.store.without_paths(text) for key, text in words.items()}
    return JSONResponse({"error": content}, status_of(error))


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": {"what": "malformed request", "expected": "", "hint": ""}}, 400)
