"""Progress of long loops, with the time left: a bar on a terminal, otherwise a log line now and then."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)
SECONDS = 15.0  # between two log lines; a shorter loop logs none


def progress(items: Iterable[T], description: str, total: int) -> Iterator[T]:
    """Yield `items` and report on stderr how many of `total` are done, and the time left."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, desc=description, total=total, unit="", dynamic_ncols=True)
        return
    started = logged = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - logged >= SECONDS and done < total:
            logged = now
            left = timedelta(seconds=round((now - started) / done * (total - done)))
            logger.info("%s: %d of %d, %s left", description, done, total, left)
