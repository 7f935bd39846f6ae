"""The app in headless Chromium: files, recording, playing, comparing, keyboard, phone."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import uvicorn

from chromium import CHROMIUM, DESKTOP, PHONE, Browser
from genredag.errors import DataError
from genredag.prediction import explain as explaining
from genredag.prediction.app import work
from genredag.prediction.app.jobs import in_thread
from genredag.prediction.app.limits import Limits
from genredag.prediction.app.server import make_server

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path")]

SCREENS = pytest.mark.parametrize(
    ("screen", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop, light", "phone, dark"]
)
HEADLINES = "[...document.querySelectorAll('.result h3:not([hidden])')].map(each => each.innerText)"
POSITION = "document.getElementById('audio').currentTime"
NOW = "document.getElementById('key').textContent"
FOCUSED = "(e => e.id || e.textContent.trim())(document.activeElement)"


@pytest.fixture(scope="module")
def site(offered, tmp_path_factory, loudness, explain_with, song) -> Iterator[str]:
    """Run the app on a free port; return its address."""

    def fetch(address: str, folder: Path) -> Path:
        if "song" not in address:
            raise DataError("404 Not Found", where=address, hint="check the address")
        return Path(shutil.copy(song, folder / "song.wav"))

    with pytest.MonkeyPatch.context() as patch, socket.socket() as listening:
        patch.setattr(work, "load_classifier", loudness)
        patch.setattr(explaining, "explain", explain_with)
        listening.bind(("127.0.0.1", 0))
        place = tmp_path_factory.mktemp("place")
        app = make_server(offered, fetch, Limits(upload_bytes=30 * 2**20), in_thread, parent=place)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join()
        assert list(place.iterdir()) == []


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--mute-audio"]
    browser = Browser(tmp_path_factory.mktemp("profile"), *flags)
    yield browser
    browser.close()


@pytest.fixture
def page(browser, site):
    open_page(browser, site, DESKTOP, "light")
    yield browser
    assert browser.messages() == []
    assert [url for url in browser.requests() if not url.startswith((site, "blob:"))] == []


def open_page(browser, site, screen, scheme) -> None:
    browser.open(site, screen, scheme)
    browser.wait_for("document.getElementById('model-0').options.length")


def add(browser, song: Path) -> None:
    browser.choose_file("#file", song)
    browser.wait_for(f"{HEADLINES}.length")


def compare(browser) -> None:
    browser.ask(
        "(e => { e.selectedIndex = 2; e.dispatchEvent(new Event('change')); })"
        "(document.getElementById('model-1'))"
    )
    browser.wait_for(f"{HEADLINES}.length === 2")


def box(browser, identity: str) -> list[float]:
    """Return where an element is: x, y, width, height."""
    return browser.ask(
        f"(e => [e.x, e.y, e.width, e.height])(document.getElementById('{identity}').getBoundingClientRect())"
    )


def test_a_song_gets_a_genre_a_set_bars_and_a_ribbon(page, song):
    add(page, song)
    assert [text.split() for text in page.ask(HEADLINES)] == [["rock", "54", "%"]]
    assert page.ask("document.querySelector('.set').innerText").split()[-2:] == ["rock", "blues"]
    bars = page.ask("[...document.querySelectorAll('.bars li')].map(each => each.innerText.split(/\\s+/))")
    assert [bar[0] for bar in bars] == ["rock", "jazz", "blues"]
    assert page.ask("document.querySelectorAll('.strip path').length") == 3
    labels = page.ask("[...document.querySelectorAll('.strip span')].map(each => each.textContent)")
    assert labels == ["jazz", "rock"]
    assert page.ask("document.querySelector('#spectrogram').height") == 112
    assert page.ask("document.title").startswith("quiet then loud.wav")


def test_a_song_is_dropped(page, song):
    data = {"items": [], "files": [str(song)], "dragOperationsMask": 1}
    for kind in ["dragEnter", "dragOver", "drop"]:
        page.call("Input.dispatchDragEvent", type=kind, x=300, y=400, data=data)
    page.wait_for(f"{HEADLINES}.length")
    assert page.ask("document.getElementById('song-name').textContent") == "quiet then loud.wav"


def test_the_timeline_follows_the_song_while_it_plays(page, song):
    add(page, song)
    assert page.ask(NOW) == "Now jazz 60 %"
    x, y, width, height = box(page, "play")
    page.click(x + width / 2, y + height / 2)
    page.wait_for(f"{POSITION} > 0.3")
    assert page.ask("document.getElementById('play').getAttribute('aria-label')") == "Pause"
    assert page.ask("parseFloat(getComputedStyle(document.getElementById('cursor')).left)") > 5
    x, y, width, height = box(page, "picture")
    page.click(x + 0.6 * width, y + height / 2)
    page.wait_for(f"{POSITION} > 3.5")
    page.wait_for(f"{NOW} === 'Now rock 70 %'")
    page.wait_for("document.getElementById('audio').ended")
    assert page.ask("document.getElementById('play').getAttribute('aria-label')") == "Play"
    assert page.ask("document.getElementById('position').textContent") == "0:06"


def test_two_models_are_compared(page, song):
    add(page, song)
    compare(page)
    assert [text.split()[0] for text in page.ask(HEADLINES)] == ["rock", "blues"]
    assert page.ask("document.querySelectorAll('.ribbon').length") == 2
    assert page.ask(NOW) == "Now loudness: jazz 60 % · blues only: blues 80 %"
    tops = page.ask("[...document.querySelectorAll('.result')].map(each => each.getBoundingClientRect().top)")
    assert tops[0] == tops[1]


def test_a_model_says_why(page, song):
    add(page, song)
    compare(page)
    page.ask("document.querySelector('.why').click()")
    said = page.wait_for("document.querySelector('.reasons:not([hidden])')?.innerText")
    assert "0:03 to 0:06, 300 to 1200 Hz: +25 points" in said
    assert "0:03 to 0:06, 1200 to 3200 Hz: \u221210 points" in said
    outside, inside = page.ask(
        "(e => { const all = e.getContext('2d').getImageData(0, 0, e.width, e.height).data;"
        " const at = (x, y) => 4 * (Math.floor(y * e.height) * e.width + Math.floor(x * e.width));"
        " return [at(0.25, 0.5), at(0.75, 0.7)].map(i => [...all.slice(i, i + 4)]); })"
        "(document.getElementById('heat'))"
    )
    assert outside == [0, 0, 0, 0]
    assert inside[2] > 200 > inside[0] and inside[3] > 200  # blue and opaque
    page.ask("document.querySelectorAll('.why')[1].click()")
    page.wait_for("document.querySelectorAll('.why[aria-pressed=true]').length === 1")
    page.wait_for("document.querySelectorAll('.reasons')[1].innerText.includes('for blues')")
    assert page.ask("document.querySelector('.reasons').hidden")
    page.ask("document.querySelectorAll('.why')[1].click()")
    assert page.ask("document.getElementById('heat').hidden")


def test_the_card_of_a_model_can_be_read(page, song):
    assert "Right for 75 % (60 to 86 %) of the test tracks of toys." in page.ask("document.body.innerText")
    add(page, song)
    page.ask("document.querySelector('.about > summary').click()")
    said = page.ask("document.querySelector('.model-card').innerText")
    for words in [
        "123,456 weights",
        "no artist has tracks in more than one part",
        "94 %",
        "It knows 3 genres.",
    ]:
        assert words in said
    assert page.ask("document.querySelectorAll('.model-card tbody tr').length") == 3


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("renamed.mp3", b"a text, whatever its name says\n" * 99, "can't be used. "),
        ("empty.wav", b"", "empty.wav can't be used. The file is empty (0 bytes)."),
        ("damaged.wav", b"RIFF\xff\xff\xff\xffWAVEfmt \x00\x00", "can't be used. "),
        ("<img src=x>.ogg", b"OggS" + bytes(200), "<img src=x>.ogg can't be used. "),
    ],
)
def test_a_bad_file_is_named_and_another_can_be_added(browser, site, tmp_path, song, name, content, words):
    open_page(browser, site, DESKTOP, "light")
    (tmp_path / name).write_bytes(content)
    browser.choose_file("#file", tmp_path / name)
    said = browser.wait_for("document.getElementById('problem').textContent")
    assert words in said and said.startswith(name)
    assert str(tmp_path) not in said
    assert browser.ask("document.querySelectorAll('#problem img').length") == 0
    add(browser, song)
    assert browser.ask("document.getElementById('problem').textContent") == ""


def test_ninety_minutes_and_too_many_bytes_are_refused(browser, site, tmp_path):
    open_page(browser, site, DESKTOP, "light")
    hour = np.tile(np.sin(np.arange(4000) * 0.5), 90 * 60).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", hour, 4000, subtype="PCM_U8")
    browser.choose_file("#file", tmp_path / "long.wav")
    said = browser.wait_for("document.getElementById('problem').textContent", 120)
    assert "Longer than 30 minutes." in said
    with (tmp_path / "large.wav").open("wb") as file:
        file.truncate(31 * 2**20)
    browser.choose_file("#file", tmp_path / "large.wav")
    words = "It is larger than 30 MB. Cut it or compress it."
    browser.wait_for(f"document.getElementById('problem').textContent.includes('{words}')")


def test_a_song_is_linked(page, song):
    submit = "document.getElementById('address').value = {!r}; document.querySelector('#link button').click()"
    page.ask(submit.format("https://example.org/my%20song.mp3?download=1"))
    page.wait_for(f"{HEADLINES}.length")
    assert page.ask("document.getElementById('song-name').textContent") == "my song.wav"
    page.wait_for("document.getElementById('audio').duration > 5.9")


def test_a_failed_link_is_explained(browser, site):
    open_page(browser, site, DESKTOP, "light")
    browser.ask("document.getElementById('address').value = 'https://example.org/gone.mp3'")
    browser.ask("document.querySelector('#link button').click()")
    browser.wait_for(
        "document.getElementById('problem').textContent.includes('404 Not Found. Check the address.')"
    )


def test_a_song_is_recorded(page):
    page.ask("document.getElementById('record').click()")
    page.wait_for("document.getElementById('recorded').textContent === '0:02'")
    page.ask("document.getElementById('stop').click()")
    page.wait_for(f"{HEADLINES}.length")
    assert page.ask("document.getElementById('song-name').textContent").startswith("Recording of ")
    assert page.ask("document.getElementById('duration').textContent") == "0:02"


def test_a_recording_can_be_discarded(page):
    page.ask("document.getElementById('record').click()")
    page.wait_for("!document.getElementById('recording').hidden")
    page.ask("document.getElementById('discard').click()")
    page.wait_for("!document.getElementById('drop').hidden")
    assert page.wait_for(FOCUSED) == "record"


def tab_to(browser, wanted: str) -> None:
    for _ in range(15):
        browser.press("Tab")
        if browser.ask(FOCUSED) == wanted:
            return
    raise AssertionError(f"{wanted} isn't reached; focus is on {browser.ask(FOCUSED)}")


def test_everything_works_by_keyboard(page, song):
    page.call("Page.setInterceptFileChooserDialog", enabled=True)
    tab_to(page, "Skip to the content")
    tab_to(page, "choose")
    assert page.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("Enter")
    page.wait_for("true")
    (chooser,) = page.told("Page.fileChooserOpened")
    page.call("Page.setInterceptFileChooserDialog", enabled=False)
    page.call("DOM.setFileInputFiles", backendNodeId=chooser["backendNodeId"], files=[str(song)])
    page.wait_for(f"{HEADLINES}.length")
    assert page.ask(FOCUSED) == "play"
    tab_to(page, "timeline")
    page.press("ArrowRight")
    assert page.ask(POSITION) == 5
    assert page.ask("document.activeElement.getAttribute('aria-valuetext')") == "0:05, rock 70 %"
    page.press("Home")
    assert page.ask(POSITION) == 0
    page.press(" ")
    page.wait_for(f"{POSITION} > 0.1")
    page.press(" ")
    assert page.ask("document.getElementById('audio').paused")
    tab_to(page, "About this model")
    page.press("Enter")
    assert page.ask("document.querySelector('.about').open")
    page.ask("document.getElementById('play').focus()")
    tab_to(page, "another")
    page.press("Enter")
    assert page.ask(FOCUSED) == "choose"


@SCREENS
def test_axe_finds_no_fault_and_nothing_is_wider_than_the_screen(
    browser, site, song, tmp_path, screen, scheme
):
    open_page(browser, site, screen, scheme)
    check(browser, screen)
    (tmp_path / "a very long name of a song that nobody has ever heard.mp3").write_bytes(b"text")
    browser.choose_file("#file", next(tmp_path.iterdir()))
    browser.wait_for("document.getElementById('problem').textContent")
    check(browser, screen)
    add(browser, song)
    compare(browser)
    browser.ask("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    check(browser, screen)


def check(browser, screen) -> None:
    assert browser.ask("document.documentElement.scrollWidth") <= screen["width"]
    assert browser.axe() == []
