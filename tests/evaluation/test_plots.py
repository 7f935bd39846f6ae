import numpy as np
import pandas as pd
import pytest

from genredag.evaluation.plots import confusion_figure, learning_curves_figure, save_figure

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


@pytest.mark.parametrize(
    "draw", [lambda: confusion_figure(CONFUSION, NAMES), lambda: learning_curves_figure(HISTORY)]
)
def test_equal_data_give_equal_bytes(draw, tmp_path):
    for name in ("a.png", "b.png"):
        save_figure(tmp_path / name, draw())
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
