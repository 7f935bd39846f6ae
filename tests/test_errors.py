"""Errors in one line with an exit status; bugs keep their traceback."""

from __future__ import annotations

import errno
import os
import pickle

import pytest

from genredag.errors import (
    DataError,
    GenredagError,
    MissingExtraError,
    ParameterError,
    SlicesTooSmallError,
    UnsuitableDataError,
    exits_cleanly,
    reported_error,
    require,
    without_remedy,
)


def test_a_message_is_one_line_with_place_expectation_and_hint():
    error = DataError("5 of\n10 tracks", where="manifest", expected="at most 1", hint="listen to them")
    assert str(error) == "manifest: 5 of 10 tracks; expected at most 1. Hint: listen to them"


def test_an_interrupt_ends_in_one_line_with_the_status_of_shells(capsys):
    @exits_cleanly
    def main() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as raised:
        main()
    assert raised.value.code == 130
    assert capsys.readouterr().err == "genredag: interrupted\n"


def test_an_error_can_be_pickled():
    error = pickle.loads(pickle.dumps(ParameterError("x", where="a.b", hint="c")))
    assert (type(error), str(error), error.where) == (ParameterError, "a.b: x. Hint: c", "a.b")


@pytest.mark.parametrize(
    ("raised", "line"),
    [
        (GenredagError("no tracks", where="genres/"), "genredag: error: genres/: no tracks\n"),
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "frames.npy"),
            "genredag: error: frames.npy: No space left on device. Hint: free some disk space",
        ),
        (
            FileNotFoundError("a.parquet"),
            "genredag: error: a.parquet: No such file or directory. Hint: check",
        ),
        (
            ModuleNotFoundError("No module named 'matplotlib.figure'", name="matplotlib.figure"),
            "genredag: error: matplotlib is not installed. Hint: pip install 'genredag[report]'\n",
        ),
        (
            MemoryError("Unable to allocate 8.0 GiB"),
            "error: out of memory: Unable to allocate 8.0 GiB. Hint: run",
        ),
        (MemoryError(), "error: out of memory: no details. Hint: run fewer jobs"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "error: out of memory: [Errno 12] Cannot allocate"),
        (
            ImportError("libx.so: failed to map segment from shared object"),
            "error: out of memory: libx.so: failed to map",
        ),
        (type("ResourceExhaustedError", (Exception,), {})("OOM"), "error: out of memory: OOM. Hint"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory"), "error: out of memory: RESOURCE_EXHAUSTED: Out"),
        (
            PermissionError(errno.EACCES, os.strerror(errno.EACCES), "out"),
            "out: Permission denied. Hint: check",
        ),
    ],
)
def test_a_user_error_is_one_line_and_status_2(capsys, raised, line):
    @exits_cleanly
    def main() -> None:
        raise raised

    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert line in (said := capsys.readouterr().err)
    assert said.count("\n") == 1


def test_a_missing_program_is_reported_before_it_is_run(monkeypatch):
    require("snakemake", "dvc")
    monkeypatch.setattr("genredag.errors.find_spec", lambda name: None if name == "dvc" else object())
    with pytest.raises(
        MissingExtraError, match=r"^dvc is not installed\. Hint: pip install 'genredag\[workf"
    ):
        require("snakemake", "dvc")
    assert str(pickle.loads(pickle.dumps(MissingExtraError("jax")))) == str(MissingExtraError("jax"))


@pytest.mark.parametrize(
    "bug", [ValueError("bug"), KeyError("k"), OSError("no errno"), ModuleNotFoundError(name="genredag.nope")]
)
def test_a_bug_keeps_its_traceback(bug):
    @exits_cleanly
    def main() -> None:
        raise bug

    with pytest.raises(type(bug)):
        main()


@pytest.mark.parametrize(
    "raised",
    [
        UnsuitableDataError("no artist", where="manifest", hint="use another split"),
        SlicesTooSmallError("3 frames", where="manifest", expected="at least 4", hint="lengthen them"),
        UnsuitableDataError("3 frames", where="manifest"),
    ],
)
def test_unsuitable_data_have_their_own_status_and_a_readable_reason(capsys, raised):
    @exits_cleanly
    def main() -> None:
        raise raised

    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 3
    error = reported_error(f"genredag: error: an earlier one\n{capsys.readouterr().err}a warning\n")
    assert error == str(raised)
    assert without_remedy(error) == f"manifest: {raised.what}"


def test_a_script_that_reports_nothing_has_no_reason():
    assert reported_error("Traceback (most recent call last):\n") == ""


def test_control_characters_and_odd_bytes_are_written_out(capsys):
    @exits_cleanly
    def main() -> None:
        raise DataError("can't be read", where="a\x1b[31m\udcff.wav")

    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err == "genredag: error: a\\x1b[31m\\udcff.wav: can't be read\n"
