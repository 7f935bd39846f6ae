import pandas as pd
import pytest

from genredag.report.score_figures import learning_curves, reliability_figure, roc_figure


def history(*val_loss):
    epochs = range(1, len(val_loss) + 1)
    return pd.DataFrame({"epoch": epochs, "loss": 1.0, "val_loss": val_loss})


def test_a_line_for_each_run_and_its_kept_epoch_marked():
    figure = learning_curves([history(3.0, 1.0, 2.0), history(3.0, 2.0)], "loss")
    lines = figure.axes[0].lines
    assert len(lines) == 2 * 3
    marks = [line.get_xydata().tolist() for line in lines if line.get_marker() == "o"]
    assert marks == [[[2, 1.0]], [[2, 2.0]]]
    told = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert told == ["training", "validation", "weights kept"]


def test_reliability_shows_both_levels_and_larger_marks_where_more_is():
    bins = pd.DataFrame(
        [("slice", 0.5, 0.4, 10), ("slice", 0.9, 0.8, 40), ("track", 0.7, 0.6, 5)],
        columns=["level", "confidence", "accuracy", "n"],
    )
    slices, tracks = reliability_figure(bins).axes[0].collections
    assert slices.get_offsets().tolist() == [[0.5, 0.4], [0.9, 0.8]]
    assert slices.get_sizes()[0] < slices.get_sizes()[1]
    assert tracks.get_offsets().tolist() == [[0.7, 0.6]]


@pytest.mark.parametrize("genres", [["jazz"], ["jazz", "metal", "rock"]])
def test_the_best_and_the_worst_genre_are_named(genres):
    roc = pd.DataFrame(
        [(genre, x, x) for genre in genres for x in (0.0, 1.0)], columns=["genre", "fpr", "tpr"]
    )
    areas = {genre: 0.9 - i / 10 for i, genre in enumerate(genres)}
    legend = roc_figure(roc, areas).axes[0].get_legend()
    told = {text.get_text() for text in legend.get_texts()}
    assert told == {"chance", "jazz: area 0.90"} | ({"rock: area 0.70"} if len(genres) > 1 else set())
