"""Jobs: one at a time, in another process, so that a song can neither block nor crash the app."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar, TypeVarTuple, Unpack

import anyio
from anyio import to_process, to_thread

from genredag.errors import DataError
from genredag.prediction.app.limits import BusyError, Limits, OverdueError

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class Caller(Protocol):
    """Runs a function elsewhere and waits for its result."""

    def __call__(
        self, function: Callable[[Unpack[Arguments]], Result], *arguments: *Arguments
    ) -> Awaitable[Result]:
        """Return the result of ``function(*arguments)``."""
        ...


async def in_process(function: Callable[[Unpack[Arguments]], Result], *arguments: *Arguments) -> Result:
    """Run a function in a worker process, which is killed if the caller stops waiting.

    The process remains for the next call, with the models that it loaded.
    """
    return await to_process.run_sync(function, *arguments, cancellable=True)


async def in_thread(function: Callable[[Unpack[Arguments]], Result], *arguments: *Arguments) -> Result:
    """Run a function in a thread of the app."""
    return await to_thread.run_sync(functools.partial(function, *arguments), abandon_on_cancel=True)


class Jobs:
    """A queue of jobs.

    Parameters
    ----------
    limits
        How many jobs may wait, and how long one may take.
    call
        Where jobs run.
    """

    def __init__(self, limits: Limits, call: Caller = in_process) -> None:
        self._limits, self._call = limits, call
        self._turn = anyio.Lock()
        self._unfinished = 0

    async def run(self, function: Callable[[Unpack[Arguments]], Result], *arguments: *Arguments) -> Result:
        """Wait for the jobs before this one, then run it.

        Raises
        ------
        BusyError
            Too many jobs are waiting.
        OverdueError
            The job took too long.
        DataError
            The process of the job died.
        """
        if self._unfinished >= self._limits.waiting:
            raise BusyError("the app is busy with other songs", hint="try again in a minute")
        self._unfinished += 1
        try:
            async with self._turn:
                with anyio.fail_after(self._limits.job_seconds):
                    return await self._call(function, *arguments)
        except TimeoutError:
            raise OverdueError(
                f"not done after {self._limits.job_seconds:.0f} s", hint="try a shorter song"
            ) from None
        except anyio.BrokenWorkerProcess:
            raise DataError(
                "the process that was working on it died", hint="the file may be damaged: convert it to WAV"
            ) from None
        finally:
            self._unfinished -= 1
