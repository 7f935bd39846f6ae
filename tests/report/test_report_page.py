import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile

from genredag.errors import ParameterError
from genredag.evaluation.intervals import Interval
from genredag.params.loading import parse_params
from genredag.report.data_sets import read_data_sets
from genredag.report.leaderboard import entries
from genredag.report.page import count, decimal, duration, interval, p_value, percent, points, report_pages
from genredag.report.runs import read_run
from genredag.report.what_ran import WhatRan, read_what_ran
from genredag.theme import STYLE


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


def test_the_page_makes_no_network_requests(html, page):
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


def test_the_page_starts_with_the_style_of_all_pages(html):
    assert html.index(STYLE.read_text(encoding="utf-8")) < html.index("What is the report's own")


def test_links_have_targets_and_identifiers_are_unique(page):
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    anchors = {attrs["href"][1:] for attrs in page.all("a")}
    assert anchors <= set(ids)
    assert "entry-synthetic-mel-crnn-stratified_8_1_1" in anchors


def test_headings_descend_one_level_at_a_time(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_scopes_and_figures_have_descriptions(page):
    assert len(page.all("table")) == len(page.all("caption")) > 5
    assert all(attrs["scope"] in ("row", "col") for attrs in page.all("th"))
    assert all(attrs["aria-label"] and attrs["role"] == "img" for attrs in page.all("svg"))
    regions = [
        attrs["aria-label"]
        for _, attrs in page.elements
        if attrs.get("role") == "region" and "aria-label" in attrs
    ]
    assert len(regions) == len(set(regions))


def test_scrollable_regions_can_be_reached_by_keyboard(page):
    scrolled = [attrs for _, attrs in page.elements if "scroll" in attrs.get("class", "").split()]
    assert scrolled
    assert all(attrs["tabindex"] == "0" for attrs in scrolled)


def test_quarantined_tracks_are_shown_with_reasons_and_names_cannot_inject(html, page):
    assert "Rock &amp; &lt;b&gt;roll&lt;/b&gt;" in html
    assert "<b>roll" not in html
    assert "peak of -71.2 dBFS is below -60" in page.text


def test_the_protocol_the_number_of_tracks_and_chance_are_stated(page):
    text = " ".join(page.text.split())
    assert "split stratified_8_1_1: no track has slices in more than one part, but an artist may" in text
    assert "split artist_disjoint: no artist has tracks in more than one part" in text
    assert "of 3 test tracks" in text
    assert "of 3 test tracks, over 2 seeds" in text
    assert "chance is 33.3 % (1 of 3 genres)" in text
    assert "One test track is worth 33.3 points" in text


def test_entries_of_one_data_set_and_split_are_compared_with_each_other(page):
    text = " ".join(page.text.split())
    assert text.count("It is the best of 2") == 1
    assert text.count("It is the only entry") == 3
    assert text.count("No other entry is distinguishable from it.") == 1
    assert text.count("All pairs") == 1


def test_leaky_entries_are_marked_and_come_last(html, page):
    assert "slices of one track train and test" in page.text
    rows = re.findall(r"<tbody.*?</tbody>", html[html.index('id="leaderboard-table"') :], re.DOTALL)[:2]
    assert ["LEAKY" in row for row in rows] == [False, True]
    assert rows[0].count("<tr>") == 4 and rows[1].count("<tr>") == 1
    cards = re.findall(r'<article class="card result([^"]*)"', html)
    assert cards == ["", "", "", " leaky"]


def test_each_data_set_shows_the_parts_of_its_splits(page):
    assert page.text.count("8 / 1 / 1") == 3 * 3
    assert page.text.count("24 / 3 / 3") == 3
    assert page.text.count("\N{EN DASH} / 3 / 3") == 1


def test_every_representation_shows_the_same_track(page):
    labels = [attrs["aria-label"] for attrs in page.all("svg")]
    assert "mel of synthetic, country: country.00000" in labels
    assert "handcrafted of synthetic, country: country.00000" in labels


def test_a_run_shows_curves_only_if_it_has_epochs(page):
    labels = [attrs["aria-label"] for attrs in page.all("svg") if "epochs" in attrs["aria-label"]]
    assert len(labels) == 2 * 3
    assert page.text.count("Fewer than two epochs") == 2


def test_an_entry_shows_its_architecture_calibration_and_mistakes(html, page):
    labels = [attrs["aria-label"] for attrs in page.all("svg")]
    for start in ("Calibration of entry", "ROC of entry"):
        assert sum(label.startswith(start) for label in labels) == 5
    assert page.text.count("Architecture") == 5
    assert re.search(r">dense</th><td>Dense</td>", html)
    pictures = [attrs for attrs in page.all("img") if attrs["src"].startswith("data:image/webp")]
    assert pictures and all(attrs["alt"] for attrs in pictures)


def test_a_map_has_a_mark_for_every_track_with_frames(page):
    assert "Map of 30 tracks of synthetic in mel" in [attrs["aria-label"] for attrs in page.all("svg")]


def test_the_provenance_is_shown(page, project_dir):
    assert (project_dir / "params.yaml").read_text(encoding="utf-8") in page.text
    assert "models.crnn.epochs" in page.text
    assert "slices.overlap" in page.text
    assert "2026-01-31" in page.text


def test_the_provenance_names_libraries_and_machine(project_dir):
    ran = read_what_ran(project_dir / "params.yaml", "2026-01-31")
    assert {"python", "keras", "numpy"} <= ran.versions.keys()
    assert re.search(r"\d+ CPUs$", ran.machine)


def pages_of(folders, tree, data_sets=(), audits=(), cache_dir=Path()):
    pooled = entries([read_run(folder) for folder in folders], "mean", 100)
    report, what_ran = parse_params(tree).report, WhatRan("", "", None, {}, "")
    return report_pages(pooled, data_sets, dict(audits), report, tree, what_ran, cache_dir)


def test_a_run_of_an_unknown_model_is_refused(tmp_path, tree, make):
    manifest = make.manifest(tmp_path, ["blues", "rock"], tracks_per_genre=10)
    run = make.run(tmp_path / "run", make.choice(model="vanished"), manifest, epochs=1)
    with pytest.raises(ParameterError, match=r"params\.yaml: models: 'vanished' is unknown"):
        pages_of([run], tree)


def test_one_run_makes_a_page_too(tmp_path, tree, make):
    manifest = make.manifest(tmp_path, ["blues", "rock"], tracks_per_genre=10)
    run = make.run(tmp_path / "run", make.choice(), manifest, epochs=1)
    pages, again = (pages_of([run], tree) for _ in range(2))
    assert pages == again
    assert "It is the only entry" in pages["html"]
    assert "no git checkout" in pages["html"]


def test_single_sections_need_no_script(small_report):
    for name, heading in (("significance", "Results"), ("data", "Data")):
        alone = Page((small_report / f"{name}.html").read_text(encoding="utf-8"))
        assert not alone.all("script", "nav")
        assert len(alone.all("section")) == 1
        assert heading in alone.text


@pytest.fixture
def two_genres(tmp_path, make):
    manifest = make.manifest(tmp_path, ["blues", "rock"], tracks_per_genre=10)
    run = make.run(tmp_path / "run", make.choice(), manifest, skill=-9.0, epochs=1)
    return SimpleNamespace(folder=tmp_path, run=run, manifest=tmp_path / "manifest.parquet")


@pytest.mark.parametrize(("allowed", "n_players"), [(["synthetic"], 1), (["gtzan"], 0), ([], 0)])
def test_clips_are_embedded_only_for_listed_data_sets(two_genres, tree, allowed, n_players):
    tree["report"]["audio"] = allowed
    # Of the two mistaken tracks one has its file.
    soundfile.write(two_genres.folder / "rock.00009.wav", np.zeros(22050), 22050)
    data_sets = read_data_sets([("synthetic", two_genres.manifest)], [])
    page = Page(pages_of([two_genres.run], tree, data_sets, cache_dir=two_genres.folder)["html"])
    players = page.all("audio")
    assert [attrs["data-clip"] for attrs in players] == ["synthetic/rock.00009"] * n_players
    assert all(attrs["preload"] == "none" and "controls" in attrs for attrs in players)
    assert page.text.count("data:audio/mpeg;base64,") == n_players


def test_near_duplicates_and_audits_are_shown_if_they_are_given(two_genres, tree):
    pairs = two_genres.folder / "pairs.csv"
    rows = [("rock.00000", "train", "rock.00009", "test", 0.987654)]
    columns = ["track_id", "part", "other", "other_part", "correlation"]
    pd.DataFrame(rows, columns=columns).to_csv(pairs, index=False)
    manifest = [("synthetic", two_genres.manifest)]
    words = ("model", "level", "measured_on", "dataset", "corrected_on", "faults", "differs")
    words = dict.fromkeys(words, "word") | {"note": "LEAKY: slices"}
    ends = ("", "_low", "_high", "_n_test_tracks")
    variants = [f"{v}{end}" for v in ("as_published", "corrected") for end in ends]
    ours = dict.fromkeys(variants, 50.0)
    study = words | ours | {"project": "somebody 2018", "published": 91.0, "published_from": float("nan")}
    mistake = {"dataset": "synthetic", "level": "track", "model": "svm", "mistake": "artists on both sides"}
    mistake |= {"points": 4.0, "points_low": 1.0, "points_high": 7.0, "note": "", "n_tracks": 100}
    mistake |= {"accuracy": 60.0, "leaky_accuracy": 64.0}
    deformed = words | {"deformation": "gain_db", "strength": 13.0, "split": "by_track", "n_tracks": 100}
    deformed |= {"representation": "mel", "warning": ""}
    figures = [f"track_{name}{end}" for name in ("accuracy", "points") for end in ("", "_low", "_high")]
    audits = {"as_published": pd.DataFrame([study]), "leakage_audit": pd.DataFrame([mistake])}
    audits |= {"robustness": pd.DataFrame([deformed | dict.fromkeys(figures, 50.0)])}
    label = {"dataset": "synthetic", "rank": 1, "track_id": "rock.<1>", "genre": "rock", "suggested": "polka"}
    label |= {"score": 0.03, "suggested_probability": 0.9, "suspected": True, "known_fault": True}
    audits |= {"label_issues": pd.DataFrame([label, label | {"rank": 2, "known_fault": False}])}
    curve = {"dataset": "synthetic", "split": "by_track", "representation": "mel", "chance": 10.0}
    curve |= dict.fromkeys([f"accuracy{end}" for end in ("", "_low", "_high")], 77.7)
    curve |= {f"{name}{end}": 2.5 for name in ("points", "doubling", "lead") for end in ("", "_low", "_high")}
    curves = [curve | {"model": name, "share": 1.0, "n_training": 1234} for name in ("svm", "<bush>")]
    audits |= {"learning_curves": pd.DataFrame(curves)}
    with_all = pages_of([two_genres.run], tree, read_data_sets(manifest, [], [("synthetic", pairs)]), audits)
    without = pages_of([two_genres.run], tree, read_data_sets(manifest, []))
    for told in (
        "Near-duplicates",
        "0.988",
        "somebody 2018",
        "91.0",
        "artists on both sides",
        "+4.0",
        "13 dB",
        "rock.&lt;1&gt;",
        "polka",
        "2 of 2 labels are suspected",
        "agree with 0.0",
        "a random ranking would have 50.0",
        "data or model?",
        "&lt;bush&gt; on mel instead changes it by +2.5",
        ">training tracks of synthetic, by_track<",
        '<td class="number">1,234</td>',
        "77.7",
    ):
        assert told in with_all["html"]
        assert told not in without["html"]
    # Beside the figure of the variant that leaks, and of no other.
    assert with_all["html"].count('<strong class="badge">LEAKY</strong> 50.0') == 1


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (interval(Interval(0.5, 0.414, 0.6)), "41\N{EN DASH}60"),
        (interval(Interval(0.5, 0.414, 0.6), plain=True), "0.41\N{EN DASH}0.60"),
        (interval(Interval(0.5, float("nan"), float("nan"))), ""),
        (points(-0.0312), "\N{MINUS SIGN}3.1"),
        (points(0.5), "+50.0"),
        (points(float("nan")), "\N{EN DASH}"),
        (p_value(0.0004), "< .001"),
        (p_value(0.04), "0.040"),
        (decimal(0.456), "0.46"),
        (decimal(float("nan")), "\N{EN DASH}"),
    ],
)
def test_statistics_are_formatted(written, text):
    assert written == text


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to read the script")
def test_the_script_is_valid(html, tmp_path):
    (tmp_path / "page.js").write_text(re.search(r"<script>(.*)</script>", html, re.DOTALL)[1])
    subprocess.run(["node", "--check", tmp_path / "page.js"], check=True)
