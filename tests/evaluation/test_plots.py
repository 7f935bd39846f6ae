import numpy as np
import pandas as pd
import pytest

from genredag.evaluation.plots import (
    confusion_figure,
    learning_curves_figure,
    reliability_figure,
    roc_figure,
    run_figures,
    save_figure,
)

NAMES = ["blues", "jazz", "rock"]
CONFUSION = pd.DataFrame({"actual": ["blues", "blues", "jazz"], "predicted": ["blues", "jazz", "jazz"]})
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "loss": [2.0, 1.0, 0.5],
        "accuracy": [0.2, 0.5, 0.9],
        "val_loss": [2.1, 1.5, 1.9],
        "val_accuracy": [0.2, 0.4, 0.3],
        "learning_rate": [1e-3, 1e-3, 1e-3],
    }
)
ROC = pd.DataFrame({"genre": ["blues"] * 3, "fpr": [0, 0.5, 1], "tpr": [0, 1, 1]})
RELIABILITY = pd.DataFrame(
    {
        "level": ["slice", "slice", "track"],
        "confidence": [0.3, 0.9, 0.8],
        "accuracy": [0.5, 0.7, 1.0],
        "n": [10, 30, 5],
    }
)
FIGURES = ("confusion_matrix", "learning_curves", "roc_curves", "reliability_diagram")


def draw_all():
    tables = {"confusion": CONFUSION, "roc": ROC, "reliability": RELIABILITY}
    return run_figures(tables, HISTORY, NAMES)


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts] + [
        t.get_text() for t in figure.texts
    ]


def test_confusion_counts_and_shares():
    figure = confusion_figure(CONFUSION, NAMES)
    axes = figure.axes[0]
    assert texts(figure) == ["1\n50%", "1\n50%", "", "", "1\n100%", "", "", "", ""]
    assert [label.get_text() for label in axes.get_yticklabels()] == NAMES
    assert axes.get_title() == "2 of 3 test tracks recognised"
    np.testing.assert_allclose(axes.collections[0].get_array(), [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 0]])


def test_curves_and_the_epoch_kept():
    figure = learning_curves_figure(HISTORY)
    for axes, name in zip(figure.axes, ("loss", "accuracy"), strict=True):
        lines = {line.get_label(): line.get_ydata() for line in axes.lines}
        np.testing.assert_array_equal(lines["training"], HISTORY[name])
        np.testing.assert_array_equal(lines["validation"], HISTORY[f"val_{name}"])
        assert "kept: epoch 2" in lines


def test_an_estimator_has_no_curves():
    figure = learning_curves_figure(HISTORY.iloc[:1].assign(learning_rate=np.nan))
    assert figure.axes == []
    assert texts(figure) == [
        "Fitted at once, without epochs\n"
        "training: loss 2.000, accuracy 20.0%\n"
        "validation: loss 2.100, accuracy 20.0%"
    ]


def test_roc_tells_the_area_of_each_genre():
    axes = roc_figure(ROC).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["blues: 0.750"]
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), ROC["tpr"])


def test_genres_beyond_ten_are_dashed():
    roc = pd.concat([ROC.assign(genre=f"g{i}") for i in range(12)])
    lines = roc_figure(roc).axes[0].lines
    assert [line.get_linestyle() for line in lines[:12]] == ["-"] * 10 + ["--"] * 2


def test_reliability_of_both_levels():
    axes = reliability_figure(RELIABILITY).axes[0]
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert lines["slices"] == [[0.3, 0.5], [0.9, 0.7]]
    assert lines["tracks"] == [[0.8, 1.0]]
    assert axes.collections[0].get_sizes().tolist() == [50, 150]


@pytest.mark.parametrize("name", FIGURES)
def test_equal_data_give_equal_bytes(name, tmp_path):
    for file in ("a.png", "b.png"):
        save_figure(tmp_path / file, draw_all()[name])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
