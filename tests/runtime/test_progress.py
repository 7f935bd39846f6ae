"""Progress in a log: lines now and then, with the time left."""

from __future__ import annotations

import logging

import pytest

from genredag.runtime.progress import SECONDS, progress


@pytest.fixture
def messages(monkeypatch, caplog):
    """Return ``messages(n_items, seconds)``: what is logged if each item takes `seconds`."""

    def of(n_items, seconds):
        clock = [0.0]

        def items():
            for item in range(n_items):
                clock[0] += seconds
                yield item

        monkeypatch.setattr("genredag.runtime.progress.time.monotonic", lambda: clock[0])
        with caplog.at_level(logging.INFO):
            assert list(progress(items(), "tracks decoded", n_items)) == list(range(n_items))
        return caplog.messages

    return of


def test_a_short_loop_says_nothing(messages):
    assert messages(100, 0.9 * SECONDS / 100) == []


def test_a_long_loop_says_now_and_then_how_long_it_takes(messages):
    assert messages(10, 10.0) == [
        "tracks decoded: 2 of 10, 0:01:20 left",
        "tracks decoded: 4 of 10, 0:01:00 left",
        "tracks decoded: 6 of 10, 0:00:40 left",
        "tracks decoded: 8 of 10, 0:00:20 left",
    ]


def test_nothing_is_said_of_the_end(messages):
    assert messages(1, 10 * SECONDS) == []
