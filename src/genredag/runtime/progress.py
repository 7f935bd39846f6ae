"""Progress of long loops: a bar on a terminal, otherwise a log line for every ten per cent."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)


def progress(items: Iterable[T], description: str, total: int) -> Iterator[T]:
    """Yield `items` and report on stderr how many of `total` are done; the bar also shows the time left."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, desc=description, total=total, unit="", dynamic_ncols=True)
        return
    tenth = -1
    for done, item in enumerate(items, start=1):
        yield item
        if total and done * 10 // total > tenth:
            tenth = done * 10 // total
            logger.info("%s: %d of %d", description, done, total)
