import pandas as pd
import pytest

from genredag.errors import DataError
from genredag.report.audit_view import audit_views, read_audits

WORTH = {"dataset": "gtzan", "level": "track", "model": "svm", "accuracy": 60.0, "leaky_accuracy": 64.0}
WORTH |= {"n_tracks": 100, "note": ""}


def test_an_audit_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(DataError, match="guesswork: no such audit; expected leakage_audit or as_published"):
        read_audits([("guesswork", tmp_path / "a.csv")])


def test_mistakes_share_an_axis_that_holds_zero_and_what_is_left_out_is_told(tmp_path):
    rows = [
        WORTH | {"mistake": "a", "points": 4.0, "points_low": 1.0, "points_high": 7.0},
        WORTH | {"mistake": "b", "note": "faults is left out"},
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "a.csv", index=False)
    (view,) = audit_views(read_audits([("leakage_audit", tmp_path / "a.csv")]))
    (part,) = view["worth"]
    assert view["title"] == "Leakage audit"
    assert [row["mistake"] for row in part["rows"]] == ["a"]
    assert part["axis"] == (0.0, 7.0)
    assert part["notes"] == ["faults is left out"]


def test_published_figures_are_a_table():
    table = pd.DataFrame({"study": ["a"], "track_accuracy": [0.7654321], "n_tracks": [None]})
    (view,) = audit_views({"as_published": table})
    assert view["worth"] == []
    assert view["table"]["columns"] == [("study", False), ("track accuracy", True), ("n tracks", False)]
    assert view["table"]["rows"] == [["a", "0.765", "\N{EN DASH}"]]
