"""Requests to the app: songs, models, and what it refuses."""

from __future__ import annotations

import io
import re
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.requests import ClientDisconnect

from genredag.errors import DataError, ModelError
from genredag.prediction.app import server, work
from genredag.prediction.app.picture import ROWS
from genredag.theme import STYLE

TEXT = b"this is a text, whatever its name says\n" * 50
CSP = "content-security-policy"


def files_in(place: Path) -> list[str]:
    """Return the files in the temporary folder, without the lock."""
    return [path.name for path in place.rglob("*") if path.is_file() and path.name != "in-use.lock"]


def wav(samples: np.ndarray, sr: int = 8000) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sr, format="WAV", subtype="FLOAT")
    return buffer.getvalue()


def test_a_song_is_drawn_and_predicted(client, add):
    song = add(client).json()
    assert song["name"] == "song.wav"
    assert song["duration"] == pytest.approx(6, abs=1e-3)
    half = len(song["peaks"]) // 2
    assert song["peaks"][half // 2] == pytest.approx(0.1, abs=0.01)
    assert song["peaks"][half + half // 2] == pytest.approx(0.8, abs=0.01)
    pixels = np.frombuffer(client.get(f"/api/songs/{song['id']}/spectrogram").content, np.uint8)
    loudest = pixels.reshape(-1, ROWS)[half + half // 2].argmax()
    assert song["hz"][loudest] == pytest.approx(440, rel=0.05)
    models = client.get("/api/about").json()["models"]
    address = f"/api/songs/{song['id']}/predictions"
    found = client.post(address, json={"model": models[0]["id"]}).json()
    assert found["genres"] == ["blues", "jazz", "rock"]
    assert [row.index(max(row)) for row in found["timeline"]] == [1, 1, 2, 2, 2]
    assert found["led"] == [0, 0.4, 0.6]
    assert found["trust"] == {
        "genres": ["rock", "blues"],
        "coverage": 0.9,
        "unsure": False,
        "unlike_training": None,
    }
    second = client.post(address, json={"model": models[1]["id"]}).json()
    assert second["probabilities"] == [0.8, 0.1, 0.1]


def test_a_prediction_is_explained(client, add):
    identity = add(client).json()["id"]
    model = client.get("/api/about").json()["models"][0]["id"]
    assert client.post(f"/api/songs/{identity}/explanations", json={"model": model}).json() == {
        "genre": "rock",
        "edges": [0, 3, 6],
        "hz": [100, 300, 1200, 3200],
        "names": ["100 to 300 Hz", "300 to 1200 Hz", "1200 to 3200 Hz"],
        "effect": [[0, 0, 0], [0, 0.25, -0.1]],
    }


def test_a_song_can_be_played_in_parts_and_as_mp3(client, add, song, place):
    identity = add(client).json()["id"]
    part = client.get(f"/api/songs/{identity}/audio", headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == song.read_bytes()[10:20]
    assert part.headers["content-type"] == "audio/x-wav"
    for _ in range(2):
        copy = client.get(f"/api/songs/{identity}/playable")
        assert copy.headers["content-type"] == "audio/mpeg"
    assert soundfile.info(io.BytesIO(copy.content)).duration == pytest.approx(6, abs=0.1)
    assert len(files_in(place)) == 2
    assert client.delete(f"/api/songs/{identity}").status_code == 204
    assert files_in(place) == []
    gone = client.get(f"/api/songs/{identity}/audio")
    assert gone.status_code == 404
    assert gone.json()["error"]["hint"] == "add it again"


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("song.mp3", TEXT, "not recognised"),
        ("song.m4a", TEXT, ""),
        ("song", TEXT, ""),
        ("song.wav", b"RIFF\x00\x00\x00\x00WAVE", ""),
        ("silence.wav", wav(np.zeros(8000)), "silent"),
        ("nothing.wav", wav(np.zeros(0)), "no samples"),
        ("broken.wav", wav(np.full(8000, np.nan)), "NaN"),
    ],
    # A name each: libsndfile writes the time into a file's header, so the bytes differ by the second.
    ids=["text.mp3", "text.m4a", "text", "header.wav", "silence.wav", "nothing.wav", "broken.wav"],
)
def test_a_file_that_is_no_song_is_refused_and_removed(client, add, place, name, content, what):
    answer = add(client, name, content)
    assert answer.status_code == 422
    assert what in answer.json()["error"]["what"]
    assert str(place) not in answer.text
    assert files_in(place) == []


def test_an_empty_file_is_refused(client, place):
    answer = client.post("/api/songs?name=song.mp3", content=b"")
    assert answer.status_code == 422
    assert answer.json()["error"]["what"] == "the file is empty (0 bytes)"
    assert files_in(place) == []


@pytest.mark.parametrize("announced", [True, False])
def test_a_large_file_is_refused_before_it_is_stored(serve, place, announced):
    content = bytes(5000) if announced else iter([bytes(2000)] * 1000)
    with serve(upload_bytes=4096) as client:
        answer = client.post("/api/songs?name=song.wav", content=content)
        assert answer.status_code == 413
        assert answer.json()["error"]["what"].startswith("larger than")
        assert files_in(place) == []


def test_a_long_song_is_refused(serve, add, place):
    with serve(song_seconds=5) as client:
        answer = add(client)
        assert answer.status_code == 413
        assert "--max-minutes" in answer.json()["error"]["hint"]
        assert files_in(place) == []


@pytest.mark.parametrize(
    "name", ["../../escape.wav", "..\\..\\escape.wav", "/etc/escape.wav", "a\0b/escape.wav", "escape.wav/"]
)
def test_the_name_of_a_file_is_only_shown(client, add, place, tmp_path, name):
    song = add(client, name).json()
    assert song["name"] == "escape.wav"
    assert files_in(place) == [f"{song['id']}.wav"]
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


@pytest.mark.parametrize("identity", ["x", "..", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "in-use.lock"])
@pytest.mark.parametrize("what", ["audio", "playable", "spectrogram"])
def test_only_songs_are_served(client, identity, what):
    answer = client.get(f"/api/songs/{identity}/{what}")
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/../server.py", "/%2e%2e/server.py", "/..%2fserver.py"])
def test_only_the_pages_files_are_served(client, path):
    assert client.get(path).status_code == 404


def test_a_model_is_named_by_its_id_only(client, add, offered):
    identity = add(client).json()["id"]
    for model in ["/models/loudness.zip", "", "x"]:
        answer = client.post(f"/api/songs/{identity}/predictions", json={"model": model})
        assert answer.status_code == 404
    assert str(offered[0].path) not in client.get("/api/about").text


def test_malformed_requests_are_refused(client):
    for body in ["", "[]", '{"address": 1}', '{"address": "x", "path": "/etc/passwd"}']:
        answer = client.post("/api/links", content=body)
        assert (answer.status_code, answer.json()["error"]["what"]) == (400, "malformed request")


def test_a_link_is_fetched_into_the_folder(serve, song, place):
    def fetch(address: str, folder: Path) -> Path:
        (folder / "part.tmp").write_bytes(b"x")
        return Path(shutil.copy(song, folder / "song.wav"))

    with serve(fetch=fetch) as client:
        answer = client.post(
            "/api/links", json={"address": "https://example.org/a/b%20c.php?x=/y.mp3"}
        ).json()
        assert answer["name"] == "b c.wav"
        assert files_in(place) == [f"{answer['id']}.wav"]


def test_a_failed_download_leaves_nothing(serve, place):
    def fetch(address: str, folder: Path) -> Path:
        (folder / "song.wav").write_bytes(b"half")
        raise DataError("404 Not Found", where=address)

    with serve(fetch=fetch) as client:
        answer = client.post("/api/links", json={"address": "https://example.org/a.mp3"})
        assert (answer.status_code, answer.json()["error"]["what"]) == (422, "404 Not Found")
        assert files_in(place) == []


def test_a_model_that_fails_is_named(client, add, monkeypatch):
    def fail(path):
        raise ModelError("can't be loaded as a bundle", where=str(path), hint="train again")

    monkeypatch.setattr(work, "load_classifier", fail)
    identity = add(client).json()["id"]
    model = client.get("/api/about").json()["models"][0]["id"]
    answer = client.post(f"/api/songs/{identity}/predictions", json={"model": model})
    assert answer.status_code == 422
    assert answer.json()["error"]["hint"] == "train again"
    assert "/models" not in answer.text


def test_the_words_of_a_decoder_reveal_no_path(client, add, monkeypatch, place):
    def draw(path, max_seconds):
        raise DataError(f"invalid data: '{path}'", where=str(path), hint=f"look at {path} again")

    monkeypatch.setattr(server, "draw", draw)
    error = add(client).json()["error"]
    assert error == {"what": "invalid data: 'the song'", "expected": "", "hint": "look at the song again"}


def test_no_more_songs_wait_than_the_limit(serve, add, monkeypatch):
    entered, go = threading.Event(), threading.Event()

    def draw(*arguments):
        entered.set()
        go.wait(20)
        raise DataError("stopped")

    monkeypatch.setattr(server, "draw", draw)
    with serve(waiting=1) as client:
        first = threading.Thread(target=add, args=(client,))
        first.start()
        assert entered.wait(20)
        answer = add(client)
        go.set()
        first.join()
        assert answer.status_code == 503
        assert add(client).json()["error"]["what"] == "stopped"


@pytest.mark.parametrize("path", ["/", "/app.js", "/api/about", "/missing", "/api/songs/x/audio"])
def test_every_answer_confines_the_page(client, path):
    headers = client.get(path).headers
    assert headers[CSP].startswith("default-src 'self'; ")
    assert "unsafe" not in headers[CSP]
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://example.org"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_other_pages_can_not_use_the_app(client, add, headers, place):
    for method, path in [("POST", "/api/songs"), ("POST", "/api/links"), ("DELETE", "/api/songs/x")]:
        answer = client.request(method, path, headers=headers, content=b"x")
        assert answer.status_code == 403
        assert CSP in answer.headers
    assert files_in(place) == []


def test_its_own_page_can(client, song):
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/api/songs", headers=headers, content=song.read_bytes()).status_code == 200


def test_other_names_of_a_local_server_are_refused(serve):
    with serve(hosts=server.LOOPBACK) as client:
        assert client.get("/api/about").status_code == 200
        assert client.get("/api/about", headers={"Host": "127.0.0.1:8000"}).status_code == 200
        assert client.get("/api/about", headers={"Host": "[::1]:8000"}).status_code == 200
        assert client.get("/api/about", headers={"Host": "evil.example"}).status_code == 400


def test_the_page_starts_with_the_style_of_all_pages(client):
    assert client.get("/theme.css").text == STYLE.read_text(encoding="utf-8")
    assert client.get("/theme.css").headers["content-type"].startswith("text/css")
    page = client.get("/").text
    assert page.index('href="theme.css"') < page.index('href="style.css"')


def test_there_are_no_pages_that_load_scripts_from_elsewhere(client):
    for path in ["/docs", "/redoc", "/openapi.json"]:
        assert client.get(path).status_code == 404


def test_the_folder_is_removed_at_the_end(serve, add, place):
    with serve() as client:
        add(client)
        assert files_in(place)
    assert list(place.iterdir()) == []


def test_the_page_loads_nothing_from_elsewhere():
    known = re.compile(r"http://www\.w3\.org/[\w/]+|https://…")
    for path in server.STATIC.rglob("*"):
        if path.suffix in {".js", ".css", ".html", ".svg"}:
            assert "://" not in known.sub("", path.read_text(encoding="utf-8")), path.name


def test_the_licence_of_what_is_not_ours_is_beside_it():
    (folder,) = (path for path in (server.STATIC / "vendor").iterdir())
    assert "BSD 3-Clause License" in (folder / "LICENSE").read_text(encoding="utf-8")


def test_an_upload_that_is_broken_off_is_no_error_of_the_server(client, add, monkeypatch):
    async def gone(*_: object) -> None:
        raise ClientDisconnect

    monkeypatch.setattr(server.SongStore, "receive", gone)
    assert add(client).status_code == 400  # without the mapping, the exception would be raised here
