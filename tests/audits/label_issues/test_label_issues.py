import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from genredag.audits.label_issues.known import FoundFaults, found_faults
from genredag.audits.label_issues.ranking import COLUMNS, label_issues, read_faults
from genredag.audits.label_issues.showing import label_issues_markdown
from genredag.errors import DataError

GENRES = ["blues", "jazz", "rock"]
SWAPPED = {"blues.03": "rock", "jazz.07": "blues", "rock.00": "jazz", "rock.19": "jazz"}


def predictions(track_ids, genres, probabilities, part="test"):
    table = pd.DataFrame({"track_id": track_ids, "part": part, "genre": genres, "artist": None})
    table["predicted"] = np.array(GENRES)[np.argmax(probabilities, axis=1)]
    return pd.concat([table, pd.DataFrame(probabilities, columns=[f"p_{name}" for name in GENRES])], axis=1)


@pytest.fixture(scope="module")
def folds():
    """Five folds of a logistic regression on 60 tracks of three overlapping genres, four labels swapped."""
    rng = np.random.default_rng(0)
    ids = np.array([f"{genre}.{i:02}" for genre in GENRES for i in range(20)])
    x = rng.normal(size=(60, 4))
    x[np.arange(60), np.repeat(range(3), 20)] += 4
    genres = np.array([SWAPPED.get(name, name.split(".")[0]) for name in ids])
    runs = []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(x, genres):
        model = LogisticRegression().fit(x[train], genres[train])
        runs.append(predictions(ids[test], genres[test], model.predict_proba(x[test])))
        # What the model says of tracks that it was trained on must not count.
        wrong = np.roll(np.eye(3)[np.searchsorted(GENRES, genres[train])], 1, axis=1)
        runs[-1] = pd.concat([runs[-1], predictions(ids[train], genres[train], wrong, "validation")])
    return [("toy", run) for run in runs]


def test_swapped_labels_rank_first_with_their_true_genre(folds):
    table = label_issues(folds)
    assert table.columns.tolist() == list(COLUMNS)
    assert table["rank"].tolist() == list(range(1, 61))
    assert set(table["track_id"][:4]) == set(SWAPPED)
    first = table.set_index("track_id").loc[list(SWAPPED)]
    assert first["genre"].to_dict() == SWAPPED
    assert first["suggested"].tolist() == [name.split(".")[0] for name in SWAPPED]
    assert first["suspected"].all() and table["suspected"].sum() <= 6
    assert table["score"].is_monotonic_increasing
    assert (table["n_predictions"] == 1).all()


def test_the_page_marks_suspected_labels(folds, squeezed):
    table = label_issues(folds)
    rows = [line for line in squeezed(label_issues_markdown(table)).splitlines() if "." in line[:12]]
    marked = {row.split("|")[2].strip(): row.split("|")[-2].strip() for row in rows if row.startswith("| ")}
    shown = table[table["track_id"].isin(marked)]
    assert {*marked.values()} == {"yes", ""} and set(SWAPPED) <= set(marked)
    assert [name for name, mark in marked.items() if mark] == shown["track_id"][shown["suspected"]].tolist()


def test_nothing_is_said_of_faults_if_none_is_known(folds):
    table = label_issues(folds)
    assert table["known_fault"].isna().all()
    assert found_faults(table) is None
    assert "known" not in label_issues_markdown(table)


def test_known_faults_score_the_ranking_of_their_own_data_set(folds):
    # Of a list of five, one is not in the data set, and one is not suspicious.
    clean = label_issues(folds)["track_id"].iloc[-1]
    other = [("other", run.assign(track_id="other " + run["track_id"])) for _, run in folds]
    table = label_issues([*folds, *other], [*SWAPPED, clean, "metal.00"])
    toy, rest = (own for _, own in table.groupby("dataset", sort=False))
    assert found_faults(toy) == FoundFaults(5, 4 / 5, (4 + 5 / 60) / 5, 5 / 60)
    assert rest["known_fault"].isna().all() and found_faults(rest) is None
    text = label_issues_markdown(table)
    assert "Of 5 labels known to be wrong, 80% are among the first\n5 ranks; a random" in text
    assert text.count("known to be wrong") == 1


def test_a_table_read_from_csv_gives_the_same_scores(folds, tmp_path):
    other = [("other", run.assign(track_id="other " + run["track_id"])) for _, run in folds]
    for runs in (folds, [*folds, *other]):
        table = label_issues(runs, SWAPPED)
        table.to_csv(tmp_path / "a.csv", index=False)
        again = pd.read_csv(tmp_path / "a.csv")
        for (_, own), (_, same) in zip(table.groupby("dataset"), again.groupby("dataset"), strict=True):
            assert found_faults(own) == found_faults(same)
        assert label_issues_markdown(again) == label_issues_markdown(table)


def test_probabilities_of_seeds_and_models_are_averaged():
    ids = [f"t{i}" for i in range(6)]
    genres = GENRES * 2
    sure = 0.8 * np.eye(3)[[0, 1, 2, 0, 1, 2]] + 0.2 / 3
    doubtful = np.full((6, 3), 1 / 3)
    table = label_issues([("toy", predictions(ids, genres, p)) for p in (sure, doubtful)])
    np.testing.assert_allclose(table["score"], (0.8 + 0.2 / 3 + 1 / 3) / 2)
    assert (table["n_predictions"] == 2).all()


def test_runs_with_other_genres_are_refused(folds):
    (_, run), *_ = folds
    with pytest.raises(
        DataError, match=r"predictions of toy: genres blues, jazz; expected blues, jazz, rock"
    ):
        label_issues([*folds, ("toy", run.drop(columns="p_rock"))])


def test_faults_that_are_of_no_track_are_refused(folds):
    told = r"label_issues.faults: none of 1 known faults is a track of toy; expected ids such as blues.00\."
    with pytest.raises(DataError, match=told):
        label_issues(folds, ["blues.03.wav"])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id\na\n", "no column track_id"),
        ("", "No columns to parse from file"),
        (None, "No such file or directory"),
    ],
)
def test_a_list_of_faults_that_cannot_be_read_is_named(tmp_path, text, why):
    if text is not None:
        (tmp_path / "faults.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=rf"faults.csv: can't be read: {why}; expected .* column track_id"):
        read_faults(tmp_path / "faults.csv")


def test_a_list_of_faults(tmp_path):
    (tmp_path / "faults.csv").write_text("track_id,why\n007,jazz\nb,\n", encoding="utf-8")
    assert read_faults(tmp_path / "faults.csv") == ["007", "b"]


def test_the_page_lists_the_first_ranks(folds, squeezed):
    text = squeezed(label_issues_markdown(label_issues(folds)))
    assert "4 of 60 labels are suspected. The models agree with 93% of the labels." in text
    assert text.count("\n| ") == 51  # a header and fifty tracks
    assert "| rock.19 | jazz | rock | 0.0" in text
