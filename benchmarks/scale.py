"""What 1,000, 100,000 and 10 million tracks cost: measured per stage on 100, 1,000 and 10,000 tracks.

Scanning and rendering are measured on clips of one second cut from real tracks, all different, for the cost
of a track, and on the tracks of 30 s themselves, for that of a second of audio. Slicing and splitting are
measured on frame stores of tracks of 30 s that hold noise: neither looks at what it cuts, and noise has no
duplicates. Each stage is its script in one process. Time is that of the processor, so that a busy machine
matters little. Memory is that of the process alone, sampled: the system takes pages of mapped files back.

    python benchmarks/scale.py --tracks ../shared/gtzan_mini/genres --output scale.json --page docs/scale.md

The page keeps its text; the tables between its marks are replaced.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from genredag.params.groups.reading import read_tree
from genredag.project.check_params.plan import write_tree
from genredag.project.generate import between
from genredag.runtime.files import write_json, write_text
from genredag.splits.near_duplicates import HELD
from genredag.tracks.audio import decode

ROOT = Path(__file__).resolve().parents[1]
SR = 22050
CLIP_SECONDS, TRACK_SECONDS = 1.0, 30.0
SIZES = (100, 1_000, 10_000)
GOALS = {1_000: "1,000", 100_000: "100,000 (FMA large)", 10_000_000: "10 million"}
# ASSUME prices of a large cloud, in dollars: an hour of a core with 4 GB, a GB of object storage for a month.
CORE_HOUR, GB_MONTH = 0.04, 0.023
# Of 8:1:1 parts, two tenths are held out. Beyond this number, `split` holds the spectra of no more tracks.
MOST_COMPARED = HELD * 10 // 2
Row = dict[str, float | int | str]


def write_clips(tracks: Path, folder: Path, n: int) -> None:
    """Cut `n` different clips from the tracks of ``<genre>/*.*`` into ``<genre>/*.wav``."""
    files = sorted(path for path in tracks.rglob("*") if path.is_file())
    n_each = -(-n // len(files))
    length, written = int(CLIP_SECONDS * SR), 0
    for number, file in enumerate(files):
        y, _ = decode(file, SR)
        for i, start in enumerate(np.linspace(0, len(y) - length, n_each, dtype=int)):
            if written < n:
                target = folder / file.parent.name / f"{number:04d}_{i:04d}.wav"
                target.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(target, y[start : start + length], SR)
                written += 1


def write_noise(folder: Path, spec: Path, n: int) -> None:
    """Write a manifest and a frame store of `n` tracks of noise, in the representation of a store's spec."""
    folder.mkdir()
    facts = json.loads(spec.read_text(encoding="utf-8"))
    n_frames, n_bins = round(TRACK_SECONDS * facts["frames_per_second"]), facts["n_bins"]
    shape = (n * n_frames, n_bins)
    array = np.lib.format.open_memmap(folder / "frames.npy", mode="w+", dtype=facts["dtype"], shape=shape)
    rng, ids = np.random.default_rng(0), [f"t{i:08d}" for i in range(n)]
    for i in range(n):
        noise = rng.standard_normal((n_frames, n_bins), dtype=np.float32)
        array[i * n_frames :][:n_frames] = noise * 10 - 40
    array.flush()
    index = {"track_id": ids, "first_frame": n_frames * np.arange(n), "n_frames": np.int32(n_frames)}
    index = pd.DataFrame(index).assign(duration=TRACK_SECONDS, parent=pd.array([pd.NA] * n, "str"))
    index.to_parquet(folder / "frames.parquet", index=False)
    write_json(folder / "frames.json", facts | {"n_tracks": n, "total_frames": n * n_frames})
    text = {"path": "none.wav", "sha256": ids, "status": "ok", "reason": "", "artist": None}
    manifest = pd.DataFrame({"track_id": ids, "genre": [f"genre {i % 10}" for i in range(n)], "sr": SR})
    manifest = manifest.assign(duration=TRACK_SECONDS, subset=None, subgenres=None, **text)
    manifest.to_parquet(folder / "manifest.parquet", index=False)


def measure(stage: str, flags: Iterable[object], params: Path) -> dict[str, float]:
    """Run the script of a stage; return its processor time and peak memory.

    Raises
    ------
    SystemExit
        The script failed.
    """
    command = [sys.executable, ROOT / f"workflow/scripts/{stage}.py", "--params", params, *flags]
    process = subprocess.Popen([str(word) for word in command], cwd=params.parent)
    peak, done = 0, 0
    while not done:
        peak = max(peak, own_memory(process.pid))
        time.sleep(0.02)
        done, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{stage} failed")
    return {"cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_mb": peak / 1024}


def own_memory(pid: int) -> int:
    """Return the memory of a process in KiB, without the pages of mapped files."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"^RssAnon:\s+(\d+) kB", status, flags=re.MULTILINE)
    return int(found[1]) if found else 0


def size(*files: Path) -> float:
    """Return the size of files in MB."""
    return sum(file.stat().st_size for file in files) / 1e6


def scan_and_render(params: Path, music: Path, folder: Path, n: int, seconds: float) -> list[Row]:
    """Measure the stages that read audio on a folder of music."""
    tree = read_tree(params)
    tree["datasets"]["folder"]["path"] = str(music)
    tree["download"]["min_seconds"] = CLIP_SECONDS / 2
    write_tree(params, tree)
    folder.mkdir()
    manifest, frames = folder / "manifest.parquet", folder / "frames.npy"
    flags = ["--dataset", "folder", "--manifest", manifest, "--quarantine", folder / "quarantine.csv"]
    rows = [
        {"stage": "download", **measure("download", [*flags, "--jobs", 1], params), "disk_mb": size(manifest)}
    ]
    flags = ["--representation", "mel", "--manifest", manifest, "--frames", frames, "--jobs", 1]
    rows.append({"stage": "spectrograms", **measure("spectrograms", flags, params)})
    rows[1]["disk_mb"] = size(frames, frames.with_suffix(".parquet"))
    n_usable = int((pd.read_parquet(manifest)["status"] == "ok").sum())
    return [{"seconds_each": seconds, "n_tracks": n_usable, **row} for row in rows]


def slice_and_split(params: Path, folder: Path, n: int) -> list[Row]:
    """Measure the stages that read frames on a store of noise."""
    frames, slices = folder / "frames.npy", folder / "slices.parquet"
    rows = [{"stage": "slices", **measure("slices", ["--frames", frames, "--slices", slices], params)}]
    rows[0]["disk_mb"] = size(slices)
    flags = ["--split-name", "stratified_8_1_1", "--fold", 0, "--seed", 42]
    flags += ["--manifest", folder / "manifest.parquet", "--frames", frames, "--slices", slices]
    outputs = [folder / "split.parquet", folder / "near_duplicates.csv"]
    flags += ["--split", outputs[0], "--near-duplicates", outputs[1]]
    rows.append({"stage": "split", **measure("split", flags, params), "disk_mb": size(*outputs)})
    return [{"seconds_each": TRACK_SECONDS, "n_tracks": n, **row} for row in rows]


def costs(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what a track of 30 s adds to each stage: processor time, memory and disk."""
    found = []
    for stage, own in rows.groupby("stage", sort=False):
        small = own[own["seconds_each"] == own["seconds_each"].min()].sort_values("n_tracks")
        first, last = small.iloc[0], small.iloc[-1]
        more = last["n_tracks"] - first["n_tracks"]
        added = {key: (last[key] - first[key]) / more for key in ("cpu_seconds", "peak_mb", "disk_mb")}
        whole = own[own["seconds_each"] == TRACK_SECONDS]
        if len(small) < len(own):  # whole tracks were measured too, as many as the smallest number of clips
            for key in ("cpu_seconds", "disk_mb"):
                added[key] += (whole.iloc[0][key] - first[key]) / whole.iloc[0]["n_tracks"]
        found.append(
            {"stage": stage, **added, "base_mb": first["peak_mb"] - added["peak_mb"] * first["n_tracks"]}
        )
    return pd.DataFrame(found).set_index("stage")


def extrapolated(costs: pd.DataFrame, rows: pd.DataFrame) -> list[Row]:
    """Return hours, memory, disk and money for each goal; what `split` compares grows with the square."""
    split = rows[rows["stage"] == "split"].sort_values("n_tracks").iloc[-2:]
    (n, larger), (cpu, more) = split["n_tracks"], split["cpu_seconds"]
    square = max(0.0, (more - cpu * larger / n) / (larger**2 - n * larger))
    found = []
    for goal, name in GOALS.items():
        linear = costs["cpu_seconds"].drop("split").sum() * goal
        hours = {"scan and render": linear / 3600, "split": square * goal**2 / 3600}
        disk = costs["disk_mb"].sum() * goal / 1000
        memory = (costs["base_mb"] + costs["peak_mb"] * goal) / 1000
        compared = costs["peak_mb"]["split"] * min(goal, MOST_COMPARED)
        memory["split"] = (costs["base_mb"]["split"] + compared + costs["peak_mb"]["slices"] * goal) / 1000
        total = sum(hours.values())
        found.append(
            {
                "tracks of 30 s": name,
                **{f"core hours: {key}": f"{value:,.1f}" for key, value in hours.items()},
                **{f"GB of memory: {stage}": f"{memory[stage]:,.1f}" for stage in memory.index},
                "GB of disk": f"{disk:,.1f}",
                "dollars to build": f"{total * CORE_HOUR:,.2f}",
                "dollars a month to keep": f"{disk * GB_MONTH:,.2f}",
            }
        )
    return found


def write_tables(page: Path, measured: pd.DataFrame, units: pd.DataFrame) -> None:
    """Write the tables between the marks of the page."""
    shown = measured.rename(columns={"seconds_each": "seconds of a track", "n_tracks": "tracks"})
    totals = pd.DataFrame(extrapolated(units, measured)).set_index("tracks of 30 s").T
    right = ["left", *["right"] * len(totals.columns)]
    tables = {
        "measured": shown.round(1).to_markdown(index=False),
        "costs of a track": units.to_markdown(floatfmt=".4f"),
        "totals": totals.to_markdown(disable_numparse=True, colalign=right),
    }
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        text = between(text, name, table, page.name)
    write_text(page, text)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write the figures and the tables of the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tracks", type=Path, required=True, help="real tracks of 30 s, a folder per genre")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--output", type=Path, help="write the figures here")
    parser.add_argument("--page", type=Path, help="write the tables into this page")
    args = parser.parse_args(argv)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="genredag-scale-") as name:
        folder = Path(name)
        params = folder / "params.yaml"
        shutil.copyfile(ROOT / "params.yaml", params)
        tracks = args.tracks.resolve()
        rows += scan_and_render(params, tracks, folder / "whole", args.sizes[0], TRACK_SECONDS)
        for n in args.sizes:
            write_clips(tracks, folder / f"music{n}", n)
            rows += scan_and_render(params, folder / f"music{n}", folder / f"clips{n}", n, CLIP_SECONDS)
            shutil.rmtree(folder / f"music{n}")
            write_noise(folder / f"noise{n}", folder / "whole/frames.json", n)
            rows += slice_and_split(params, folder / f"noise{n}", n)
            shutil.rmtree(folder / f"noise{n}")
    measured = pd.DataFrame(rows)
    units = costs(measured)
    print(measured.to_string(), units.to_string(), sep="\n\n")
    if args.output:
        write_json(args.output, {"measured": rows, "costs": units.reset_index().to_dict("records")})
    if args.page:
        write_tables(args.page, measured, units)


if __name__ == "__main__":
    main()
