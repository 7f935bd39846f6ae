"""The page in headless Chromium: on a desktop, on a phone in dark mode, and by keyboard."""

from __future__ import annotations

import pytest

from chromium import CHROMIUM, DESKTOP, PHONE, Browser

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def desktop(browser, full_report):
    browser.open(full_report / "report.html", DESKTOP, "light")
    return browser


def column(browser, number: int) -> list[str]:
    return browser.ask(f"bodies.flatMap(b => [...b.rows]).map(row => row.cells[{number}].textContent.trim())")


def order(browser) -> list[str | None]:
    return browser.ask('headers.map(th => th.getAttribute("aria-sort"))')


def click(browser, header: int) -> None:
    browser.ask(f'headers[{header}].querySelector("button").click()')


def test_headers_sort(desktop):
    before = column(desktop, 0)
    click(desktop, 0)
    assert column(desktop, 0) == sorted(before)
    assert order(desktop)[0] == "ascending" and order(desktop).count(None) == len(order(desktop)) - 1
    click(desktop, 3)
    rates = [float(text.split("\u202f")[0]) for text in column(desktop, 3)]
    assert rates == sorted(rates, reverse=True)
    assert order(desktop)[3] == "descending"
    click(desktop, 3)
    turned = [float(text.split("\u202f")[0]) for text in column(desktop, 3)]
    assert turned == sorted(rates)


def test_leaky_rows_stay_below_however_they_are_sorted(browser, small_report):
    browser.open(small_report / "report.html", DESKTOP, "light")
    for _ in range(2):
        click(browser, 0)
        assert ["LEAKY" in name for name in column(browser, 0)] == [False] * 4 + [True]


def test_the_filter_keeps_rows_with_every_word(desktop):
    desktop.ask('filter.value = "CRNN mel"; filter.dispatchEvent(new Event("input"))')
    kept = "bodies.flatMap(b => [...b.rows]).filter(row => !row.hidden).map(row => row.cells[0].textContent)"
    assert [name.strip() for name in desktop.ask(kept)] == ["crnn"]
    assert desktop.ask('document.querySelector("output").textContent') == "1 of 12"


def test_a_link_opens_its_entry(desktop):
    opened = 'document.querySelectorAll("details.run[open]").length'
    assert desktop.ask(opened) == 0
    desktop.ask('location.hash = document.querySelector("details.run").id; openTarget()')
    assert desktop.ask(opened) == 1


def test_the_page_works_by_keyboard(desktop):
    reached = []
    for _ in range(60):
        desktop.press("Tab")
        reached.append(desktop.ask("document.activeElement.textContent.trim() || document.activeElement.id"))
        if reached[-1].startswith("Model") and "BUTTON" in desktop.ask("document.activeElement.tagName"):
            break
    assert reached[0] == "Skip to the content"
    assert {"Results", "Leaderboard", "All pairs", "filter"} <= set(reached)
    assert desktop.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    desktop.press("Enter")
    assert order(desktop)[0] == "ascending"
    desktop.ask('document.querySelector("details.run > summary").focus()')
    desktop.press("Enter")
    assert desktop.ask('document.querySelectorAll("details.run[open]").length') == 1


def test_clips_load_only_when_played(browser, small_report, tmp_path):
    text = (small_report / "report.html").read_text(encoding="utf-8")
    clip = "data:audio/mpeg;base64,"
    text = text.replace('id="clips">{}', f'id="clips">{{"a/b": "{clip}"}}')
    player = '<audio controls preload="none" data-clip="a/b" aria-label="a"></audio></main>'
    (tmp_path / "page.html").write_text(text.replace("</main>", player), encoding="utf-8")
    browser.open(tmp_path / "page.html", DESKTOP, "light")
    assert browser.ask('document.querySelector("audio").src') == clip
    assert browser.ask('document.querySelector("audio").networkState') != 2
    assert complaints(browser) == []


def complaints(browser) -> list:
    """Return console messages and network requests, except the request for the page itself."""
    return [*browser.requests()[1:], *browser.messages()]


@pytest.mark.parametrize(
    ("screen", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop, light", "phone, dark"]
)
@pytest.mark.parametrize("report", ["small_report", "full_report"])
def test_there_are_no_console_errors_and_no_axe_violations(browser, request, report, screen, scheme):
    browser.open(request.getfixturevalue(report) / "report.html", screen, scheme)
    browser.ask("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert browser.ask("document.documentElement.scrollWidth") <= screen["width"]
    browser.ask('window.scrollTo(0, document.body.scrollHeight); document.querySelector("main").innerText')
    assert complaints(browser) == []
    assert browser.axe() == []


def test_the_page_of_twelve_entries_stays_small(full_report):
    assert (full_report / "report.html").stat().st_size < 8_000_000
