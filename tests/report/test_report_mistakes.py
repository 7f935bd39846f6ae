import pandas as pd
import pytest

from genredag.report.mistakes import N_SHOWN, surest_mistakes

COLUMNS = ["track_id", "genre", "predicted", "p_pop", "p_rock"]


def test_surest_first_each_track_once_with_how_often_it_is_wrong():
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


def test_no_mistake_gives_none():
    assert surest_mistakes(pd.DataFrame([("a", "pop", "pop", 1.0, 0.0)], columns=COLUMNS)).empty


@pytest.mark.parametrize("n", [N_SHOWN, N_SHOWN + 3])
def test_so_many_are_shown(n):
    rows = [(f"t{i:02}", "pop", "rock", 0.4, 0.6) for i in range(n)]
    shown = surest_mistakes(pd.DataFrame(rows, columns=COLUMNS))
    assert shown["track_id"].tolist() == [f"t{i:02}" for i in range(N_SHOWN)]
