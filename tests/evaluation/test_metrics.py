import json
import math

import pandas as pd
import pytest

from genredag.errors import DataError
from genredag.evaluation.metrics import confusion, evaluate_predictions, per_genre, scores

# actual, predicted, and the probability of the actual genre; the rest goes to the next genre
ROWS = [
    ("blues", "blues", 0.8),
    ("blues", "jazz", 0.4),
    ("jazz", "jazz", 0.9),
    ("jazz", "jazz", 0.6),
]
NAMES = ["blues", "jazz", "rock"]


def predictions(rows=ROWS, part="test"):
    records = []
    for i, (actual, predicted, p) in enumerate(rows):
        other = NAMES[(NAMES.index(actual) + 1) % 3]
        values = dict.fromkeys((f"p_{n}" for n in NAMES), 0.0) | {f"p_{actual}": p, f"p_{other}": 1 - p}
        records.append(
            {"track_id": f"{part}{i}", "part": part, "genre": actual, "predicted": predicted, **values}
        )
    return pd.DataFrame(
        records, columns=["track_id", "part", "genre", "predicted", *(f"p_{n}" for n in NAMES)]
    )


def test_scores_in_closed_form():
    values = scores(predictions())
    assert values["accuracy"] == 0.75
    # F1: blues 2/3 (precision 1, recall 1/2), jazz 4/5 (2/3, 1), rock 0
    assert values["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 3, abs=1e-6)
    assert values["log_loss"] == pytest.approx(-sum(math.log(p) for *_, p in ROWS) / 4, abs=1e-6)


def test_order_of_classes_does_not_matter():
    columns = ["track_id", "part", "genre", "predicted", "p_rock", "p_blues", "p_jazz"]
    assert scores(predictions()[columns]) == scores(predictions())


def test_per_genre_in_closed_form():
    assert per_genre(predictions()) == {
        "blues": {"precision": 1.0, "recall": 0.5, "f1": 0.666667, "support": 2},
        "jazz": {"precision": 0.666667, "recall": 1.0, "f1": 0.8, "support": 2},
        "rock": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0},
    }


def test_all_of_it():
    both = pd.concat([predictions(), predictions(ROWS[:1], part="validation")])
    metrics = evaluate_predictions(both, "mean")
    assert metrics["n_slices"] == metrics["n_tracks"] == {"validation": 1, "test": 4}
    assert metrics["validation"]["slice"] == {"accuracy": 1.0, "macro_f1": 0.333333, "log_loss": 0.223144}
    assert metrics["test"]["track"]["accuracy"] == 0.75
    assert list(metrics["test"]["per_genre"]) == NAMES
    assert json.loads(json.dumps(metrics)) == metrics


def test_an_empty_part_is_refused():
    with pytest.raises(DataError, match="no predictions"):
        evaluate_predictions(predictions(), "mean")


def test_no_columns_of_probabilities():
    with pytest.raises(DataError, match="no columns p_<genre>"):
        scores(predictions()[["track_id", "genre", "predicted"]])


def test_confusion_lists_test_tracks():
    both = pd.concat([predictions(), predictions(ROWS[:1], part="validation")])
    assert confusion(both, "mean").to_dict("list") == {
        "actual": ["blues", "blues", "jazz", "jazz"],
        "predicted": ["blues", "jazz", "jazz", "jazz"],
    }
