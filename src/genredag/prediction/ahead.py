"""Songs rendered in other processes, ahead of the model that predicts them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

from genredag.prediction.fetching import Limits
from genredag.prediction.rendering import RenderedSong, Rendering, Source, render_or_reason
from genredag.prediction.song import UnreadableSong

Rendered = list[RenderedSong] | UnreadableSong
# Songs that each process may be ahead. Without a limit, all songs could end up in memory: `joblib.Parallel`
# goes on although its results are not taken.
AHEAD = 3


def render_ahead(
    sources: Iterable[Source], renderings: Sequence[Rendering], limits: Limits, n_jobs: int
) -> Iterator[Rendered]:
    """Yield the songs as each rendering wants them, in order; `n_jobs` processes render ahead.

    If a decoder crashes in another process, the song that it crashes on is unreadable.
    """
    if n_jobs == 1:
        yield from (render_or_reason(source, renderings, limits) for source in sources)
        return
    waiting: deque[tuple[Source, Future[Rendered]]] = deque()
    rest = iter(sources)
    try:
        while True:
            while len(waiting) < AHEAD * n_jobs and (source := next(rest, None)) is not None:
                waiting.append((source, _submit(n_jobs, source, renderings, limits)))
            if not waiting:
                return
            source, future = waiting.popleft()
            try:
                yield future.result()
            except BrokenProcessPool:  # of this song or of one of those that wait
                again = [other for other, _ in waiting]
                yield _rendered_alone(source, renderings, limits)
                waiting = deque((other, _submit(n_jobs, other, renderings, limits)) for other in again)
    finally:
        for _, future in waiting:
            future.cancel()


def _submit(n_jobs: int, source: Source, renderings: Sequence[Rendering], limits: Limits) -> Future[Rendered]:
    from joblib.externals.loky import get_reusable_executor

    return get_reusable_executor(n_jobs).submit(render_or_reason, source, renderings, limits)


def _rendered_alone(source: Source, renderings: Sequence[Rendering], limits: Limits) -> Rendered:
    from joblib.externals.loky import ProcessPoolExecutor

    with ProcessPoolExecutor(1) as pool:
        try:
            return pool.submit(render_or_reason, source, renderings, limits).result()
        except BrokenProcessPool:
            return UnreadableSong(str(source), "the decoder crashed, or ran out of memory")
