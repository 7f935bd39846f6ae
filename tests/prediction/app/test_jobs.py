"""Jobs that take too long, die, or queue."""

from __future__ import annotations

import os
import time

import anyio

from genredag.errors import DataError
from genredag.prediction.app.jobs import Jobs, in_process
from genredag.prediction.app.limits import Limits, OverdueError, TooLongError
from genredag.prediction.app.picture import draw


def run(*calls):
    """Run calls ``(seconds, function, *arguments)`` in turn, and return their results or errors."""

    async def main():
        found = []
        for seconds, function, *arguments in calls:
            try:
                found.append(await Jobs(Limits(job_seconds=seconds), in_process).run(function, *arguments))
            except (OverdueError, DataError) as error:
                found.append(error)
        return found

    return anyio.run(main)


def test_a_job_that_takes_too_long_is_killed_and_the_next_one_runs():
    overdue, after = run((0.5, time.sleep, 600), (60, os.path.basename, "a/b"))
    assert isinstance(overdue, OverdueError)
    assert after == "b"


def test_a_job_that_dies_is_an_error_and_the_next_one_runs():
    died, after = run((60, os._exit, 3), (60, os.path.basename, "a/b"))
    assert isinstance(died, DataError)
    assert "died" in died.what
    assert after == "b"


def test_errors_keep_their_kind_and_words(song):
    (error,) = run((60, draw, song, 3.0))
    assert isinstance(error, TooLongError)
    assert error.what == "longer than 0.05 minutes"


def test_a_worker_keeps_what_it_loaded():
    first, second = run((60, os.getpid), (60, os.getpid))
    assert first == second != os.getpid()
