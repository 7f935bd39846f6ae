"""The page in headless Chromium."""

import re
import shutil
import subprocess

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path")]

PROBE = """
<script>
const column = (n) => [...body.rows].map((row) => row.cells[n].textContent);
const sorted = () => headers.map((th) => th.getAttribute("aria-sort"));
const seen = { before: column(0) };
headers[0].querySelector("button").click();
seen.byModel = column(0);
seen.afterModel = sorted();
headers[3].querySelector("button").click();
seen.bySlices = column(3);
seen.afterSlices = sorted();
headers[3].querySelector("button").click();
seen.turned = column(3);
filter.value = "CRNN mel";
filter.dispatchEvent(new Event("input"));
const kept = [...body.rows].filter((row) => !row.hidden);
seen.kept = kept.map((row) => row.textContent.split(/\\s+/).slice(1, 3));
seen.told = document.querySelector("output").textContent;
location.hash = document.querySelector("details.run").id;
openTarget();
seen.opened = [...document.querySelectorAll("details.run")].filter((run) => run.open).length;
seen.requests = performance.getEntriesByType("resource").filter((e) => !e.name.startsWith("data:")).length;
document.documentElement.scrollLeft = 9999;
seen.sideways = document.documentElement.scrollLeft;
const result = document.createElement("pre");
result.id = "seen";
result.textContent = JSON.stringify(seen);
document.body.append(result);
</script>
</body>
"""


def chromium(tmp_path, page, *flags):
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += ["--no-first-run", f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr"]
    return subprocess.run(
        [*command, *flags, "--dump-dom", page.as_uri()],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def seen(full_report, tmp_path_factory):
    """What a reader sees who sorts, filters and follows a link."""
    import html
    import json

    folder = tmp_path_factory.mktemp("browser")
    text = (full_report / "report.html").read_text(encoding="utf-8")
    (folder / "page.html").write_text(text.replace("</body>", PROBE), encoding="utf-8")
    done = chromium(folder, folder / "page.html", "--window-size=500,900")
    dom = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)[1]
    return {**json.loads(html.unescape(dom)), "console": re.findall(r".*CONSOLE.*", done.stderr)}


def test_headers_sort(seen):
    assert seen["byModel"] == sorted(seen["before"])
    assert seen["afterModel"][0] == "ascending" and seen["afterModel"].count(None) == 8
    rates = [float(text.split("\u202f")[0]) for text in seen["bySlices"]]
    assert rates == sorted(rates, reverse=True)
    assert seen["afterSlices"][3] == "descending"
    assert seen["turned"] == seen["bySlices"][::-1]


def test_the_filter_keeps_rows_with_every_word(seen):
    assert seen["kept"] == [["crnn", "mel"]]
    assert seen["told"] == "1 of 12 runs"


def test_a_link_opens_its_run(seen):
    assert seen["opened"] == 1


def test_nothing_is_requested_and_nothing_complains(seen):
    assert seen["requests"] == 0
    assert seen["console"] == []


def test_a_narrow_window_does_not_scroll_sideways(seen):
    assert seen["sideways"] == 0


def test_the_page_of_twelve_runs_stays_small(full_report):
    assert (full_report / "report.html").stat().st_size < 6_000_000
