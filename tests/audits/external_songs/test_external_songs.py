"""Songs of the user's own: listed, predicted, judged, shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from genredag.audits.external_songs.predicting import list_songs, predict_external
from genredag.audits.external_songs.showing import external_songs_markdown
from genredag.audits.external_songs.verdicts import of_verdict, verdict_counts, verdict_of
from genredag.errors import DataError
from genredag.prediction.song import SongPrediction, Timeline, Trust, UnreadableSong
from genredag.report.external_page import external_songs_page
from genredag.report.external_songs_view import external_songs_parts

NAMES = ("blues", "hiphop", "jazz")


class Model:
    """Predicts the genre that the name of a file begins with, with the next one second."""

    class_names = NAMES
    cards = ()
    name = "toy on mel"

    def predict_many(self, sources, n_jobs):
        for source in sources:
            stem = source.rpartition("/")[2]
            if stem.startswith("broken"):
                yield UnreadableSong(source, "no samples")
                continue
            first = next(i for i, name in enumerate(NAMES) if stem.startswith(name))
            shares = np.roll([0.6, 0.3, 0.1], first)
            timeline = Timeline(np.zeros(1), np.ones(1), shares[np.newaxis])
            trust = Trust((NAMES[first],), 0.9, False, None)
            yield SongPrediction(source, NAMES, shares, timeline, 1.0, trust)


@pytest.fixture
def songs(tmp_path):
    """A folder with songs of three genres, one of them unknown to the model, and a song without a genre."""
    for name in ("Hip-Hop/hiphop.wav", "Hip-Hop/blues.wav", "Hip-Hop/jazz.wav", "polka/jazz2.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for name in ("jazz_loose.mp3", "broken.mp3", "notes.txt", ".hidden.mp3"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def table(songs):
    return predict_external([Model()], list_songs(songs))


def test_songs_next_to_the_folders_have_no_label(songs):
    listed = list_songs(songs)
    assert listed["label"].tolist() == ["Hip-Hop"] * 3 + ["polka", None, None]
    assert listed["song"].tolist()[-2:] == ["broken", "jazz_loose"]


def test_a_folder_of_unlabelled_songs_is_enough(tmp_path):
    (tmp_path / "a.mp3").touch()
    assert list_songs(tmp_path)["label"].tolist() == [None]


def test_no_songs_are_an_error(tmp_path):
    with pytest.raises(DataError, match="no audio files"):
        list_songs(tmp_path)
    with pytest.raises(DataError, match="no such file or folder"):
        list_songs(tmp_path / "missing")


@pytest.mark.parametrize(
    ("rank", "verdict"),
    [(1, "right"), (2, "understandable"), (3, "wrong"), (10, "wrong"), (None, "unlabelled")],
)
def test_the_rank_of_the_true_genre_decides(rank, verdict):
    assert verdict_of(rank) == verdict


def test_each_song_has_a_verdict(table):
    found = table.set_index("song")
    assert found["verdict"].to_dict() == {
        "Hip-Hop/hiphop": "right",
        "Hip-Hop/blues": "understandable",
        "Hip-Hop/jazz": "wrong",
        "polka/jazz2": "unlabelled",
        "jazz_loose": "unlabelled",
        "broken": "unreadable",
    }
    assert found.loc["Hip-Hop/jazz", ["predicted", "probability", "rank"]].tolist() == ["jazz", 0.6, 3]
    assert found.loc["Hip-Hop/jazz", ["genres", "unsure"]].tolist() == ["jazz", False]
    assert found.loc["broken", "reason"] == "no samples"
    assert verdict_counts(table).loc["toy on mel"].to_dict() == {
        "right": 1,
        "understandable": 1,
        "wrong": 1,
        "unlabelled": 2,
        "unreadable": 1,
    }
    assert of_verdict(table, "unlabelled")["song"].tolist() == ["jazz_loose", "polka/jazz2"]


def test_the_markdown_lists_songs_by_verdict(table):
    rows = external_songs_markdown(table).splitlines()
    assert rows[0] == "**toy on mel**"
    assert [row.split("|")[1].strip() for row in rows if row.startswith("| ")] == [
        *("Verdict", "right", "understandable", "wrong", "unlabelled", "unlabelled", "unreadable")
    ]


def test_models_are_listed_in_the_order_of_the_table(table):
    both = pd.concat([table, table.assign(model="another on mel")])
    headings = [row for row in external_songs_markdown(both).splitlines() if row.startswith("**")]
    assert headings == ["**toy on mel**", "**another on mel**"]


def test_the_page_has_a_plot_of_each_song_and_the_lists(table, tmp_path):
    table.to_csv(tmp_path / "external_songs.csv", index=False)
    read = pd.read_csv(tmp_path / "external_songs.csv")
    (part,) = external_songs_parts(read)
    assert [plot["song"] for plot in part["plots"]] == [s for s in read["song"] if s != "broken"]
    assert [plot["genre"] for plot in part["plots"]][:4] == ["Hip-Hop", "Hip-Hop", "Hip-Hop", "polka"]
    (model,) = part["models"]
    assert model["counts"] == [1, 1, 1, 2, 1]
    assert [len(own["rows"]) for own in model["lists"]] == [1, 1, 1, 2, 1]
    page = external_songs_page(read, "2025-01-31")
    assert "Understandable: the true genre is second" in page
    assert "true genre: Hip-Hop" in page
    assert "no samples" in page
