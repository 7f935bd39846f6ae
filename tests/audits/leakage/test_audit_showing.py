"""The audit's page and figure show every number, and the reasons for omissions."""

import pandas as pd
import pytest

from genredag.audits.leakage.showing import worth_figure, worth_markdown
from genredag.audits.leakage.worth import MISTAKES, worth_table


@pytest.fixture
def table(outcomes_table, group):
    tables = [outcomes_table("by_artist", [1, 0, 1, 0]), outcomes_table("leaky_slices", [1, 1, 1, 0])]
    tables += [tables[0].assign(selection="test", hits=[1, 1, 1, 0])]
    left_out = {"dataset": "toy", "split": "by_track", "warning": "no tracks"}
    tables += [pd.DataFrame([left_out], columns=tables[0].columns)]
    return worth_table(pd.concat(tables), group.split, 200)


def test_counts_read_from_csv_are_integers(table, tmp_path):
    table.to_csv(tmp_path / "table.csv", index=False)
    page = worth_markdown(pd.read_csv(tmp_path / "table.csv").fillna({"note": ""}))
    assert page == worth_markdown(table)


def test_the_page_has_the_numbers_and_the_reasons(table, squeezed):
    page = squeezed(worth_markdown(table))
    assert "## toy, accuracy of tracks (%)" in page
    line = next(line for line in page.splitlines() if line.startswith("| selected on test (artists)"))
    assert line.startswith("| selected on test (artists) | svm | +25.0 (")
    assert line.endswith("| 4 | 1 |")
    assert "LEAKY: with" in page
    assert "Left out: by_track: no tracks" in page


def test_the_figure_has_a_row_for_each_mistake_and_a_panel_for_each_level(table):
    figure = worth_figure(table)
    axes = figure.axes
    assert [a.get_title() for a in axes] == ["toy: accuracy of tracks", "toy: accuracy of slices"]
    assert [label.get_text() for label in axes[0].get_yticklabels()] == [m.name for m in MISTAKES]
    assert "LEAKY" in figure.get_suptitle()
    left_out = [text.get_text() for text in axes[0].texts]
    assert left_out.count("left out: see the table") == len(MISTAKES) - 1
    assert all(0 <= text.get_position()[0] < 0.5 for text in axes[0].texts)  # shares of the axes' width
    points = axes[0].containers[0].lines[0].get_xydata()
    assert points[:, 0].tolist() == [25.0]
