"""Results in the docs: copied from a results folder and shown between marks."""

from __future__ import annotations

import pandas as pd
import pytest

from genredag.errors import DataError, GenredagError
from genredag.project.adopted_results import SHOWN, adopt_results, filled

PAGE = "# Title\n<!-- begin mine/leaderboard -->\nold\n<!-- end mine/leaderboard -->\nThe end.\n"


@pytest.fixture
def results(tmp_path):
    """Give a results folder with a leaderboard of two entries, one without weights to count."""
    row = dict.fromkeys(SHOWN, 0.5) | {"representation": "mel", "split": "s", "n_test_tracks": 1050}
    row |= {"dataset": "toys", "values": "", "warning": "", "track_low": 0.25, "track_high": 0.75}
    rows = [row | {"model": "crnn", "n_parameters": 1234}, row | {"model": "svm", "n_parameters": None}]
    (tmp_path / "results").mkdir()
    pd.DataFrame(rows).to_csv(tmp_path / "results" / "leaderboard.csv", index=False)
    (tmp_path / "results" / "leakage_audit.png").write_bytes(b"picture")
    return tmp_path / "results"


def test_a_page_shows_the_adopted_table(tmp_path, results, squeezed):
    (tmp_path / "README.md").write_text(PAGE)
    adopt_results(tmp_path, results, "mine")
    text = filled(tmp_path, "README.md")
    assert "old" not in text and text.startswith("# Title\n") and text.endswith("The end.\n")
    assert "| mel | crnn | s | 0.500 (0.250 to 0.750) |" in squeezed(text)
    assert "| 1,050 | 1,234 |" in squeezed(text) and "| 1,050 | |" in squeezed(text)
    assert (tmp_path / "docs/results/mine/leakage_audit.png").read_bytes() == b"picture"
    (tmp_path / "README.md").write_text(text)
    assert filled(tmp_path, "README.md") == text


def test_a_leaky_entry_is_marked(tmp_path, results, squeezed):
    board = results / "leaderboard.csv"
    pd.read_csv(board).assign(warning=["", "LEAKY"]).to_csv(board, index=False)
    (tmp_path / "README.md").write_text(PAGE)
    adopt_results(tmp_path, results, "mine")
    head, _, honest, leaky = squeezed(filled(tmp_path, "README.md")).splitlines()[2:6]
    assert head.endswith("| warning |") and honest.endswith("| |") and leaky.endswith("| LEAKY |")
    pd.read_csv(board).assign(warning="").to_csv(board, index=False)
    adopt_results(tmp_path, results, "mine")
    assert "warning" not in filled(tmp_path, "README.md")


def test_values_that_an_entry_changed_are_shown(tmp_path, results, squeezed):
    board = results / "leaderboard.csv"
    pd.read_csv(board).assign(values=["epochs=5", None]).to_csv(board, index=False)
    (tmp_path / "README.md").write_text(PAGE)
    adopt_results(tmp_path, results, "mine")
    text = squeezed(filled(tmp_path, "README.md"))
    assert "| representation | model | values | split |" in text
    assert "| mel | crnn | epochs=5 | s |" in text and "| mel | svm | | s |" in text


def test_a_merge_replaces_the_entries_that_were_run_again(tmp_path, results):
    adopt_results(tmp_path, results, "mine")
    board = pd.read_csv(results / "leaderboard.csv")
    again = board[board["model"] == "svm"].assign(track_accuracy=0.75, n_parameters=7)
    pd.concat([again, again.assign(model="lstm", track_accuracy=0.625)]).to_csv(
        results / "leaderboard.csv", index=False
    )
    adopt_results(tmp_path, results, "mine", merge=True)
    merged = pd.read_csv(tmp_path / "docs/results/mine/leaderboard.csv")
    assert merged["model"].tolist() == ["svm", "lstm", "crnn"]  # best first
    assert merged["track_accuracy"].tolist() == [0.75, 0.625, 0.5]
    assert merged["n_parameters"].tolist() == [7, 7, 1234]


def test_a_merge_keeps_entries_that_changed_other_values(tmp_path, results):
    board = results / "leaderboard.csv"
    table = pd.read_csv(board)
    tuned = table[table["model"] == "svm"].assign(values="options.kernel=linear", track_accuracy=0.25)
    pd.concat([table.assign(values=""), tuned]).to_csv(board, index=False)
    adopt_results(tmp_path, results, "mine")
    tuned.assign(track_accuracy=0.75).to_csv(board, index=False)
    adopt_results(tmp_path, results, "mine", merge=True)
    merged = pd.read_csv(tmp_path / "docs/results/mine/leaderboard.csv")
    assert len(merged) == len(table) + 1
    assert merged["track_accuracy"].max() == 0.75 and 0.25 not in set(merged["track_accuracy"])
    table[table["model"] == "svm"].assign(track_accuracy=0.875).to_csv(board, index=False)
    adopt_results(tmp_path, results, "mine", merge=True)
    again = pd.read_csv(tmp_path / "docs/results/mine/leaderboard.csv")
    assert sorted(again["track_accuracy"])[-2:] == [0.75, 0.875] and len(again) == len(merged)


def test_a_merge_replaces_studies_in_their_place(tmp_path, results):
    path = results / "as_published.csv"
    pd.DataFrame(
        {"study": ["x", "y", "z"], "as_published": 50.0, "as_published_n_seeds": [1, None, 2]}
    ).to_csv(path, index=False)
    adopt_results(tmp_path, results, "mine")
    pd.DataFrame({"study": ["w", "y"], "as_published": 60.0, "as_published_n_seeds": 3}).to_csv(
        path, index=False
    )
    adopt_results(tmp_path, results, "mine", merge=True)
    merged = (tmp_path / "docs/results/mine/as_published.csv").read_text()
    assert merged == "study,as_published,as_published_n_seeds\nx,50.0,1\ny,60.0,3\nz,50.0,2\nw,60.0,3\n"


@pytest.mark.parametrize(("content", "message"), [("a\n1\n", "no column"), ("", "not a table")])
@pytest.mark.parametrize("name", ["leaderboard", "as_published"])
def test_only_such_tables_are_merged(tmp_path, results, name, content, message):
    (results / "as_published.csv").write_text("study\nx\n")
    adopt_results(tmp_path, results, "mine")
    before = (tmp_path / f"docs/results/mine/{name}.csv").read_bytes()
    (results / f"{name}.csv").write_text(content)
    with pytest.raises(DataError, match=rf"results/{name}.csv: {message}"):
        adopt_results(tmp_path, results, "mine", merge=True)
    assert (tmp_path / f"docs/results/mine/{name}.csv").read_bytes() == before


def test_a_merge_needs_an_earlier_table_and_a_new_one(tmp_path, results):
    with pytest.raises(DataError, match=r"mine/leaderboard.csv: no table to merge"):
        adopt_results(tmp_path, results, "mine", merge=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: no results; expected leaderboard.csv or as_published.csv"):
        adopt_results(tmp_path, tmp_path / "empty", "mine", merge=True)


def test_a_mark_without_a_table_is_reported(tmp_path):
    (tmp_path / "README.md").write_text(PAGE)
    with pytest.raises(GenredagError, match=r"no table for the mark mine/leaderboard.*--name mine"):
        filled(tmp_path, "README.md")


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no results; expected leaderboard.csv or"):
        adopt_results(tmp_path, tmp_path, "mine")
