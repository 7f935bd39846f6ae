import json
import math

import pandas as pd
import pytest

from genredag.errors import DataError
from genredag.evaluation.metrics import (
    confusion,
    confusion_counts,
    decision_accuracies,
    evaluate_predictions,
    per_genre,
    scores,
    tables_of_test,
    training_scores,
)
from genredag.splits.leakage import is_leaky, marked

# actual, predicted, and the probability of the actual genre; the rest goes to the next genre
ROWS = [
    ("blues", "blues", 0.8),
    ("blues", "jazz", 0.4),
    ("jazz", "jazz", 0.9),
    ("jazz", "jazz", 0.6),
]
NAMES = ["blues", "jazz", "rock"]


def predictions(rows=ROWS, part="test", names=NAMES):
    records = []
    for i, (actual, predicted, p) in enumerate(rows):
        other = names[(names.index(actual) + 1) % len(names)]
        values = dict.fromkeys((f"p_{n}" for n in names), 0.0) | {f"p_{actual}": p, f"p_{other}": 1 - p}
        record = {"track_id": f"{part}{i}", "part": part, "genre": actual, "artist": None}
        records.append({**record, "predicted": predicted, **values})
    columns = ["track_id", "part", "genre", "artist", "predicted", *(f"p_{n}" for n in names)]
    return pd.DataFrame(records, columns=columns)


def both_parts():
    return pd.concat([predictions(), predictions(ROWS[:1], part="validation")], ignore_index=True)


def split_of(table):
    """Return the split behind predictions: a training track, and one that is left out, are added."""
    others = pd.DataFrame({"track_id": ["t", "t", "out"], "part": ["train", "train", None]})
    return pd.concat([table[["track_id", "part"]], others], ignore_index=True)


def test_scores_in_closed_form():
    values = scores(predictions())
    assert values["accuracy"] == values["balanced_accuracy"] == 0.75
    # F1: blues 2/3 (precision 1, recall 1/2), jazz 4/5 (2/3, 1), rock 0
    assert values["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 3, abs=1e-6)
    assert values["log_loss"] == pytest.approx(-sum(math.log(p) for *_, p in ROWS) / 4, abs=1e-6)
    # two of four rows in a bin: 0.6 predicted, half of them right; 0.8 and 0.9 are right and alone
    assert values["calibration_error"] == pytest.approx((2 * 0.1 + 0.2 + 0.1) / 4, abs=1e-6)
    # blues: 0.8 and 0.4 against 0 and 0; jazz: 0.9 and 0.6 against 0.2 and 0.6, of which one is a tie
    assert values["roc_auc"] == pytest.approx((1 + 3.5 / 4) / 2, abs=1e-6)
    assert values["top3_accuracy"] == 1.0


def test_balanced_accuracy_is_the_mean_recall_of_occurring_genres():
    rows = [*ROWS, ("jazz", "jazz", 0.9), ("jazz", "rock", 0.1)]
    assert scores(predictions(rows))["balanced_accuracy"] == pytest.approx((1 / 2 + 3 / 4) / 2)


def test_macro_precision_is_the_mean_precision_of_occurring_genres():
    rows = [("jazz", "jazz", 0.9), ("jazz", "rock", 0.9), ("rock", "rock", 0.9), ("blues", "rock", 0.9)]
    assert scores(predictions(rows))["macro_precision"] == pytest.approx((1 + 1 / 3 + 0) / 3, abs=1e-6)


def test_training_accuracy_is_of_the_epoch_that_was_kept():
    history = pd.DataFrame({"val_loss": [0.9, 0.5, 0.6], "accuracy": [0.5, 0.7, 0.9]})
    assert training_scores(history) == {"train": {"slice": {"accuracy": 0.7}}}


def test_top_three_of_four():
    names = ["blues", "jazz", "rock", "pop"]
    table = predictions([("blues", "blues", 0.9)] * 4, names=names)
    columns = [f"p_{name}" for name in names]
    table[columns] = [[0.1, 0.2, 0.3, 0.4], [0.2, 0.1, 0.3, 0.4], [0.9, 0.1, 0, 0], [0.05, 0.15, 0.3, 0.5]]
    assert scores(table)["top3_accuracy"] == 0.5


def test_golden_scores():
    names = ["blues", "jazz", "rock", "pop"]
    actual = ["blues", "jazz", "rock", "pop", "pop", "rock"]
    chosen = ["blues", "rock", "rock", "pop", "jazz", "rock"]
    table = predictions(
        [(a, b, 0.55 + 0.07 * i) for i, (a, b) in enumerate(zip(actual, chosen, strict=True))], names=names
    )
    assert scores(table) == GOLDEN


GOLDEN = {
    "accuracy": 0.666667,
    "balanced_accuracy": 0.625,
    "macro_precision": 0.666667,
    "macro_f1": 0.616667,
    "top3_accuracy": 1.0,
    "log_loss": 0.335511,
    "calibration_error": 0.321667,
    "roc_auc": 1.0,
}


def test_a_single_genre_has_no_roc():
    values = scores(predictions(ROWS[2:]))
    assert values["roc_auc"] is None
    assert values["accuracy"] == 1


def test_order_of_classes_does_not_matter():
    columns = ["track_id", "part", "genre", "artist", "predicted", "p_rock", "p_blues", "p_jazz"]
    assert scores(predictions()[columns]) == scores(predictions())


def test_per_genre_in_closed_form():
    assert per_genre(predictions()).to_dict("records") == [
        {"genre": "blues", "precision": 1.0, "recall": 0.5, "f1": 0.666667, "support": 2},
        {"genre": "jazz", "precision": 0.666667, "recall": 1.0, "f1": 0.8, "support": 2},
        {"genre": "rock", "precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0},
    ]


def test_all_metrics_of_a_run():
    both = both_parts()
    metrics = evaluate_predictions(both, split_of(both), "mean")
    assert metrics["n_slices"] == {"train": 2, "validation": 1, "test": 4}
    assert metrics["n_tracks"] == {"train": 1, "validation": 1, "test": 4}
    assert metrics["validation"]["slice"]["log_loss"] == 0.223144
    assert metrics["test"]["track"] == scores(predictions())
    assert metrics["test"]["decisions"] == {"mean": 0.75, "vote": 0.75, "log_sum": 0.75}
    assert list(metrics) == ["n_slices", "n_tracks", "validation", "test"]
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_each_decision_has_its_accuracy():
    table = predictions([("blues", "blues", p) for p in (0.52, 0.52, 0.05)]).assign(track_id="one")
    assert decision_accuracies(table) == {"mean": 0.0, "vote": 1.0, "log_sum": 0.0}


def test_the_decision_makes_the_scores_and_tables_of_tracks():
    rows = [("blues", "blues", p) for p in (0.52, 0.52, 0.05)]
    parts = [predictions(rows, part=part).assign(track_id=part) for part in ("validation", "test")]
    both = pd.concat(parts, ignore_index=True)
    for decision, right in (("mean", 0.0), ("vote", 1.0), ("log_sum", 0.0)):
        metrics = evaluate_predictions(both, split_of(both), decision)
        assert [metrics[part]["track"]["accuracy"] for part in ("validation", "test")] == [right, right]
        confused = tables_of_test(both, decision)["confusion"]["predicted"].tolist()
        assert confused == (["blues"] if right else ["jazz"])


def test_a_leaky_split_is_marked():
    both = both_parts()
    leaky = split_of(both).replace({"track_id": {"t": "test0"}})
    assert not is_leaky(split_of(both))
    assert is_leaky(leaky)
    metrics = evaluate_predictions(both, leaky, "mean")
    assert metrics["leaky"] is True
    assert metrics["warning"].startswith("LEAKY: slices of one track")


def test_results_of_a_leaky_split_are_marked_even_without_rows():
    leaky = pd.DataFrame({"track_id": ["a", "a"], "part": ["train", "test"]})
    table = pd.DataFrame({"n": [1, 2]})
    assert marked(table, leaky)["warning"].str.startswith("LEAKY").tolist() == [True, True]
    assert "LEAKY" in marked(table[:0], leaky).to_csv()
    assert marked(table, leaky[:1]) is table


def test_rows_that_are_left_out_do_not_leak():
    split = pd.DataFrame({"track_id": ["a", "a", "b"], "part": ["train", None, None]})
    assert not is_leaky(split)


def test_a_part_without_slices_is_counted_as_empty():
    both = both_parts()
    metrics = evaluate_predictions(both, split_of(both)[lambda split: split["part"] != "train"], "mean")
    assert metrics["n_slices"]["train"] == metrics["n_tracks"]["train"] == 0


def test_an_empty_part_is_refused():
    with pytest.raises(DataError, match="no predictions"):
        evaluate_predictions(predictions(), split_of(predictions()), "mean")


def test_missing_probability_columns_are_refused():
    with pytest.raises(DataError, match="no columns p_<genre>"):
        scores(predictions()[["track_id", "genre", "predicted"]])


def test_confusion_lists_tracks():
    expected = {"actual": ["blues", "blues", "jazz", "jazz"], "predicted": ["blues", "jazz", "jazz", "jazz"]}
    assert confusion(predictions()).to_dict("list") == expected
    assert tables_of_test(both_parts(), "mean")["confusion"].to_dict("list") == expected


def test_confusion_counts_every_class_in_order():
    counts = confusion_counts(predictions())
    assert counts.to_numpy().tolist() == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert list(counts.index) == list(counts.columns) == NAMES


def test_a_genre_may_be_called_na():
    table = predictions([("NA", "None", 0.2), ("None", "None", 0.9)], names=["NA", "None"])
    assert confusion_counts(table).to_numpy().tolist() == [[0, 1], [0, 1]]
