import pandas as pd
import pytest

from genredag.audits.learning_curves.showing import COLUMNS
from genredag.errors import DataError
from genredag.evaluation.intervals import Interval
from genredag.report.audit_view import audit_views, read_audits
from genredag.report.page import percent

WORTH = {"dataset": "gtzan", "level": "track", "model": "svm", "accuracy": 60.0, "leaky_accuracy": 64.0}
WORTH |= {"n_tracks": 100, "note": ""}


def test_an_unknown_audit_is_refused(tmp_path):
    with pytest.raises(
        DataError, match="guesswork: unknown audit; expected leakage_audit or as_published or robustness"
    ):
        read_audits([("guesswork", tmp_path / "a.csv")])


def test_mistakes_share_an_axis_with_zero_and_omissions_are_noted(tmp_path):
    rows = [
        WORTH | {"mistake": "a", "points": 4.0, "points_low": 1.0, "points_high": 7.0},
        WORTH | {"mistake": "b", "note": "faults is left out"},
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "a.csv", index=False)
    (view,) = audit_views(read_audits([("leakage_audit", tmp_path / "a.csv")]))
    (part,) = view["parts"]
    assert view["title"] == "Leakage audit"
    assert [row["mistake"] for row in part["rows"]] == ["a"]
    assert part["axis"] == (0.0, 7.0)
    assert part["notes"] == ["faults is left out"]


@pytest.fixture
def study():
    words = {"project": "somebody 2018", "model": "cnn", "level": "slice", "measured_on": "GTZAN"}
    words |= {
        "dataset": "synthetic",
        "faults": "slices leak",
        "differs": float("nan"),
        "note": "LEAKY: slices",
    }
    words |= {"corrected_on": "artist_disjoint, artists parted"}
    figures = {"published": 91.0, "published_from": float("nan"), "as_published_n_test_tracks": 100}
    figures |= {"as_published": 90.0, "as_published_low": 85.0, "as_published_high": 95.0}
    nothing = {f"corrected{end}": float("nan") for end in ("", "_low", "_high", "_n_test_tracks")}
    return pd.DataFrame([words | figures | nothing])


def test_published_accuracies_are_shown_next_to_ours(study):
    (view,) = audit_views({"as_published": study})
    (row,) = view["parts"]
    own, corrected = row["ours"]
    assert (row["published"], own["scored"], own["n_test_tracks"]) == (0.91, Interval(0.9, 0.85, 0.95), 100)
    assert corrected["scored"].estimate != corrected["scored"].estimate
    assert (own["leaks"], corrected["leaks"]) == (True, False)
    assert (row["faults"], row["differs"]) == ("slices leak", "")
    assert row["corrected_on"] == "artist_disjoint, artists parted"


def test_an_unverified_accuracy_is_a_dash():
    assert percent(float("nan")) == "\N{EN DASH}"
    assert percent(0.5) == "50.0\u202f%"


def test_deformations_are_grouped_by_kind_after_none(tmp_path):
    row = {"dataset": "toy", "split": "by_track", "representation": "mel", "model": "svm", "warning": ""}
    row |= {f"track_accuracy{end}": 50.0 for end in ("", "_low", "_high")} | {"n_tracks": 50}
    gain = {f"track_points{end}": value for end, value in (("", -4.0), ("_low", -7.0), ("_high", 0.0))}
    kinds = [("gain_db", 6.0, gain), ("mp3_kbps", 64.0, gain), ("none", float("nan"), {})]
    rows = [row | {"deformation": kind, "strength": strength} | points for kind, strength, points in kinds]
    pd.DataFrame(rows).to_csv(tmp_path / "a.csv", index=False)
    (view,) = audit_views(read_audits([("robustness", tmp_path / "a.csv")]))
    (part,) = view["parts"]
    assert (part["dataset"], part["split"]) == ("toy", "by_track")
    assert [(row["deformation"], row["strength"]) for row in part["rows"]] == [
        ("none", ""),
        ("MP3", "64 kbit/s"),
        ("Gain", "6 dB"),
    ]
    assert part["rows"][2]["accuracy"] == Interval(0.5, 0.5, 0.5)
    assert part["rows"][2]["points"] == Interval(-0.04, -0.07, 0.0)
    assert part["rows"][0]["points"].estimate != part["rows"][0]["points"].estimate
    assert (part["rows"][0]["entry"], part["rows"][0]["warning"]) == ("svm on mel", "")


def test_learning_curves_have_an_answer_a_figure_and_a_row_for_each_share(tmp_path):
    figures = {"accuracy": 50.0, "accuracy_low": 40.0, "accuracy_high": 60.0}
    rows = [
        {"dataset": "toy", "split": "s", "representation": "mel", "model": model, "share": share}
        | dict.fromkeys(COLUMNS[6:], float("nan"))
        | {"n_training": int(80 * share), "chance": 10.0}
        | figures
        for model in ("svm", "<forest>")
        for share in (0.5, 1.0)
    ]
    last = {"points": 7.0, "points_low": 1.0, "points_high": 9.0}
    last |= {"lead": 4.0, "lead_low": 1.0, "lead_high": 8.0}
    rows[1] |= {"doubling": 3.0, "doubling_low": 2.0, "doubling_high": 5.0}
    pd.DataFrame([*rows[:3], rows[3] | last])[list(COLUMNS)].to_csv(tmp_path / "a.csv", index=False)
    (view,) = audit_views(read_audits([("learning_curves", tmp_path / "a.csv")]))
    (part,) = view["parts"]
    assert "changes the accuracy of svm on mel by +3.0 (2.0 to 5.0) points" in part["answer"]
    assert part["answer"].endswith("So here the other model helps more than twice the data.")
    assert part["figure"].startswith("<svg") and "&lt;forest&gt; on mel" in part["figure"]
    assert [row["n_training"] for row in part["rows"]] == [40, 80, 40, 80]
    assert part["rows"][3]["entry"] == "<forest> on mel"
    assert part["rows"][3]["accuracy"] == Interval(0.5, 0.4, 0.6)
    assert part["rows"][3]["points"] == Interval(0.07, 0.01, 0.09)


def test_suspicious_labels_are_shown_by_rank_and_scored_if_faults_are_known(tmp_path):
    row = {"artist": None, "genre": "rock", "suggested": "jazz", "score": 0.1, "suggested_probability": 0.8}
    row |= {"n_predictions": 1, "known_fault": None}
    rows = [
        row | {"dataset": dataset, "rank": rank, "track_id": f"{dataset}.{rank}", "suspected": rank <= 3}
        for dataset in ("toy", "other")
        for rank in range(30, 0, -1)
    ]
    table = pd.DataFrame(rows)
    table.loc[table["dataset"] == "toy", "known_fault"] = table["rank"].isin([1, 2, 9, 30])
    table.to_csv(tmp_path / "a.csv", index=False)
    (view,) = audit_views(read_audits([("label_issues", tmp_path / "a.csv")]))
    toy, other = view["parts"]
    assert [row["rank"] for row in toy["rows"]] == list(range(1, 21))
    assert (toy["dataset"], toy["n_suspected"], toy["n_tracks"]) == ("toy", 3, 30)
    assert toy["agree"] == 0.0
    assert (toy["found"].n_known, toy["found"].precision) == (4, 0.5)
    assert other["found"] is None
