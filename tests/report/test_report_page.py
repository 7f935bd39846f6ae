import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from genredag.errors import ParameterError
from genredag.params import load_params, parse_params
from genredag.report.page import count, duration, percent, report_page
from genredag.report.runs import read_run
from genredag.report.what_ran import WhatRan, read_what_ran


class Page(HTMLParser):
    """The elements of a page, with their attributes and the text inside."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, *tags):
        return [attrs for tag, attrs in self.elements if tag in tags]


@pytest.fixture(scope="module")
def html(small_report):
    return (small_report / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


@pytest.mark.parametrize(("rate", "text"), [(0, "0.0\u202f%"), (1, "100.0\u202f%"), (0.12345, "12.3\u202f%")])
def test_rates_are_written_as_per_cent(rate, text):
    assert percent(rate) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (119.7, "2 min 0 s"), (7380, "2 h 3 min")],
)
def test_durations_are_written_in_two_units(seconds, text):
    assert duration(seconds).replace("\u202f", " ") == text


def test_counts_have_thousands_and_a_dash_for_the_unknown():
    assert [count(1234567), count(None), count(float("nan"))] == ["1,234,567", "\N{EN DASH}", "\N{EN DASH}"]


def test_nothing_is_asked_of_the_network(html, page):
    addresses = [
        value for _, attrs in page.elements for key, value in attrs.items() if key in ("src", "href")
    ]
    links = [attrs["xlink:href"] for attrs in page.all("image", "use")]
    assert links
    assert all(address.startswith(("#", "data:")) for address in addresses + links)
    assert not any("://" in str(value) for _, attrs in page.elements for value in attrs.values())
    assert not re.search(
        r"url\((?!#)|@import|://", "".join(re.findall(r"<(?:style|script)>.*?</", html, re.DOTALL))
    )
    assert "default-src 'none'" in page.all("meta")[3]["content"]


def test_links_lead_somewhere_and_identifiers_are_unique(page):
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    anchors = {attrs["href"][1:] for attrs in page.all("a")}
    assert anchors <= set(ids)
    assert "run-synthetic-mel-crnn-stratified_8_1_1-0-42" in anchors


def test_headings_descend_one_level_at_a_time(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_scopes_and_figures_are_told(page):
    assert len(page.all("table")) == len(page.all("caption")) > 5
    assert all(attrs["scope"] in ("row", "col") for attrs in page.all("th"))
    assert all(attrs["aria-label"] and attrs["role"] == "img" for attrs in page.all("svg"))
    regions = [
        attrs["aria-label"]
        for _, attrs in page.elements
        if attrs.get("role") == "region" and "aria-label" in attrs
    ]
    assert len(regions) == len(set(regions))


def test_what_is_scrolled_can_be_reached_by_keyboard(page):
    scrolled = [attrs for _, attrs in page.elements if "scroll" in attrs.get("class", "").split()]
    assert scrolled
    assert all(attrs["tabindex"] == "0" for attrs in scrolled)


def test_quarantined_tracks_are_shown_with_reasons_and_names_cannot_inject(html, page):
    assert "Rock &amp; &lt;b&gt;roll&lt;/b&gt;" in html
    assert "<b>roll" not in html
    assert "peak of -71.2 dBFS is below -60" in page.text


def test_the_protocol_the_number_of_tracks_and_chance_are_said(page):
    text = " ".join(page.text.split())
    assert "split stratified_8_1_1: no track has slices on two sides, but an artist may" in text
    assert "split artist_disjoint: no artist has tracks on two sides" in text
    assert "of 3 test tracks" in text
    assert "chance is 33.3 % (1 of 3 genres)" in text
    assert "One test track is worth 33.3 points" in text


def test_each_data_set_says_how_its_splits_deal_the_tracks(page):
    assert page.text.count("8 / 1 / 1") == 3 * 3
    assert page.text.count("24 / 3 / 3") == 3


def test_every_representation_shows_the_same_track(page):
    labels = [attrs["aria-label"] for attrs in page.all("svg")]
    assert "mel of synthetic, country: country.00000" in labels
    assert "handcrafted of synthetic, country: country.00000" in labels


def test_a_run_shows_curves_only_if_it_has_epochs(page):
    labels = [attrs["aria-label"] for attrs in page.all("svg") if "epochs" in attrs["aria-label"]]
    assert len(labels) == 4
    assert page.text.count("Fewer than two epochs") == 2


def test_what_ran_is_told(page, project_dir):
    assert (project_dir / "params.yaml").read_text(encoding="utf-8") in page.text
    assert "models.crnn.epochs" in page.text
    assert "slices.overlap" in page.text
    assert "2026-01-31" in page.text


def test_what_ran_names_libraries_and_machine(project_dir):
    ran = read_what_ran(project_dir / "params.yaml", "2026-01-31")
    assert {"python", "keras", "numpy"} <= ran.versions.keys()
    assert re.search(r"\d+ CPUs$", ran.machine)


def test_a_run_of_a_model_that_is_gone_is_refused(tmp_path, tree, make):
    manifest = make.manifest(tmp_path, ["blues", "rock"], tracks_per_genre=10)
    run = read_run(make.run(tmp_path / "run", make.choice(model="vanished"), manifest, epochs=1))
    with pytest.raises(ParameterError, match="models: 'vanished' is unknown"):
        report_page([run], [], parse_params(tree), WhatRan("", "", None, {}, ""))


def test_one_run_makes_a_page_too(tmp_path, project_dir, make):
    manifest = make.manifest(tmp_path, ["blues", "rock"], tracks_per_genre=10)
    run = read_run(make.run(tmp_path / "run", make.choice(), manifest, epochs=1))
    params = load_params(project_dir / "params.yaml")
    pages = [report_page([run], [], params, WhatRan("", "", None, {}, "")) for _ in range(2)]
    assert pages[0] == pages[1]
    assert "It is the only run" in pages[0]
    assert "no checkout" in pages[0]


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to read the script")
def test_the_script_is_valid(html, tmp_path):
    (tmp_path / "page.js").write_text(re.search(r"<script>(.*)</script>", html, re.DOTALL)[1])
    subprocess.run(["node", "--check", tmp_path / "page.js"], check=True)
