"""The robustness figure has a panel per deformation and a line per model; the page shows every number."""

import numpy as np
import pandas as pd
import pytest

from genredag.audits.robustness.scores import COLUMNS
from genredag.audits.robustness.showing import robustness_figure, robustness_markdown

PLACES = [("none", np.nan), ("gain_db", -6.0), ("gain_db", 6.0), ("mp3_kbps", 64.0), ("mp3_kbps", 16.0)]


@pytest.fixture
def table():
    """Return a table of two models with two deformations."""
    rows = []
    for model, best in (("svm", 90.0), ("cnn", 70.0)):
        for i, (kind, strength) in enumerate(PLACES):
            row = {"dataset": "toy", "split": "by_track", "representation": "mel", "model": model}
            row |= {"deformation": kind, "strength": strength, "chance": 10.0, "n_tracks": 50, "warning": ""}
            for level in ("track", "slice"):
                low, high = best - 10 * i - 5, best - 10 * i + 5
                row |= {f"{level}_accuracy": best - 10 * i}
                row |= {f"{level}_accuracy_low": low, f"{level}_accuracy_high": high}
                if kind != "none":
                    row |= {f"{level}_points": -10.0 * i, f"{level}_points_low": -10.0 * i - 4}
                    row |= {f"{level}_points_high": -10.0 * i + 4}
            rows.append(row | {"n_seeds": 1, "n_folds": 1})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_a_panel_runs_from_mild_to_severe_and_shows_chance(table):
    figure = robustness_figure(table)
    mp3, gain = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["MP3", "Gain"]
    assert [axes.get_ylabel() for axes in figure.axes] == ["toy, by_track\ntrack accuracy (%)", ""]
    assert [label.get_text() for label in mp3.get_xticklabels()] == ["none", "64", "16"]
    assert [label.get_text() for label in gain.get_xticklabels()] == ["-6", "none", "6"]
    svm, cnn, chance = mp3.get_lines()
    assert svm.get_label() == "svm on mel"
    assert svm.get_ydata().tolist() == [90, 60, 50]
    assert cnn.get_ydata().tolist() == [70, 40, 30]
    assert svm.get_color() != cnn.get_color()
    assert list(chance.get_ydata()) == [10, 10]
    assert chance.get_linestyle() == "--"
    assert gain.get_lines()[0].get_ydata().tolist() == [80, 90, 70]
    bands = [collection.get_datalim(mp3.transData).intervaly.tolist() for collection in mp3.collections]
    assert bands == [[45, 95], [25, 75]]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["svm on mel", "cnn on mel", "chance"]


def test_data_sets_have_rows_of_their_own(table):
    figure = robustness_figure(pd.concat([table, table.assign(dataset="other", warning="LEAKY: slices")]))
    assert len(figure.axes) == 4
    assert figure.axes[2].get_ylabel().startswith("other, by_track")
    assert figure.get_suptitle().endswith("LEAKY: slices")


def test_the_page_has_every_figure(table, squeezed):
    page = squeezed(robustness_markdown(table))
    assert "## toy, by_track" in page
    assert "50 test tracks, chance 10 %." in page
    assert "| none | | svm | mel | 90.0 (85.0 to 95.0) | | 90.0 (85.0 to 95.0) | |" in page
    assert "| Gain | 6 dB | cnn | mel | 50.0 (45.0 to 55.0) | -20.0 (-24.0 to -16.0) |" in page
    assert page.index("| MP3 | 64 kbit/s") < page.index("| Gain | -6 dB")
    assert page.count("\n|") == 2 + len(table)
    assert "LEAKY" in robustness_markdown(table.assign(warning="LEAKY: slices"))


def test_the_page_of_a_table_read_from_csv_is_the_same(table, tmp_path):
    table.to_csv(tmp_path / "robustness.csv", index=False)
    assert robustness_markdown(pd.read_csv(tmp_path / "robustness.csv")) == robustness_markdown(table)
