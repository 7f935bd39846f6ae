from __future__ import annotations

import logging

import pandas as pd
import pytest

from genredag.errors import DataError
from genredag.tracks.audio import Probe
from genredag.tracks.manifest import (
    COLUMNS,
    LEFT_OUT,
    LISTED,
    QUARANTINE_COLUMNS,
    assemble,
    check_usable,
    log_left_out,
    quarantine_table,
    quarantined,
    stored_path,
    track_path,
)


def tracks(*ids: str, subsets: tuple[str | None, ...] = ()) -> pd.DataFrame:
    rows = [(track_id, track_id.split(".")[0], None, f"/music/{track_id}.au", None, None) for track_id in ids]
    frame = pd.DataFrame(rows, columns=LISTED)
    return frame.assign(subset=list(subsets)) if subsets else frame


def fine(*hashes: str) -> list[Probe]:
    return [Probe(30.0, 22050, sha256) for sha256 in hashes]


def test_columns_types_and_order():
    manifest = assemble(tracks("rock.1", "blues.0"), fine("x", "y"))
    assert list(manifest.columns) == COLUMNS
    assert manifest["track_id"].tolist() == ["blues.0", "rock.1"]
    assert manifest["sha256"].tolist() == ["y", "x"]
    assert (manifest["duration"].dtype, manifest["sr"].dtype) == ("float64", "int32")
    assert set(manifest["status"]) == {"ok"}
    assert set(manifest["reason"]) == {""}
    assert manifest["artist"].isna().all()


def test_it_survives_parquet(tmp_path):
    manifest = assemble(tracks("rock.1", "blues.0"), fine("x", "y"))
    manifest.to_parquet(tmp_path / "manifest.parquet", index=False)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "manifest.parquet"), manifest)


def test_problems_and_copies_are_quarantined():
    probes = [
        *fine("x"),
        Probe(problem="missing"),
        *fine("x", "z", "y"),
        Probe(1, 1, "z", "silent: peak -inf dBFS"),
    ]
    manifest = assemble(tracks("a.1", "a.2", "a.0", "b.1", "b.2", "a.3"), probes)
    assert dict(zip(manifest["track_id"], manifest["reason"], strict=True)) == {
        "a.0": "",
        "a.1": "duplicate of a.0",
        "a.2": "missing",
        "a.3": "silent: peak -inf dBFS",
        "b.1": "",
        "b.2": "",
    }
    bad = quarantined(manifest)
    assert list(bad.columns) == QUARANTINE_COLUMNS
    assert bad["track_id"].tolist() == ["a.1", "a.2", "a.3"]
    assert (manifest["status"] == "quarantined").tolist() == (manifest["reason"] != "").tolist()


def test_a_copy_in_a_published_split_is_preferred():
    manifest = assemble(tracks("disco.98", "disco.99", subsets=(None, "test")), fine("x", "x"))
    assert manifest["reason"].tolist() == ["duplicate of disco.99", ""]


def test_the_same_audio_under_two_genres_is_a_label_conflict():
    probes = fine("x", "x", "x", "y")
    manifest = assemble(tracks("jazz.1", "jazz.2", "rock.1", "rock.2"), probes)
    assert manifest["reason"].tolist() == [
        "label conflict: the same audio is rock.1 of genre rock",
        "label conflict: the same audio is rock.1 of genre rock",
        "label conflict: the same audio is jazz.1 of genre jazz",
        "",
    ]


def test_a_published_label_wins_a_conflict():
    listed = tracks("jazz.1", "rock.1", subsets=(None, "train"))
    assert assemble(listed, fine("x", "x"))["reason"].tolist() == [
        "label conflict: the same audio is rock.1 of genre rock",
        "",
    ]


def test_a_genre_without_a_usable_track_is_an_error():
    probes = [Probe(problem="unreadable: cut"), *fine(*map(str, range(39)))]
    ids = ["c.0", *(f"{genre}.{index:02d}" for genre in ("a", "b") for index in range(20))][:40]
    with pytest.raises(DataError, match=r"no track of genre c can be used, first c\.0 \(unreadable: cut\)"):
        check_usable(assemble(tracks(*ids), probes), name="toy", max_skipped=0.05)


def test_files_left_out_follow_the_quarantined_tracks(caplog):
    manifest = assemble(tracks("a.1", "b.1"), [Probe(problem="missing"), *fine("x")])
    left_out = pd.DataFrame(
        [(".jpg", "not audio", 2, "a/x.jpg"), (".wav", "hidden", 1, "a/.y.wav")], columns=LEFT_OUT
    )
    table = quarantine_table(manifest, left_out)
    assert table["track_id"].tolist() == ["a.1", "", ""]
    assert table["path"].tolist()[1:] == ["a/x.jpg", "a/.y.wav"]
    assert table["reason"].tolist()[1:] == [
        "2 files left out (.jpg): not audio",
        "1 file left out (.wav): hidden",
    ]
    with caplog.at_level(logging.INFO):
        log_left_out("toy", left_out)
    assert "toy: 2 files left out (.jpg): not audio, as a/x.jpg" in caplog.text
    pd.testing.assert_frame_equal(quarantine_table(manifest, left_out[:0]), quarantined(manifest))


def test_failed_tracks_are_not_copies_of_each_other():
    manifest = assemble(tracks("a.1", "b.1"), [Probe(problem="missing"), Probe(problem="missing")])
    assert manifest["reason"].tolist() == ["missing", "missing"]


def test_a_duplicate_id_is_refused():
    with pytest.raises(DataError, match=r"^a\.1: two tracks have this id"):
        assemble(tracks("a.1", "a.1"), fine("x", "y"))


@pytest.mark.parametrize(("n_bad", "allowed"), [(1, True), (2, False)])
def test_too_many_in_quarantine_is_an_error(n_bad, allowed, caplog):
    ids = [f"{genre}.{index:02d}" for genre in ("a", "b") for index in range(10)]
    probes = [Probe(problem="unreadable: cut")] * n_bad + fine(*map(str, range(20 - n_bad)))
    manifest = assemble(tracks(*ids), probes)
    with caplog.at_level(logging.WARNING):
        if allowed:
            check_usable(manifest, name="toy", max_skipped=0.05)
        else:
            with pytest.raises(
                DataError, match=r"2 of 20 tracks.*a\.00 \(unreadable: cut\); expected at most 5%"
            ):
                check_usable(manifest, name="toy", max_skipped=0.05)
    assert "toy: a.00 is quarantined: unreadable: cut" in caplog.text


def test_the_log_names_only_some_of_many_quarantined_tracks(caplog):
    manifest = assemble(tracks(*(f"a.{index:02d}" for index in range(50))), [Probe(problem="missing")] * 50)
    with caplog.at_level(logging.WARNING), pytest.raises(DataError, match="50 of 50"):
        check_usable(manifest, name="toy", max_skipped=0.5)
    assert len(caplog.records) == 21
    assert "toy: 30 more tracks are quarantined" in caplog.text


def test_one_genre_is_an_error():
    with pytest.raises(DataError, match=r"data set toy: only one genre: rock; expected at least two"):
        check_usable(assemble(tracks("rock.1", "rock.2"), fine("x", "y")), name="toy", max_skipped=0.05)


def test_no_tracks_is_an_error():
    with pytest.raises(DataError, match="data set toy: no tracks"):
        check_usable(assemble(tracks(), []), name="toy", max_skipped=0.05)


def test_paths_in_the_cache_move_with_it(tmp_path):
    inside, outside = tmp_path / "cache/gtzan/a.au", tmp_path / "music/a.au"
    assert stored_path(inside, tmp_path / "cache") == "gtzan/a.au"
    assert stored_path(outside, tmp_path / "cache") == outside.as_posix()
    assert track_path("gtzan/a.au", tmp_path / "elsewhere") == tmp_path / "elsewhere/gtzan/a.au"
    assert track_path(outside.as_posix(), tmp_path / "cache") == outside
