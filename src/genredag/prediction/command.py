"""``genredag predict``: from what the user named to tables, files, figures and an exit status."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from genredag.bundles.found import best_bundle, list_bundles
from genredag.errors import ParameterError, require
from genredag.prediction.ahead import render_ahead
from genredag.prediction.batch import new_songs, predict_batch
from genredag.prediction.classifier import Classifier, load
from genredag.prediction.fetching import Limits
from genredag.prediction.journal import Journal, hash_models, open_journal
from genredag.prediction.records import (
    Format,
    Result,
    check_formats,
    check_output,
    file_names,
    render_text,
    write_files,
)
from genredag.prediction.song import SongPrediction, UnreadableSong
from genredag.prediction.sources import find_songs
from genredag.prediction.tables import (
    MOST_DETAILED,
    clock,
    model_lines,
    shown_name,
    song_view,
    songs_table,
)
from genredag.prediction.tags import TagWishes, write_tags
from genredag.runtime.cache import default_cache_dir
from genredag.runtime.files import check_outputs
from genredag.runtime.logs import configure_logging
from genredag.runtime.progress import progress

if TYPE_CHECKING:
    from rich.console import Console

    from genredag.prediction.rendering import RenderedSong

SOME_FAILED = 1
STOPPED = 130
FEW = 6  # starting processes takes longer than decoding this many songs
_N_REASONS = 10
PNG = ".png"
_PICTURES = {PNG, ".jpg", ".jpeg", ".svg", ".pdf", ".gif", ".webp", ".tif", ".tiff"}
_WIDTH = 200  # of a table that is not printed on a terminal


@dataclass(frozen=True)
class Wishes:
    """What the user asked for.

    Attributes
    ----------
    named
        See `genredag.prediction.sources.find_songs`.
    models
        Bundles; none: the best one of the project in the current folder.
    formats
        See `genredag.prediction.records.check_formats`.
    output
        Folder and name of the files, without suffix.
    plot, explain
        A ``.png`` file for one song, or a folder.
    journal
        None: next to `output`, if that is given.
    n_jobs
        Processes that decode; None: all cores, if there are many songs.
    tags
        Genres to write into the songs' own tags; None: none.
    """

    named: Sequence[str]
    models: Sequence[Path] = ()
    formats: Sequence[str] | None = None
    output: Path | None = None
    plot: Path | None = None
    explain: Path | None = None
    timeline: bool = False
    journal: Path | None = None
    n_jobs: int | None = None
    tags: TagWishes | None = None
    limits: Limits = dataclasses.field(default_factory=Limits)


def predict_songs(wishes: Wishes, stdin: TextIO) -> int:
    """Predict songs, print and write what was asked for, and return the exit status.

    Returns
    -------
    int
        0, or 1 if a song can't be read or tagged, or 130 if the user stopped it.

    Raises
    ------
    GenredagError
        A file, format or model that the user named can't be used.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as after Ctrl-C
    formats = check_formats(wishes.formats, wishes.output)
    if wishes.plot or wishes.explain:
        require("matplotlib")
    sources = find_songs(wishes.named, stdin)
    if not sources:
        raise ParameterError("no song named", expected="files, folders, patterns or addresses")
    inputs = [*map(Path, sources), *wishes.models]
    if wishes.output is not None:
        wishes = dataclasses.replace(wishes, output=check_output(wishes.output, formats, inputs))
    _check_figures(wishes, len(sources), inputs)
    paths = list(dict.fromkeys(wishes.models)) or [_best_model()]
    classifier = dataclasses.replace(load(*paths, onnx_cache=default_cache_dir()), limits=wishes.limits)
    console = _console(stderr=formats != ["table"])
    calibrations = classifier.calibrations if len(paths) == 1 else ()
    for line in model_lines([f"{path}" for path in paths], classifier.cards, calibrations):
        console.print(line, style="dim", highlight=False, markup=False, soft_wrap=True)
    start, results = time.monotonic(), []
    with _journal(wishes, paths, classifier) as journal:
        new = new_songs(sources, journal)
        songs = _predicted(wishes, classifier, sources, new, journal)
        try:
            for song in _shown(songs, wishes, formats, len(sources)):
                results.append(song)
        except KeyboardInterrupt:
            kept = "; the same command resumes" if journal else ""
            print(f"stopped after {len(results)} of {len(sources)} songs{kept}", file=sys.stderr)
            return STOPPED
    _write(wishes, formats, results, classifier)
    status = _summary(results, len(sources) - len(new), time.monotonic() - start)
    if wishes.tags is not None:
        predictions = [song for song in results if isinstance(song, SongPrediction)]
        if write_tags(predictions, wishes.tags, console):
            return SOME_FAILED
    return status


def _check_figures(wishes: Wishes, n_songs: int, inputs: Sequence[Path]) -> None:
    """Check where figures are to be written, before the songs are predicted.

    Raises
    ------
    ParameterError
        A figure would be written into no PNG file or over a song, or several into one.
    OSError
        A folder can't be made.
    """
    for option, target in (("--plot", wishes.plot), ("--explain", wishes.explain)):
        if target is None:
            continue
        where, is_file = f"{option} {target}", target.suffix == PNG and not target.is_dir()
        if target.suffix.lower() in _PICTURES and not is_file:
            raise ParameterError("can't be written", where=where, expected=f"a file FILE{PNG}, or a folder")
        if n_songs > 1 and is_file:
            raise ParameterError(f"one file for {n_songs} songs", where=where, expected="a folder")
        if is_file:
            check_outputs([target], inputs)
        (target.parent if is_file else target).mkdir(parents=True, exist_ok=True)


def _best_model() -> Path:
    found = best_bundle(list_bundles(Path()))
    accuracy = f"right for {100 * found.card.validation_accuracy:.0f} % of the validation tracks"
    print(f"no --model given: using {found.path}, the best one here ({accuracy})", file=sys.stderr)
    return found.path


@contextlib.contextmanager
def _journal(wishes: Wishes, paths: Sequence[Path], classifier: Classifier) -> Iterator[Journal | None]:
    file = wishes.journal
    if file is None and wishes.output is not None:
        file = wishes.output.with_name(f"{wishes.output.name}.journal")
    if file is None:
        yield None
        return
    engines = [type(bundle).__name__ for bundle in classifier.bundles]
    with open_journal(file, hash_models(paths, engines), classifier.class_names) as journal:
        yield journal


def _predicted(
    wishes: Wishes,
    classifier: Classifier,
    sources: Sequence[str],
    new: Sequence[str],
    journal: Journal | None,
) -> Iterator[Result]:
    n_cores = os.cpu_count() or 1
    n_jobs = min(wishes.n_jobs, n_cores, max(1, len(new))) if wishes.n_jobs else n_cores
    n_jobs = n_jobs if wishes.n_jobs or len(new) > FEW else 1
    if not (wishes.plot or wishes.explain):
        yield from predict_batch(classifier, sources, new, journal, n_jobs)
        return
    names = iter(file_names(sources))
    rendered = render_ahead(sources, classifier.renderings, classifier.limits, n_jobs)
    for songs, name in zip(rendered, names, strict=True):
        if isinstance(songs, UnreadableSong):
            result: Result = songs
        else:
            result = classifier.predict_rendered(songs)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Glyph .* missing from font")  # an emoji in a name
                _draw(wishes, classifier, songs, result, name, alone=len(sources) == 1)
        if journal is not None:
            journal.add(result)
        yield result


def _draw(
    wishes: Wishes,
    classifier: Classifier,
    songs: Sequence[RenderedSong],
    result: SongPrediction,
    name: str,
    alone: bool,
) -> None:
    from genredag.evaluation.plots import save_figure
    from genredag.prediction.explain import explain_rendered
    from genredag.prediction.plots import explanation_figure, song_figure

    figures = {}
    if wishes.plot:
        with_frames = dataclasses.replace(result, spectrogram=songs[0].spectrogram())
        figures[_figure_path(wishes.plot, name, alone)] = song_figure(with_frames)
    if wishes.explain:
        path = _figure_path(wishes.explain, name, alone)
        path = path.with_name(f"{path.stem}.explained{PNG}") if path in figures else path
        figures[path] = explanation_figure(explain_rendered(classifier, songs, result.genre))
    for path, figure in figures.items():
        save_figure(path, figure)
        if alone:
            print(f"written: {path}", file=sys.stderr)


def _figure_path(target: Path, name: str, alone: bool) -> Path:
    return target if alone and target.suffix == PNG else target / f"{name}{PNG}"


def _shown(
    songs: Iterator[Result], wishes: Wishes, formats: Sequence[Format], n_songs: int
) -> Iterator[Result]:
    """Pass songs on; print a few at once, and the progress of many."""
    if n_songs > MOST_DETAILED:
        configure_logging()
        yield from progress(songs, "predicting", n_songs)
        return
    console = _console()
    for song in songs:
        if "table" in formats:
            console.print(song_view(song, wishes.timeline), soft_wrap=False)
        yield song


def _write(
    wishes: Wishes, formats: Sequence[Format], results: Sequence[Result], classifier: Classifier
) -> None:
    contents = (results, classifier.class_names, classifier.name, wishes.timeline)
    if "table" in formats and len(results) > MOST_DETAILED:
        _console().print(songs_table(results))
    if wishes.output is not None:
        for path in write_files(wishes.output, formats, *contents):
            print(f"written: {path}", file=sys.stderr)
        return
    for name in formats:
        if name != "table":
            sys.stdout.write(render_text(name, *contents))


def _summary(results: Sequence[Result], n_known: int, seconds: float) -> int:
    """Print how it went, unless one song went well; return the exit status."""
    unreadable = [song for song in results if isinstance(song, UnreadableSong)]
    if len(results) > 1:
        known = f", {n_known} of them known from the journal" if n_known else ""
        n_read = len(results) - len(unreadable)
        print(f"{n_read} of {len(results)} songs predicted in {clock(seconds)}{known}", file=sys.stderr)
    for song in unreadable[:_N_REASONS]:
        print(f"unreadable: {shown_name(song.source)}: {shown_name(song.reason)}", file=sys.stderr)
    if len(unreadable) > _N_REASONS:
        print(f"and {len(unreadable) - _N_REASONS} more unreadable songs", file=sys.stderr)
    return SOME_FAILED if unreadable else 0


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=_WIDTH)
