"""Learning curves: nested shares, and closed forms of what twice the data and other models add."""

import numpy as np
import pandas as pd
import pytest

from genredag.audits.learning_curves.scores import curves_table
from genredag.audits.learning_curves.shares import count_training, drawn, with_share
from genredag.audits.learning_curves.showing import COLUMNS, answer, curves_figure, curves_markdown

FIRST, OTHER = ("mel", "svm"), ("musicnn", "forest")


@pytest.fixture
def split():
    """Return a split of two genres with 8 training tracks each by four artists, an augmented copy of each."""
    rows = [
        {"track_id": f"{genre}.{i:02}", "slice": number, "genre": genre, "artist": f"{genre} {i // 2}"}
        | {"part": "train" if i < 8 else ("validation", "test")[i % 2], "parent": None}
        for genre in ("blues", "rock")
        for i in range(12)
        for number in range(2)
    ]
    table = pd.DataFrame(rows)
    copies = table[table["part"] == "train"].assign(parent=table["track_id"])
    copies["track_id"] += "+1"
    return pd.concat([table, copies], ignore_index=True)


def trained_on(split, share, seed=0):
    part = with_share(split, share, seed)
    return set(part.loc[part["part"] == "train", "track_id"])


def test_smaller_shares_are_parts_of_larger_ones_artist_by_artist(split):
    quarter, half, full = (trained_on(split, share) for share in (0.25, 0.5, 1.0))
    assert quarter < half < full == set(split.loc[split["part"] == "train", "track_id"])
    originals = sorted(track_id for track_id in half if "+" not in track_id)
    assert half == {*originals, *(f"{track_id}+1" for track_id in originals)}
    tracks = split.drop_duplicates("track_id").set_index("track_id").loc[originals]
    assert tracks["genre"].value_counts().to_dict() == {"blues": 4, "rock": 4}
    assert tracks["artist"].value_counts().tolist() == [2] * 4
    assert count_training(with_share(split, 0.5, 0)) == 8
    assert trained_on(split, 0.5, seed=1) != half


def test_held_out_tracks_stay_and_the_order_of_rows_does_not_matter(split):
    part = with_share(split, 0.25, 0)
    held_out = split["part"] != "train"
    pd.testing.assert_frame_equal(part[held_out], split[held_out])
    assert trained_on(split.sample(frac=1, random_state=0), 0.25) == trained_on(split, 0.25)
    pd.testing.assert_frame_equal(with_share(split, 1.0, 0), split)


def test_every_genre_keeps_a_track():
    tracks = pd.DataFrame({"genre": ["a", "b", "b"], "group": ["x", "y", "z"]})
    assert drawn(tracks, 0.01, 0).tolist()[0] and drawn(tracks, 0.01, 0).sum() == 2


def run(entry, share, hits, seed=1):
    """Return predictions of two-genre test tracks, each by an artist of its own."""
    genre = np.where(np.array(hits, bool), "blues", "rock")
    table = pd.DataFrame({"track_id": [f"t{i:03}" for i in range(len(hits))], "genre": "blues"})
    table = table.assign(artist=None, part="test", predicted=genre, p_blues=0.5, p_rock=0.5)
    choice = dict(zip(("representation", "model"), entry, strict=True)) | {"dataset": "toy", "split": "s"}
    return table.assign(**choice, fold=0, seed=seed, share=share, n_training=round(80 * share))


def hits(n_right, n=100):
    return np.arange(n) < n_right


@pytest.fixture
def runs():
    """Return a function that gives runs of two models: right at 25 % and 100 % of the training tracks."""

    def make(first, other):
        return [
            run(entry, share, hits(n_right))
            for entry, right in ((FIRST, first), (OTHER, other))
            for share, n_right in zip((1.0, 0.25), right, strict=True)
        ]

    return make


def test_chance_is_one_over_the_number_of_genres(runs):
    table = curves_table([own.assign(p_jazz=0.0) for own in runs((60, 40), (90, 50))], 200)
    assert set(table["chance"]) == {33.33}


def test_differences_are_of_the_same_tracks_and_per_doubling(runs):
    table = curves_table(runs((60, 40), (90, 50)), 200)
    assert table.columns.tolist() == list(COLUMNS)
    assert table["n_training"].tolist() == [20, 80, 20, 80]
    assert table["accuracy"].tolist() == [40, 60, 50, 90]
    assert table["points"].fillna(0).tolist() == [0, 0, 10, 30]
    # From 20 to 80 tracks there are two doublings.
    assert table["doubling"].fillna(0).tolist() == [0, 10, 0, 20]
    assert table["lead"].dropna().tolist() == [30 - 10]
    last = table.iloc[-1]
    for name in ("accuracy", "points", "doubling", "lead"):
        assert last[f"{name}_low"] < last[name] < last[f"{name}_high"]
    assert last[["chance", "n_tracks", "n_seeds", "n_folds"]].tolist() == [50, 100, 1, 1]


def test_little_more_data_decides_nothing():
    """With 90 and 100 % of the tracks, an error of a track counts as seven in what a doubling adds."""
    runs = [
        run(entry, share, hits(n_right, 30))
        for entry, n_right in ((FIRST, 18), (OTHER, 26))
        for share in (0.9, 1.0)
    ]
    last = curves_table(runs, 1000).iloc[-1]
    assert last["lead_low"] < -20 < 0 < last["lead"] < last["lead_high"]


def test_seeds_of_a_track_are_pooled_in_one_cluster(runs):
    single = curves_table(runs((60, 40), (90, 50)), 1000)
    again = [table.assign(seed=2) for table in runs((60, 40), (90, 50))]
    pooled = curves_table([*runs((60, 40), (90, 50)), *again], 1000)  # seeds that agree add no luck
    assert (pooled["n_seeds"] == 2).all()
    for name in ("points", "lead"):
        width = [table[f"{name}_high"].max() - table[f"{name}_low"].max() for table in (single, pooled)]
        assert width[1] == pytest.approx(width[0], rel=0.2)


@pytest.mark.parametrize(
    ("first", "other", "told"),
    [
        ((55, 45), (95, 60), "So here the other model helps more than twice the data."),
        ((95, 15), (97, 20), "So here twice the data helps more than the other model."),
        ((60, 40), (72, 50), "Which helps more is not decided: the difference is +2.0 ("),
    ],
)
def test_the_answer_follows_from_the_interval_of_the_difference(runs, first, other, told):
    text = answer(curves_table(runs(first, other), 1000))
    assert told in text
    assert (
        f"tracks, from 20 to 80, changes the accuracy of svm on mel by +{(first[0] - first[1]) / 2}" in text
    )
    assert f"With all 80, forest on musicnn instead changes it by +{other[0] - first[0]}.0 (" in text


def test_without_other_models_or_more_tracks_less_is_answered(runs):
    own = runs((60, 40), (90, 50))[:2]
    assert answer(curves_table(own, 200)).endswith(" points.")
    equal = curves_table([table.assign(n_training=3) for table in own], 200)
    assert answer(equal).startswith("All shares have equally many training tracks")


def test_a_figure_with_a_line_for_each_model(runs):
    table = curves_table(runs((60, 40), (90, 50)), 200)
    figure = curves_figure(pd.concat([table, table.assign(dataset="other")]))
    assert len(figure.axes) == 2
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["20", "80"]
    assert axes.get_legend_handles_labels()[1] == ["chance", "svm on mel", "forest on musicnn"]
    assert [list(box.lines[0].get_ydata()) for box in axes.containers] == [[40, 60], [50, 90]]


def test_the_page_has_the_answer_and_the_table_even_if_read_from_a_file(runs, tmp_path, squeezed):
    table = curves_table(runs((60, 40), (90, 50)), 200)
    table.to_csv(tmp_path / "a.csv", index=False)
    text = curves_markdown(pd.read_csv(tmp_path / "a.csv"))
    assert text == curves_markdown(table)
    assert answer(table) in text and "\n100 test tracks, seeds: 1, chance 50 %.\n" in text
    assert "| forest | musicnn | 80 | 90.0 (" in squeezed(text) and "| +30.0 (" in squeezed(text)
