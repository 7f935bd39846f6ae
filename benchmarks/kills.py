"""Batches of songs that are killed: the same table after resuming, and no damaged file.

The songs are cuts of a few seconds of those in `--songs`, or noise, in seven formats. One run is not
disturbed. Another one is killed three times, the second time with its decoders; once, a decoder alone is
killed. Its tables must have the same bytes. Then runs that write tags are killed at random moments: each
song must keep its samples and have its old or its new genre, and `genredag undo-tags` must restore all.

    python benchmarks/kills.py --bundle model.zip --songs music --files 1000 --tagged 200 --kills 20

The script ends with status 1 if anything is wrong. Without `--bundle`, the network has random weights.
"""

from __future__ import annotations

import argparse
import filecmp
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from fuzz_decoding import encode
from predict import Row, make_bundles
from processes import kill, n_alive

from genredag.prediction.sources import audio_in
from genredag.prediction.tagged_files import read_genres
from genredag.runtime.files import write_json
from genredag.tracks.audio import decode

COMMAND = (sys.executable, "-c", "import sys; from genredag.cli import app; app(sys.argv[1:])")
SUFFIXES = ("wav", "flac", "mp3", "ogg", "aiff", "m4a", "opus")  # those that can be tagged
SR = 48_000  # the only rate that all of them have
PATIENCE = 900.0  # seconds
OLD_GENRE = "Unheard of"
TABLES = ("csv", "timeline.csv", "jsonl")


def make_songs(folder: Path, songs: Path | None, n: int, rng: np.random.Generator) -> list[Path]:
    """Write `n` songs of three to five seconds."""
    folder.mkdir()
    sources = [decode(Path(song), SR)[0] for song in audio_in(songs)] if songs else []
    paths = []
    for i in range(n):
        n_samples = int(rng.uniform(3, 5) * SR)
        y = rng.normal(0, 0.1, n_samples).astype(np.float32)
        if sources:
            source = sources[i % len(sources)]
            first = rng.integers(0, max(1, len(source) - n_samples))
            y = source[first : first + n_samples]
        paths.append(folder / f"{i:04d}.{SUFFIXES[i % len(SUFFIXES)]}")
        encode(paths[-1], y, SR)
    return paths


def start(*arguments: object) -> psutil.Popen:
    """Start `genredag`."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return psutil.Popen([*COMMAND, *map(str, arguments)], **quiet)


def finish(process: psutil.Popen) -> float:
    """Wait until a program that must succeed ends; return the seconds that it has run."""
    begin = time.perf_counter()
    _, messages = process.communicate(timeout=PATIENCE)
    if process.returncode:
        raise SystemExit(f"status {process.returncode}: {messages}")
    return time.perf_counter() - begin


def wait_for(process: psutil.Popen, happened: Callable[[], bool]) -> None:
    """Wait until something has happened, or the program has ended."""
    end = time.monotonic() + PATIENCE
    while not happened() and process.poll() is None:
        if time.monotonic() > end:
            raise SystemExit("a hang")
        time.sleep(0.002)


def n_predicted(journal: Path) -> int:
    """Return the number of songs in a journal."""
    if not journal.is_file():
        return 0
    try:
        with sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True, timeout=30) as database:
            return database.execute("select count(*) from songs").fetchone()[0]
    except sqlite3.OperationalError:  # it has no table yet
        return 0


def resumed(bundle: Path, folder: Path, out: Path, n: int, jobs: int) -> list[Row]:
    """Kill a run three times and one of its decoders once, and compare its tables with those of another."""
    options = ("predict", folder, "-m", bundle, "-f", "csv,jsonl", "--timeline", "-j", jobs, "-o")
    seconds = finish(start(*options, out / "whole"))
    rows: list[Row] = [{"what": "undisturbed", "songs": n, "seconds": seconds}]
    journal = (out / "killed.journal").absolute()
    for share, with_children in ((0.2, False), (0.45, True), (0.7, False)):
        process = start(*options, out / "killed")
        wait_for(process, lambda least=share * n: n_predicted(journal) >= least)
        children = kill(process, with_children)
        row: Row = {"what": "killed", "songs": n_predicted(journal), "children": len(children)}
        rows.append(row | {"children_after_a_minute": n_alive(children)})
    process = start(*options, out / "killed")
    wait_for(process, lambda: n_predicted(journal) >= 0.8 * n)
    for child in process.children(recursive=True)[:1]:
        child.kill()
    rows.append({"what": "decoder killed, then finished", "seconds": finish(process)})
    same = [filecmp.cmp(out / f"whole.{name}", out / f"killed.{name}", shallow=False) for name in TABLES]
    return [*rows, {"what": "tables", "same": all(same)}]


def are_replaced(inodes: dict[Path, int], n_least: int) -> bool:
    """Return whether at least `n_least` files were replaced by others."""
    return sum(path.stat().st_ino != inode for path, inode in inodes.items()) >= n_least


def tagged(
    bundle: Path, pristine: Path, work: Path, n_kills: int, rng: np.random.Generator
) -> tuple[list[Row], list[str]]:
    """Kill runs that write tags; return when, and what is wrong with the songs."""
    folder, journal, failures = work / "songs", work / "journal", []
    samples = {path.name: decode(path)[0] for path in sorted(pristine.iterdir())}

    def tag(undo_file: Path) -> psutil.Popen:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(pristine, folder)
        tags = ("--write-tags", "--apply", "--undo-file", undo_file)
        return start("predict", folder, "-m", bundle, "--journal", journal, *tags)

    def wrong(allowed: Sequence[set[tuple[str, ...]]]) -> list[str]:
        bad = [path.name for path in folder.glob(".*")]
        for (name, expected), genres in zip(samples.items(), allowed, strict=True):
            same = np.array_equal(decode(folder / name)[0], expected)
            if not same or read_genres(folder / name).names not in genres:
                bad.append(f"{name}: samples {same}, genre {read_genres(folder / name).names}")
        return bad

    finish(tag(work / "whole.jsonl"))  # which also fills the journal
    new = [read_genres(folder / name).names for name in samples]
    old = [read_genres(pristine / name).names for name in samples]
    rows: list[Row] = []
    for i in range(n_kills):
        undo_file, n_most = work / f"{i}.jsonl", rng.integers(len(samples))
        process = tag(undo_file)
        inodes = {path: path.stat().st_ino for path in map(folder.joinpath, samples)}
        wait_for(process, undo_file.is_file)
        wait_for(process, partial(are_replaced, inodes, n_most))
        time.sleep(rng.uniform(0, 0.02))
        kill(process, with_children=False)
        n_new = sum(read_genres(folder / name).names == own for name, own in zip(samples, new, strict=True))
        n_left = len(list(folder.glob(".*")))
        found = [x for x in wrong([{a, b} for a, b in zip(old, new, strict=True)]) if not x.startswith(".")]
        finish(start("undo-tags", undo_file))
        found += wrong([{own} for own in old])
        rows.append({"what": "killed while tagging", "with_new_genre": n_new, "copies_left": n_left})
        failures += [f"kill {i}: {text}" for text in found]
    return rows, failures


def give_genres(paths: Sequence[Path]) -> None:
    """Tag half of the songs with a genre."""
    import mutagen

    for path in paths[::2]:
        file = mutagen.File(path, easy=True)
        if file.tags is None:
            file.add_tags()
        if path.suffix in {".wav", ".aiff"}:
            file.tags.add(mutagen.id3.TCON(encoding=3, text=[OLD_GENRE]))
        else:
            file.tags["genre"] = [OLD_GENRE]
        file.save()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--songs", type=Path, help="a folder of music to cut from")
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--tagged", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20, help="of runs that write tags")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = args.bundle or make_bundles(folder, args.params, "cnn_370k")["ONNX"]
        make_songs(folder / "many", args.songs, args.files, rng)
        rows = resumed(bundle, folder / "many", folder / "out", args.files, args.jobs)
        print(*rows, sep="\n", flush=True)
        give_genres(make_songs(folder / "pristine", args.songs, args.tagged, rng))
        more, failures = tagged(bundle, folder / "pristine", folder, args.kills, rng)
    print(*more, *failures, sep="\n")
    if args.output:
        write_json(args.output, {"rows": rows + more, "failures": failures})
    if failures or not rows[-1]["same"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
