"""Files are complete or absent."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from genredag.errors import ParameterError
from genredag.runtime import files
from genredag.runtime.files import (
    atomic_path,
    check_outputs,
    check_writable,
    is_temporary,
    write_csv,
    write_json,
    write_parquet,
)

# Writes half of a file, says so, and waits for its end.
HALF = """
import sys
from pathlib import Path
from genredag.runtime.files import atomic_path

with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print(temporary, flush=True)
    sys.stdin.read()
"""


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    target = tmp_path / "deep" / "model.weights.h5"
    with atomic_path(target) as temporary:
        temporary.write_text("half")
        assert temporary.name.endswith(".model.weights.h5")
        assert not target.exists()
    assert target.read_text() == "half"
    assert list(target.parent.iterdir()) == [target]


def test_a_failure_leaves_the_old_file(tmp_path):
    target = tmp_path / "metrics.json"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("metrics.json", "old")]


def test_json_keeps_its_order_and_refuses_nan(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "ü"})
    assert list(json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))) == ["b", "a"]
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "a.json", float("nan"))
    assert (tmp_path / "a.json").read_text(encoding="utf-8").startswith("{")


def test_tables_come_back_equal_and_byte_for_byte_the_same(tmp_path):
    table = pd.DataFrame({"track_id": ["a", "b"], "n": [1, 2]})
    for name in ("one", "two"):
        write_parquet(tmp_path / f"{name}.parquet", table)
        write_csv(tmp_path / f"{name}.csv", table)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "one.parquet"), table, check_dtype=False)
    assert (tmp_path / "one.csv").read_bytes() == b"track_id,n\na,1\nb,2\n"
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path):
    target = tmp_path / f"{'é' * 125}.csv"  # 254 bytes
    with atomic_path(target) as temporary:
        assert temporary.suffix == ".csv"
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path):
    (tmp_path / "songs").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        write_json(tmp_path / "songs", {})
    assert caught.value.filename == str(tmp_path / "songs")
    assert [path.name for path in tmp_path.iterdir()] == ["songs"]


def test_a_device_is_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match="not a regular file"):
        write_json(tmp_path / "pipe", {})
    assert [path.name for path in tmp_path.iterdir() if path.is_fifo()] == ["pipe"]


@contextmanager
def another_writer(path):
    """Run a process that is writing a file; yield it and its temporary file."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HALF, path], **pipes) as process:
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_what_a_dead_process_left_is_removed_and_what_a_live_one_writes_is_kept(tmp_path):
    users = tmp_path / ".0123456789abcdef"
    users.touch()
    with another_writer(tmp_path / "frames.npy") as (process, temporary):
        write_json(tmp_path / "first.json", {})
        assert temporary.is_file() and is_temporary(temporary)
        process.kill()
        process.wait()
        write_json(tmp_path / "second.json", {})
        assert sorted(path.name for path in tmp_path.iterdir()) == [users.name, "first.json", "second.json"]


def test_another_computers_file_is_removed_when_it_has_not_grown_for_a_day(tmp_path, monkeypatch):
    paths = [tmp_path / f".{i:016x}.frames.npy" for i in range(2)]
    for path in paths:
        path.touch()
    os.utime(paths[0], (time.time() - 25 * 3600,) * 2)
    write_json(tmp_path / "frames.json", {})
    assert [path.exists() for path in paths] == [False, True]


def test_a_folder_is_written_to_where_locks_are_unknown(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files.fcntl, "flock", refuse)
    left = tmp_path / f".{files._this_computer()}01234567.a.json"
    left.touch()
    write_json(tmp_path / "a.json", {})
    assert left.exists() and (tmp_path / "a.json").is_file()


@pytest.mark.parametrize("free", [0, 1 << 30])
@pytest.mark.parametrize("raised", [RuntimeError("System error."), OSError("10 requested and 3 written")])
def test_a_full_disk_is_named_even_if_the_writer_does_not(tmp_path, monkeypatch, free, raised):
    usage = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: usage)
    target = tmp_path / "a.flac"
    with pytest.raises((OSError, RuntimeError)) as caught, atomic_path(target) as temporary:
        temporary.write_text("half")
        raise raised
    if free:
        assert caught.value is raised
    else:
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(target))
    assert list(tmp_path.iterdir()) == []


def test_a_locked_folder_is_named_even_if_the_writer_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "access", lambda path, mode: Path(path) != tmp_path)
    message = f"can't be written to: '{tmp_path}'"
    with pytest.raises(PermissionError, match=re.escape(message)), atomic_path(tmp_path / "a.flac"):
        raise RuntimeError("Error opening: System error.")


def test_an_error_of_writing_names_the_file_and_one_of_reading_keeps_its_own(tmp_path):
    for given, named in (
        (OSError(errno.ENOSPC, "full"), str(tmp_path / "a.csv")),
        (OSError(errno.EIO, "broken"), None),
        (FileNotFoundError(errno.ENOENT, "gone", "input.wav"), "input.wav"),
    ):
        with pytest.raises(OSError, match=given.strerror) as caught, atomic_path(tmp_path / "a.csv"):
            raise given
        assert caught.value.filename == named


def test_outputs_are_files_and_no_inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    song, link = tmp_path / "song.csv", tmp_path / "link.csv"
    song.touch()
    link.symlink_to(song)
    check_outputs([song, tmp_path / "new/a.csv"], [tmp_path / "b.csv"])
    with pytest.raises(ParameterError, match=r"song\.csv: would be overwritten, but is read"):
        check_outputs([Path("song.csv")], [link])
    for path in (Path(), tmp_path, Path("/dev/null")):
        with pytest.raises(ParameterError, match=r"can't be written; expected the path of a file"):
            check_outputs([path], [])


def test_folders_are_checked_before_the_work(tmp_path, monkeypatch):
    check_writable([tmp_path / "data/synthetic", tmp_path])
    (tmp_path / "results").touch()
    with pytest.raises(NotADirectoryError) as caught:
        check_writable([tmp_path / "results/synthetic"])
    assert caught.value.filename == str(tmp_path / "results")
    monkeypatch.setattr(files.os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(PermissionError, match="can't be written to") as caught:
        check_writable([tmp_path / "data/synthetic"])
    assert caught.value.filename == str(tmp_path)
