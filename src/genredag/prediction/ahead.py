"""Songs rendered in other processes, ahead of the model that predicts them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from genredag.prediction.fetching import Limits
from genredag.prediction.rendering import RenderedSong, Rendering, Source, render_or_reason
from genredag.prediction.song import UnreadableSong


def render_ahead(
    sources: Sequence[Source], renderings: Sequence[Rendering], limits: Limits, n_jobs: int
) -> Iterator[list[RenderedSong] | UnreadableSong]:
    """Yield the songs as each rendering wants them, in order; `n_jobs` processes render ahead.

    If a decoder crashes, the song that it crashes on is unreadable, and the others are rendered.
    """
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    rest = list(sources)
    while rest:
        jobs = (delayed(render_or_reason)(source, renderings, limits) for source in rest)
        done = 0
        try:
            with parallel_config("loky", inner_max_num_threads=1):
                for found in Parallel(n_jobs, return_as="generator", pre_dispatch="2*n_jobs")(jobs):
                    done += 1
                    yield found
            return
        except (TerminatedWorkerError, BrokenProcessPool):
            # The culprit is this song or one of the next few. Render this one alone, and try again.
            rest = rest[done:]
            yield _rendered_alone(rest.pop(0), renderings, limits)


def _rendered_alone(
    source: Source, renderings: Sequence[Rendering], limits: Limits
) -> list[RenderedSong] | UnreadableSong:
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(render_or_reason, source, renderings, limits).result()
        except BrokenProcessPool:
            return UnreadableSong(str(source), "the decoder crashed, or ran out of memory")
