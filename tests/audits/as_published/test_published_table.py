"""The table of published and our own accuracies: levels, omissions and leaks."""

from pathlib import Path

import pandas as pd
import pytest

from genredag.audits.as_published.studies import load_studies
from genredag.audits.as_published.table import (
    corrected_on,
    left_out,
    published_markdown,
    published_table,
    read_runs,
)
from genredag.params.loading import parse_params

STUDIES = load_studies(Path(__file__).resolve().parents[3] / "studies.yaml")


def predictions(predicted):
    """Return predictions for tracks with two slices each; all are rock."""
    n = len(predicted)
    return pd.DataFrame(
        {
            "track_id": [f"track {i // 2}" for i in range(n)],
            **{"slice": [i % 2 for i in range(n)], "part": "test", "genre": "rock", "artist": None},
            **{"predicted": predicted, "seed": 1},
            "p_pop": [0.6 if name == "pop" else 0.1 for name in predicted],
            "p_rock": [0.4 if name == "pop" else 0.9 for name in predicted],
        }
    )


@pytest.fixture
def table(tree):
    names = ("atml19_homebrew", "ml_python_mlp_89", "pons_time")
    own = predictions(["rock", "pop", "pop", "pop", "rock", "rock", "rock", "rock"])
    runs = {(name, variant): own for name in names for variant in ("as_published", "corrected")}
    # Two of the four tracks, of two seeds.
    half = own.iloc[4:]
    runs["ml_python_mlp_89", "corrected"] = pd.concat([half, half.assign(seed=2)])
    runs["atml19_homebrew", "corrected"] = left_out("split: no artist is known")
    return published_table(runs, {name: STUDIES[name] for name in names}, parse_params(tree)).set_index(
        "study"
    )


def test_slices_or_tracks_are_scored_as_in_the_project(table):
    assert table.loc["atml19_homebrew", "as_published"] == 62.5
    # The mean of a track's slices decides: track 0 is rock.
    assert table.loc["ml_python_mlp_89", "as_published"] == 75.0
    # Its votes tie, and the mean decides.
    assert table.loc["pons_time", "corrected"] == 75.0
    low, high = table.loc["atml19_homebrew", ["as_published_low", "as_published_high"]]
    assert low < 62.5 < high


def test_only_the_right_genre_is_correct(tree):
    """Whether it comes before the predicted one in the alphabet or after."""
    own = predictions(["rock", "pop", "pop", "pop"]).assign(genre="pop")
    runs = {("atml19_homebrew", variant): own for variant in ("as_published", "corrected")}
    table = published_table(runs, {"atml19_homebrew": STUDIES["atml19_homebrew"]}, parse_params(tree))
    assert table["as_published"].tolist() == table["corrected"].tolist() == [75.0]


def test_each_variant_has_its_own_integer_counts(table, tmp_path, squeezed):
    assert table["as_published_n_test_tracks"].tolist() == [4, 4, 4]
    assert table["corrected_n_test_tracks"].tolist() == [pd.NA, 2, 4]
    assert table["corrected_n_seeds"].tolist() == [pd.NA, 2, 1]
    table.to_csv(tmp_path / "table.csv")
    written = pd.read_csv(tmp_path / "table.csv", dtype="str").set_index("study")
    assert written.loc["ml_python_mlp_89", ["corrected_n_test_tracks", "corrected_n_seeds"]].tolist() == [
        "2",
        "2",
    ]
    # Read from the file, counts beside a row that was left out are floats.
    read = pd.read_csv(tmp_path / "table.csv").fillna({"note": ""})
    for page in map(published_markdown, (table.reset_index(), read)):
        line = next(line for line in squeezed(page).splitlines() if line.startswith("| ML_Python"))
        assert "| LEAKY 75.0 (30.1 to 95.4) | 4 |" in line
        assert line.endswith("| 2 |")


def test_the_corrected_variant_is_named_after_its_split(table, tree, squeezed):
    assert set(table["corrected_on"]) == {"artist_disjoint, artists parted"}
    page = squeezed(published_markdown(table.reset_index()))
    assert "| on artist_disjoint, artists parted | test tracks |" in page
    tree["as_published"]["corrected_split"] = "stratified_8_1_1"
    assert corrected_on(parse_params(tree)) == "stratified_8_1_1, artists not parted"


def test_leaks_and_left_out_studies_are_noted(table, squeezed):
    row = table.loc["atml19_homebrew"]
    assert row["note"] == (
        "LEAKY: slices of a track on both sides; corrected is left out: split: no artist is known"
    )
    assert pd.isna(row["corrected"])
    page = squeezed(published_markdown(table.reset_index()))
    assert "| ATML19 (2019) | homebrew_published | slices | 75.0 | LEAKY 62.5 (" in page
    assert "| 4 | left out | |" in page
    assert "| Pons, Lidy and Serra (2016) | time_published | tracks | | 75.0 (" in page
    assert "| mlp_89_published | tracks | 72.7 to 74.2 | LEAKY 75.0 (" in page


def test_faults_differences_and_notes_of_a_study_follow_the_table(table):
    text = published_markdown(table.reset_index())
    start = text.index("**ATML19 (2019), homebrew_published** (measured on 30 % of GTZAN's slices")
    lines = text[start:].split("\n\n")[0].splitlines()
    row = table.loc["atml19_homebrew"]
    assert lines[1:] == [
        f"Faults: {row['faults']}.",
        f"Our runs differ: {row['differs']}.",
        f"Note: {row['note']}.",
    ]
    assert text.count("\n**") == len(table)


def test_runs_are_read_by_their_folders_and_seeds_are_pooled(tmp_path):
    for seed in (1, 2):
        path = tmp_path / "gtzan/one/corrected" / f"{seed}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        predictions(["rock", "pop"]).assign(seed=seed).to_parquet(path)
    runs = read_runs(sorted(tmp_path.rglob("*.parquet")))
    assert list(runs) == [("one", "corrected")]
    assert runs["one", "corrected"]["seed"].tolist() == [1, 1, 2, 2]
