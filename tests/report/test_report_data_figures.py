import numpy as np
import pandas as pd

from genredag.report.data_figures import balance_figure, durations_figure, genre_map


def test_balance_counts_usable_and_quarantined_tracks():
    table = pd.DataFrame({"tracks": [3, 5], "quarantined": [0, 2]}, index=["jazz", "rock"])
    axes = balance_figure(table).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [3, 5, 0, 2]
    assert [text.get_text() for text in axes.texts] == ["3", "5 + 2"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["jazz", "rock"]


def test_every_track_is_in_the_histogram():
    seconds = np.array([30.0, 30.0, 29.0, 10.0])
    assert sum(bar.get_height() for bar in durations_figure(seconds).axes[0].patches) == 4


def test_no_two_of_twenty_genres_look_alike():
    genres = np.array([f"genre {i:02}" for i in range(20)])
    lines = genre_map(np.zeros((20, 2)), genres, ("x", "y")).axes[0].lines[:20]
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 20
    assert [line.get_label() for line in lines] == genres.tolist()
