import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from genredag.evaluation.plots import (
    confusion_figure,
    draw_learning_curves,
    learning_curves_figure,
    reliability_figure,
    roc_figure,
    run_figures,
    save_figure,
)
from genredag.evaluation.themes import FILE
from genredag.report.svg import PAGE

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
THEMES = [pytest.param(FILE, id="file"), pytest.param(PAGE, id="page")]
FIGURES = ("confusion_matrix", "learning_curves", "roc_curves", "reliability_diagram")


def draw_all():
    tables = {"confusion": CONFUSION, "roc": ROC, "reliability": RELIABILITY}
    return run_figures(tables, HISTORY, NAMES)


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts] + [
        t.get_text() for t in figure.texts
    ]


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_confusion_counts_and_shares():
    figure = confusion_figure(CONFUSION, NAMES)
    axes = figure.axes[0]
    assert texts(figure) == ["1\n50%", "1\n50%", "", "", "1\n100%", "", "", "", ""]
    assert [label.get_text() for label in axes.get_yticklabels()] == NAMES
    assert axes.get_title() == "2 of 3 test tracks correct"
    np.testing.assert_allclose(axes.collections[0].get_array(), [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 0]])


def test_colours_of_confusion_matrices_mean_the_same_in_each():
    figure = confusion_figure(CONFUSION[:1], NAMES)
    assert figure.axes[0].collections[0].get_clim() == (0, 1)
    figure.draw_without_rendering()
    matrix, bar = (axes.get_window_extent() for axes in figure.axes)
    assert 0.5 * matrix.height < bar.height <= matrix.height


@pytest.mark.parametrize("draw", [lambda: roc_figure(ROC), lambda: reliability_figure(RELIABILITY)])
def test_the_diagonal_crosses_the_whole_axes(draw):
    (axes,) = draw().axes
    diagonal = axes.lines[0].get_xydata().tolist()
    assert diagonal == [[0, 0], [1, 1]]
    assert [*axes.get_xlim(), *axes.get_ylim()] == pytest.approx([0, 1, 0, 1], abs=0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_each_run_has_a_line_with_its_kept_epoch_marked(theme):
    _, axes = theme.axes(360, 230)
    draw_learning_curves(axes, [HISTORY, HISTORY.iloc[:1]], "loss", theme)
    assert len(axes.lines) == 2 * 3
    marks = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() == "o"]
    assert marks == [[[2, 1.5]], [[1, 2.1]]]
    assert legend(axes) == ["training", "validation", "weights kept"]


def test_one_run_has_a_panel_of_loss_and_one_of_accuracy():
    for axes, name in zip(learning_curves_figure(HISTORY).axes, ("loss", "accuracy"), strict=True):
        lines = {line.get_label(): line.get_ydata() for line in axes.lines}
        np.testing.assert_array_equal(lines["training"], HISTORY[name])
        np.testing.assert_array_equal(lines["validation"], HISTORY[f"val_{name}"])
        assert "weights kept (epoch 2)" in lines
        assert axes.get_ylim()[0] == 0
        assert name == "loss" or axes.get_ylim()[1] == 1


def test_a_network_of_one_epoch_has_panels_and_one_run_has_thicker_lines():
    first, _ = learning_curves_figure(HISTORY.iloc[:1]).axes
    _, several = FILE.axes(360, 230)
    draw_learning_curves(several, [HISTORY, HISTORY], "loss", FILE)
    assert first.lines[0].get_linewidth() > several.lines[0].get_linewidth()


def test_an_estimator_has_no_curves():
    figure = learning_curves_figure(HISTORY.iloc[:1].assign(learning_rate=np.nan))
    assert figure.axes == []
    assert texts(figure) == [
        "Fitted at once, without epochs\n"
        "training: loss 2.000, accuracy 20.0%\n"
        "validation: loss 2.100, accuracy 20.0%"
    ]
    with_curves = learning_curves_figure(HISTORY)
    np.testing.assert_allclose(figure.get_size_inches(), with_curves.get_size_inches(), atol=0.05)


def test_roc_names_every_genre_with_its_area():
    axes = roc_figure(ROC).axes[0]
    assert legend(axes) == ["chance", "blues: area 0.75"]
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), ROC["tpr"])


def test_roc_names_only_the_requested_genres():
    roc = pd.concat([ROC.assign(genre=name) for name in NAMES])
    axes = roc_figure(roc, PAGE, ["rock", "blues"]).axes[0]
    assert set(legend(axes)) == {"chance", "rock: area 0.75", "blues: area 0.75"}
    blues, jazz, rock = axes.lines[1:]
    assert (rock.get_color(), rock.get_linestyle()) == (PAGE.series[0], "-")
    assert (blues.get_color(), blues.get_linestyle()) == (PAGE.series[1], "--")
    assert jazz.get_color() == PAGE.line


def test_no_two_of_thirty_genres_look_alike():
    roc = pd.concat([ROC.assign(genre=f"g{i}") for i in range(30)])
    lines = roc_figure(roc).axes[0].lines[1:]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 30


@pytest.mark.parametrize("theme", THEMES)
def test_reliability_shows_both_levels_with_marks_sized_by_count(theme):
    (axes,) = reliability_figure(RELIABILITY, theme).axes
    slices, tracks = axes.collections
    assert (axes.get_xlim()[0], axes.get_ylim()[0]) == (0, 0)
    assert slices.get_facecolor().tolist() != tracks.get_facecolor().tolist()
    assert slices.get_offsets().tolist() == [[0.3, 0.5], [0.9, 0.7]]
    assert slices.get_sizes()[0] < slices.get_sizes()[1]
    assert tracks.get_offsets().tolist() == [[0.8, 1.0]]


@pytest.mark.parametrize("name", FIGURES)
def test_equal_data_give_equal_bytes(name, tmp_path):
    for file in ("a.png", "b.png"):
        save_figure(tmp_path / file, draw_all()[name])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


STRANGE = ["$x_$", "_y_", "$\\frac{$", "\u65e5\u672c\u8a9e", "\U0001f3b8", "a<b>&c"]


def many_of(names: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tracks that are all classified correctly, and an ROC curve per genre."""
    points = [pd.DataFrame({"genre": name, "fpr": [0, 0.2, 1], "tpr": [0, 0.8, 1]}) for name in names]
    return pd.DataFrame({"actual": names, "predicted": names}), pd.concat(points)


@pytest.mark.filterwarnings("ignore:Glyph")
def test_names_of_genres_are_literal_text(tmp_path):
    confusion, roc = many_of(STRANGE)
    matrix, curves = confusion_figure(confusion, STRANGE), roc_figure(roc)
    save_figure(tmp_path / "confusion.png", matrix)
    save_figure(tmp_path / "roc.png", curves)
    assert [label.get_text() for label in matrix.axes[0].get_xticklabels()] == STRANGE
    assert not any(text.get_parse_math() for figure in (matrix, curves) for text in figure.findobj(Text))
    legend = [text.get_text().strip() for text in curves.axes[0].get_legend().get_texts()]
    assert legend == ["chance", *(f"{name}: area 0.80" for name in STRANGE)]


@pytest.mark.parametrize("n_genres", [2, 50])
def test_figures_are_legible_for_few_and_many_genres(n_genres):
    names = [f"genre {i:02d}" for i in range(n_genres)]
    confusion, roc = many_of(names)
    matrix, curves = confusion_figure(confusion, names), roc_figure(roc)
    for figure in (matrix, curves):
        figure.draw_without_rendering()
    cell = matrix.axes[0].get_window_extent().height / n_genres
    assert cell > 1.5 * 8 / 72 * matrix.dpi  # two lines of 8 points nearly fit
    legend, page = curves.axes[0].get_legend().get_window_extent(), curves.bbox
    assert legend.height <= page.height
    plot = curves.axes[0].get_window_extent()
    assert plot.width > 0.3 * page.width
    assert legend.x0 >= plot.x1
