"""Work on songs in other processes, ahead of the process that takes the results."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from genredag.prediction.fetching import Limits
from genredag.prediction.rendering import RenderedSong, Rendering, Source, render_or_reason
from genredag.prediction.song import UnreadableSong

if TYPE_CHECKING:
    from joblib.externals.loky import ProcessPoolExecutor

Rendered = list[RenderedSong] | UnreadableSong
Found = TypeVar("Found")
# Songs that each process may be ahead. Without a limit, all songs could end up in memory: `joblib.Parallel`
# goes on although its results are not taken. With more than two, some would wait outside of loky's queue, and
# loky prints a traceback when it is stopped then.
AHEAD = 2
# A process without work for so long ends, also if the main process was killed. It is started again if needed.
IDLE_SECONDS = 10


def render_ahead(
    sources: Iterable[Source], renderings: Sequence[Rendering], limits: Limits, n_jobs: int
) -> Iterator[Rendered]:
    """Yield the songs as each rendering wants them, in order; `n_jobs` processes render ahead."""
    return work_ahead(sources, partial(render_or_reason, renderings=renderings, limits=limits), n_jobs)


def work_ahead(
    sources: Iterable[Source], work: Callable[[Source], Found | UnreadableSong], n_jobs: int
) -> Iterator[Found | UnreadableSong]:
    """Yield what `work` returns for each song, in order; `n_jobs` processes work ahead.

    If a decoder crashes in another process, the song that it crashes on is unreadable.
    """
    if n_jobs == 1:
        yield from map(work, sources)
        return
    pool = _processes(n_jobs)
    waiting: deque[tuple[Source, Future[Found | UnreadableSong]]] = deque()

    def submit(source: Source) -> None:
        nonlocal pool
        try:
            future = pool.submit(work, source)
        except BrokenProcessPool:
            pool = _processes(n_jobs)
            future = pool.submit(work, source)
        waiting.append((source, future))

    rest = iter(sources)
    try:
        while True:
            while len(waiting) < AHEAD * n_jobs and (source := next(rest, None)) is not None:
                submit(source)
            if not waiting:
                return
            source, future = waiting.popleft()
            try:
                yield future.result()
            except BrokenProcessPool:  # of this song or of one of those that wait
                again = [other for other, _ in waiting]
                waiting.clear()
                yield _done_alone(work, source)
                for other in again:
                    submit(other)
    finally:
        pool.shutdown(kill_workers=bool(waiting))


def _processes(n: int) -> ProcessPoolExecutor:
    """Start a pool that ends with this batch: joblib's own is for its own calls, and for those of users."""
    from joblib.externals.loky import ProcessPoolExecutor

    return ProcessPoolExecutor(n, timeout=IDLE_SECONDS, initializer=_leave_interrupts)


def _leave_interrupts() -> None:
    """Leave Ctrl-C to the main process, which then ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _done_alone(work: Callable[[Source], Found | UnreadableSong], source: Source) -> Found | UnreadableSong:
    with _processes(1) as pool:
        try:
            return pool.submit(work, source).result()
        except BrokenProcessPool:
            return UnreadableSong(str(source), "the decoder crashed, or ran out of memory")
