"""What visitors of the app may ask for, and the errors when they ask for more."""

from __future__ import annotations

from dataclasses import dataclass

from genredag.errors import DataError, GenredagError


@dataclass(frozen=True)
class Limits:
    """Limits of the app.

    Attributes
    ----------
    upload_bytes
        Size of a song's file.
    song_seconds
        Length of a song.
    job_seconds
        Time that decoding or predicting a song may take.
    receive_seconds
        Time that an upload may take.
    waiting
        Number of jobs, and of uploads, that may be unfinished at a time.
    songs
        Number of songs kept; the one that was not used for longest is removed first.
    keep_seconds
        How long an unused song is kept.
    """

    upload_bytes: int = 100 * 2**20
    song_seconds: float = 30 * 60
    job_seconds: float = 300
    receive_seconds: float = 600
    waiting: int = 8
    songs: int = 24
    keep_seconds: float = 30 * 60


class TooLargeError(DataError):
    """The file is larger than the app accepts."""

    status = 413

    @classmethod
    def of(cls, limits: Limits) -> TooLargeError:
        """Return the error, with the limit in words."""
        return cls(
            f"larger than {limits.upload_bytes / 2**20:.0f} MB",
            hint="cut the song, compress it, or start the app with a larger --max-upload-mb",
        )


class TooLongError(DataError):
    """The song is longer than the app accepts."""

    status = 413


class ExpiredError(DataError):
    """The song, the model or the address is unknown."""

    status = 404


class BusyError(GenredagError):
    """Too many jobs are waiting."""

    status = 503


class OverdueError(GenredagError):
    """A job took too long, and was stopped."""

    status = 504


def status_of(error: GenredagError) -> int:
    """Return the HTTP status for an error: 422 (unusable content) unless its class says otherwise."""
    return getattr(error, "status", 422)
