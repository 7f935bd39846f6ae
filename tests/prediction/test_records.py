import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from genredag.errors import ParameterError
from genredag.prediction.records import (
    SCHEMA,
    audacity_text,
    check_formats,
    file_names,
    render_text,
    segments,
    song_record,
    write_files,
)
from genredag.prediction.song import SongPrediction, Timeline, Trust, UnreadableSong

NAMES = ("blues", "jazz", "rock")
SLICES = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.5, 0.4, 0.1]], np.float32)
SONG = SongPrediction(
    "music/a, b.mp3",
    NAMES,
    SLICES.mean(axis=0, dtype=np.float64),
    Timeline(np.array([0.0, 1.5, 3.0, 4.5]), np.array([3.0, 4.5, 6.0, 7.2]), SLICES),
    7.2,
    Trust(("blues", "rock"), 0.9, False, True),
)
BAD = UnreadableSong("music/bad.mp3", "no samples")
COLUMNS = [
    *("schema", "source", "status", "reason", "genre", "probability", "second", "second_probability"),
    *("third", "third_probability", "set", "coverage", "unsure", "unlike_training", "seconds", "n_slices"),
    *("models", "p_blues", "p_jazz", "p_rock", "led_blues", "led_jazz", "led_rock"),
]


def test_columns_are_the_documented_ones(project_dir):
    for song in (SONG, BAD):
        assert list(song_record(song, NAMES, "svm on mel")) == COLUMNS
    page = (project_dir / "docs/predict.md").read_text(encoding="utf-8")
    assert f"`schema` | {SCHEMA}" in page.replace("  ", "")
    for column in COLUMNS[:17]:
        assert f"`{column}`" in page, column


def test_parts_adjoin_and_span_the_song():
    starts, ends, genres = zip(*segments(SONG), strict=True)
    assert starts == pytest.approx((0, 3.75, 5.175)) and ends == pytest.approx((3.75, 5.175, 7.2))
    assert genres == ("blues", "rock", "blues")
    assert audacity_text(SONG) == (
        "0.000000\t3.750000\tblues\n3.750000\t5.175000\trock\n5.175000\t7.200000\tblues\n"
    )


def test_csv():
    rows = list(csv.DictReader(io.StringIO(render_text("csv", [SONG, BAD], NAMES, "m", False))))
    assert list(rows[0]) == COLUMNS
    assert rows[0]["genre"] == "blues" and rows[0]["set"] == "blues; rock"
    assert float(rows[0]["p_blues"]) == SONG.probabilities[0]  # all digits
    assert (rows[0]["unsure"], rows[0]["unlike_training"]) == ("false", "true")
    assert rows[0]["led_blues"] == "0.75"
    bad = {key: rows[1][key] for key in ("status", "reason", "p_blues")}
    assert bad == {"status": "unreadable", "reason": "no samples", "p_blues": ""}


def test_json_and_its_lines():
    songs = json.loads(render_text("json", [SONG, BAD], NAMES, "m", True))
    lines = render_text("jsonl", [SONG, BAD], NAMES, "m", True).splitlines()
    assert [json.loads(line) for line in lines] == songs
    assert songs[0]["set"] == ["blues", "rock"]
    assert songs[0]["probabilities"]["blues"] == SONG.probabilities[0]
    assert [part["genre"] for part in songs[0]["timeline"]] == ["blues", "blues", "rock", "blues"]
    assert songs[1]["probabilities"] is None and songs[1]["timeline"] == []
    assert "timeline" not in json.loads(render_text("json", [SONG], NAMES, "m", False))[0]


def test_all_formats_are_written_at_once(tmp_path):
    formats = check_formats(["parquet", "csv", "json", "jsonl", "audacity", "table"], tmp_path / "out")
    written = write_files(tmp_path / "deep" / "out.1", formats, [SONG, BAD, SONG], NAMES, "m", True)
    assert len(written) == 7 and written[-1] == tmp_path / "deep" / "out.1.audacity"
    names = {
        path.relative_to(tmp_path / "deep").as_posix() for path in tmp_path.rglob("*.*") if path.is_file()
    }
    assert names == {
        *("out.1.json", "out.1.jsonl", "out.1.csv", "out.1.timeline.csv", "out.1.parquet"),
        *("out.1.timeline.parquet", "out.1.audacity/a_ b.txt", "out.1.audacity/a_ b (2).txt"),
    }
    table = pd.read_parquet(tmp_path / "deep" / "out.1.parquet")
    assert list(table) == COLUMNS
    assert table["p_rock"].dtype == np.float64 and table["p_rock"][0] == SONG.probabilities[2]
    assert len(pd.read_csv(tmp_path / "deep" / "out.1.timeline.csv")) == 8
    assert len(pd.read_parquet(tmp_path / "deep" / "out.1.timeline.parquet")) == 8


def test_types_of_parquet_do_not_depend_on_the_songs(tmp_path):
    import pyarrow.parquet as pq

    for stem, songs in (("a", [BAD]), ("b", [SONG])):
        write_files(tmp_path / stem, ["parquet"], songs, NAMES, "m", False)
    assert pq.read_schema(tmp_path / "a.parquet") == pq.read_schema(tmp_path / "b.parquet")


@pytest.mark.parametrize("formats", [["yaml"], ["json", "csv"], ["parquet"], ["table", "json"]])
def test_formats_that_cannot_be_printed_are_refused(formats):
    with pytest.raises(ParameterError, match="--format"):
        check_formats(formats, None)


def test_without_a_format_the_suffix_of_the_output_says_it(tmp_path):
    assert check_formats(None, None) == ["table"]
    assert check_formats(None, tmp_path / "a.parquet") == ["table", "parquet"]
    for formats in (None, ["table"]):
        with pytest.raises(
            ParameterError,
            match=r"--output .*/music: no format to write. Hint: --format csv writes .*/music\.csv",
        ):
            check_formats(formats, tmp_path / "music")


def test_names_of_files_are_unique_and_stay_in_their_folder():
    sources = ["x/a.mp3", "y/A.mp3", "http://example.org/../..%2Fa?b=/c.mp3", "...", "b/c\n|d.mp3"]
    names = file_names(sources)
    assert len({name.lower() for name in names}) == len(sources)
    assert not any({"/", "\n", "|"} & set(name) for name in names)
    assert all(name.strip(".") for name in names)
