import pandas as pd
import pytest

from genredag.report.mistakes import N_SHOWN, surest_mistakes

COLUMNS = ["track_id", "genre", "predicted", "p_pop", "p_rock"]


def test_mistakes_are_sorted_by_confidence_with_one_row_per_track():
    tracks = pd.DataFrame(
        [
            ("right", "rock", "rock", 0.1, 0.9),
            ("twice", "rock", "pop", 0.6, 0.4),
            ("twice", "rock", "pop", 0.8, 0.2),
            ("once", "pop", "rock", 0.3, 0.7),
            ("once", "pop", "pop", 0.9, 0.1),
        ],
        columns=COLUMNS,
    )
    assert surest_mistakes(tracks).to_dict("records") == [
        {"track_id": "twice", "genre": "rock", "predicted": "pop", "n_wrong": 2, "n_tests": 2}
        | {"confidence": 0.8, "truth": 0.2},
        {"track_id": "once", "genre": "pop", "predicted": "rock", "n_wrong": 1, "n_tests": 2}
        | {"confidence": 0.7, "truth": 0.3},
    ]


def test_no_mistakes_give_an_empty_table():
    assert surest_mistakes(pd.DataFrame([("a", "pop", "pop", 1.0, 0.0)], columns=COLUMNS)).empty


@pytest.mark.parametrize("n", [N_SHOWN, N_SHOWN + 3])
def test_the_number_of_mistakes_is_limited(n):
    rows = [(f"t{i:02}", "pop", "rock", 0.4, 0.6) for i in range(n)]
    shown = surest_mistakes(pd.DataFrame(rows, columns=COLUMNS))
    assert shown["track_id"].tolist() == [f"t{i:02}" for i in range(N_SHOWN)]
