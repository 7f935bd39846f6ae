"""Predictions on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genredag.prediction.records import segments
from genredag.prediction.song import SongPrediction, Trust, UnreadableSong

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from genredag.bundles.card import Card
    from genredag.prediction.trust import Calibration

# More songs than this share one table, with a line for each.
MOST_DETAILED = 10
_BAR, _RIBBON = 24, 60
# What stands for each genre of a timeline, so that it can be read without colours, too.
_LETTERS, _BLOCK = "abcdefghijklmnopqrstuvwxyz", "█"
_COLOURS = (
    *("blue", "yellow", "green", "red", "magenta", "cyan"),
    *("bright_blue", "bright_yellow", "bright_green", "bright_magenta"),
)


def song_view(song: SongPrediction | UnreadableSong, timeline: bool) -> Group | Text:
    """Return the top genres of a song with bars, how far to trust them, and the genres over time."""
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    if isinstance(song, UnreadableSong):
        return Text.assemble((shown_name(song.source), "bold"), f"\n  unreadable: {song.reason}")
    title = Text.assemble((shown_name(song.source), "bold"), f"  {clock(song.duration)}")
    table, led = Table.grid(padding=(0, 2, 0, 0)), song.led()
    table.add_column()
    table.add_column(justify="right")
    for genre, probability in song.top():
        bar = Text(_bar(probability), style=_colour(song, genre))
        share = f"leads {percent(led[genre])} of the song" if len(song.timeline.start) > 1 else ""
        table.add_row(f"  {escape(genre)}", percent(probability), bar, share)
    lines = [Text(f"  {line}") for line in trust_lines(song.trust)]
    ribbon = [_ribbon(song)] if timeline else []
    return Group(title, table, *lines, *ribbon)


def shown_name(name: str) -> str:
    """Return a file's name or path in one line: control characters, and what is no Unicode, become "?"."""
    text = name.encode(errors="replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def songs_table(songs: Sequence[SongPrediction | UnreadableSong]) -> Table:
    """Return a line for each of many songs."""
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("song", "genre"):
        table.add_column(column, overflow="fold")
    table.add_column("", justify="right")
    for column in ("", "set", "note"):
        table.add_column(column, overflow="fold")
    for song in songs:
        name = escape(shown_name(Path(song.source).name))
        if isinstance(song, UnreadableSong):
            table.add_row(name, "", "", "", "", escape(f"unreadable: {song.reason}"))
            continue
        genre, probability = song.top(1)[0]
        bar = Text(_bar(probability, 10), style=_colour(song, genre))
        genres, doubts = ", ".join(song.set or ()), song.trust.doubts if song.trust else ""
        table.add_row(name, escape(genre), percent(probability), bar, escape(genres), doubts)
    return table


def model_lines(
    names: Sequence[str], cards: Sequence[Card | None], calibrations: Sequence[Calibration | None] = ()
) -> Iterator[str]:
    """Yield which model predicts, how good it is, and whether its sets of genres say nothing."""
    for name, card in zip(names, cards, strict=True):
        if card is None:
            yield f"{name}: accuracy unknown, because the bundle has no model card"
            continue
        yield (
            f"{name}: right for {card.accuracy.percent()} of {card.tracks['test']} test tracks of"
            f" {card.data.name}, split {card.split}"
        )
        if card.warning:
            yield f"{card.warning}: this accuracy is too high"
        if card.is_synthetic:
            yield (
                f"{name}: trained on synthetic sounds, so its answers for real music mean nothing. Hint:"
                " train on GTZAN or on your own music (README)"
            )
    for name, calibration in zip(names, calibrations, strict=False):
        if calibration is not None and calibration.has_too_few_groups:
            yield (
                f"{name}: its sets hold all genres and every song is unsure, because the validation artists"
                f" (or tracks, where the artist is unknown) are too few: {calibration.n_groups}"
            )


def trust_lines(trust: Trust | None) -> Iterator[str]:
    """Yield how far to trust a prediction."""
    if trust is None:
        return
    genres = ", ".join(trust.genres)
    yield f"{percent(trust.coverage)} set: {genres}" + (" (unsure)" if trust.unsure else "")
    if trust.unlike_training:
        yield "unlike the training music: trust this less"


def percent(share: float) -> str:
    """Return a share such as ``71 %``."""
    return f"{100 * share:.0f} %"


def count(n: int, what: str) -> str:
    """Return a number of things, such as ``1 track`` or ``2 tracks``."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def clock(seconds: float) -> str:
    """Return a duration such as ``3:07`` or ``1:02:03``."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _bar(share: float, width: int = _BAR) -> str:
    eighths = round(share * width * 8)
    return "█" * (eighths // 8) + ["", *"▏▎▍▌▋▊▉"][eighths % 8]


def _colour(song: SongPrediction, genre: str) -> str:
    return _COLOURS[song.class_names.index(genre) % len(_COLOURS)]


def _ribbon(song: SongPrediction) -> Text:
    """Return the leading genre over time as a line of letters with colours, and what they mean."""
    from rich.text import Text

    text, parts, edge = Text("  0:00 "), segments(song), 0
    letters = dict(zip(dict.fromkeys(genre for _, _, genre in parts), _LETTERS, strict=False))
    for _, end, genre in parts:
        stop = round(end / song.duration * _RIBBON)
        text.append(letters.get(genre, _BLOCK) * (stop - edge), f"black on {_colour(song, genre)}")
        edge = max(edge, stop)
    text.append(f" {clock(song.duration)}\n  ")
    for genre, letter in letters.items():
        text.append(letter, f"black on {_colour(song, genre)}").append(f" {genre}  ")
    for start, end, genre in parts[:40]:
        text.append(f"\n  {clock(start):>7} to {clock(end):>7}  {genre}")
    if len(parts) > 40:
        text.append(f"\n  and {len(parts) - 40} more parts; --format json has all")
    return text
