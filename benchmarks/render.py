"""Time to render a 30 s track: genredag against a plain loop over librosa, in the same run.

The plain loop is what most projects do: load, transform and convert to dB, one track at a time. The time of
the whole store includes starting the processes and writing the files. `--efficiency N` also renders N tracks
with one process and with `--jobs`. The last figure is a picture of each slice by librosa.display, which many
projects train on.

    python benchmarks/render.py --params params.yaml --audio FOLDER --jobs 4 --output render.json
    python benchmarks/render.py --audio FOLDER --jobs 2 --efficiency 1000 --output render.json
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import librosa
import numpy as np
import pandas as pd
import soundfile

from genredag.frames.rendering import plan, render
from genredag.params.groups.spectrograms import Cqt, Handcrafted, Mel, Stft
from genredag.params.loading import load_params
from genredag.params.schema import Params
from genredag.runtime.files import write_json
from genredag.spectrograms.registry import REPRESENTATIONS
from genredag.tracks.audio import SUFFIXES, decode

REFERENCE_SECONDS = 30.0


def plain_stft(y: np.ndarray, sr: int, p: Stft) -> np.ndarray:
    power = np.abs(librosa.stft(y, n_fft=p.n_fft, hop_length=p.hop_length)) ** 2
    return librosa.power_to_db(power, ref=np.max)


def plain_mel(y: np.ndarray, sr: int, p: Mel) -> np.ndarray:
    power = librosa.feature.melspectrogram(
        y=y, sr=sr, n_fft=p.n_fft, hop_length=p.hop_length, n_mels=p.n_mels, fmin=p.fmin, fmax=p.fmax
    )
    return librosa.power_to_db(power, ref=np.max)


def plain_cqt(y: np.ndarray, sr: int, p: Cqt) -> np.ndarray:
    transform = librosa.cqt(
        y, sr=sr, hop_length=p.hop_length, fmin=p.fmin, n_bins=p.n_bins, bins_per_octave=p.bins_per_octave
    )
    return librosa.amplitude_to_db(np.abs(transform), ref=np.max)


def plain_handcrafted(y: np.ndarray, sr: int, p: Handcrafted) -> np.ndarray:
    feature, frame = librosa.feature, {"n_fft": p.n_fft, "hop_length": p.hop_length}
    rows = [feature.mfcc(y=y, sr=sr, n_mfcc=p.n_mfcc, **frame)]
    for name in (
        "chroma_stft",
        "spectral_centroid",
        "spectral_bandwidth",
        "spectral_rolloff",
        "spectral_contrast",
    ):
        rows.append(getattr(feature, name)(y=y, sr=sr, **frame))
    rows.append(feature.spectral_flatness(y=y, **frame))
    for name in ("zero_crossing_rate", "rms"):
        rows.append(getattr(feature, name)(y=y, frame_length=p.n_fft, hop_length=p.hop_length))
    return np.concatenate(rows)


Row = dict[str, str | int | float]
PLAIN: dict[str, Callable[..., np.ndarray]] = {
    "stft": plain_stft,
    "mel": plain_mel,
    "cqt": plain_cqt,
    "handcrafted": plain_handcrafted,
}


def tracks_in(folder: Path, n_tracks: int) -> pd.DataFrame:
    """List up to `n_tracks` audio files as a manifest."""
    files = sorted(path for path in folder.resolve().rglob("*") if path.suffix.lower() in SUFFIXES)
    info = [soundfile.info(file) for file in files[:: max(len(files) // n_tracks, 1)][:n_tracks]]
    return pd.DataFrame(
        {
            "track_id": [Path(i.name).stem for i in info],
            "path": [i.name for i in info],
            "duration": [i.duration for i in info],
            "sr": [i.samplerate for i in info],
            "status": "ok",
        }
    )


def make_noise(folder: Path, n_tracks: int, sr: int) -> None:
    """Write tracks of noise that fades in."""
    rng = np.random.default_rng(0)
    for track in range(n_tracks):
        y = (
            0.1
            * rng.standard_normal(int(REFERENCE_SECONDS * sr))
            * np.linspace(0.01, 1, int(REFERENCE_SECONDS * sr))
        )
        soundfile.write(folder / f"noise.{track:05d}.wav", y, sr)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def plain_seconds(name: str, paths: list[str], params: Params) -> float:
    """Return the time of a plain loop over librosa."""
    group = getattr(params.representations, name)

    def plain() -> None:
        for path in paths:
            y, sr = librosa.load(path, sr=params.spectrograms.sr)
            PLAIN[name](y, int(sr), group)

    return seconds(plain)


def loading_seconds(paths: list[str], params: Params) -> float:
    """Return the part of `plain_seconds` that librosa takes to load the tracks."""

    def load() -> None:
        for path in paths:
            librosa.load(path, sr=params.spectrograms.sr)

    return seconds(load)


def measure(
    name: str, manifest: pd.DataFrame, params: Params, n_jobs: int, repeats: int, other: Executor
) -> Row:
    """Time one representation; return medians over `repeats`, with ours and plain interleaved.

    Plain runs in the `other` process, because rendering makes its own process keep the memory that it frees.
    """
    group, rendering = getattr(params.representations, name), params.spectrograms
    spec = plan(name, group, rendering)
    representation = REPRESENTATIONS[name]

    def ours() -> None:
        for path in manifest["path"]:
            y, sr = decode(Path(path), rendering.sr)
            spec.encode(representation.transform(y, sr, group))

    def decoded() -> None:
        for path in manifest["path"]:
            decode(Path(path), rendering.sr)

    def plain() -> float:
        return other.submit(plain_seconds, name, list(manifest["path"]), params).result()

    with tempfile.TemporaryDirectory() as out:
        directory = Path(out)

        def store() -> None:
            render(manifest, name, group, rendering, cache_dir=directory, out_dir=directory, n_jobs=n_jobs)

        ours(), plain()
        rounds = [(seconds(decoded), seconds(ours), plain(), seconds(store)) for _ in range(repeats)]
        medians = map(median, zip(*rounds, strict=True))
        times = dict(zip(("decode", "ours", "plain", "store"), medians, strict=True))
        n_bytes = (directory / "frames.npy").stat().st_size
    tracks = manifest["duration"].sum() / REFERENCE_SECONDS
    return {
        "representation": name,
        **{f"{work}_ms": round(1000 * t / tracks, 2) for work, t in times.items()},
        "ours_to_plain": round(times["ours"] / times["plain"], 3),
        "store_to_plain": round(times["store"] / times["plain"], 3),
        "kilobytes": round(n_bytes / tracks / 1000, 1),
    }


def total(rows: list[Row]) -> Row:
    """Return the sum of STFT, mel and CQT, for which the plain loop loads each track three times, too."""
    own = [row for row in rows if row["representation"] != "handcrafted"]
    keys = ("decode_ms", "ours_ms", "plain_ms", "store_ms")
    sums = {key: round(sum(float(row[key]) for row in own), 2) for key in keys}
    return {
        "representation": "stft, mel and cqt",
        **sums,
        "ours_to_plain": round(sums["ours_ms"] / sums["plain_ms"], 3),
        "store_to_plain": round(sums["store_ms"] / sums["plain_ms"], 3),
        "kilobytes": round(sum(float(row["kilobytes"]) for row in own), 1),
    }


def efficiency(manifest: pd.DataFrame, params: Params, n_tracks: int, n_jobs: int) -> Row:
    """Render many tracks with one process and with several; return seconds and the parallel efficiency."""
    repeated = pd.concat([manifest] * (n_tracks // len(manifest) + 1), ignore_index=True)[:n_tracks]
    repeated["track_id"] = [f"{track_id}.{i}" for i, track_id in enumerate(repeated["track_id"])]

    def everything(jobs: int) -> None:
        for name in ("stft", "mel", "cqt"):
            with tempfile.TemporaryDirectory() as out:
                folders = {"cache_dir": Path(out), "out_dir": Path(out)}
                group = getattr(params.representations, name)
                render(repeated, name, group, params.spectrograms, n_jobs=jobs, **folders)

    everything(n_jobs)
    one, several = (seconds(lambda: everything(jobs)) for jobs in (1, n_jobs))  # noqa: B023
    return {
        "n_tracks": n_tracks,
        "n_jobs": n_jobs,
        "one_process_s": round(one, 1),
        "n_jobs_s": round(several, 1),
        "efficiency": round(one / several / n_jobs, 3),
    }


def picture_milliseconds(path: Path, params: Params, n_pictures: int = 5) -> float:
    """Return the time of one mel spectrogram of a slice as a picture, by librosa.display."""
    import librosa.display
    import matplotlib.pyplot as plt

    y, sr = librosa.load(path, sr=params.spectrograms.sr)
    length = int(params.slices.seconds * sr)

    def draw() -> None:
        for i in range(n_pictures):
            with tempfile.TemporaryDirectory() as out:
                values = plain_mel(y[i * length : (i + 1) * length], int(sr), params.representations.mel)
                figure, axes = plt.subplots()
                librosa.display.specshow(values, sr=sr, x_axis="time", y_axis="mel", ax=axes)
                figure.savefig(Path(out) / "slice.png")
                plt.close(figure)

    draw()
    return 1000 * seconds(draw) / n_pictures


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--audio", type=Path, help="folder of audio files (otherwise noise is generated)")
    parser.add_argument("--tracks", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--efficiency", type=int, metavar="N", help="also render N tracks in parallel")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args(argv)
    params = load_params(args.params)
    with tempfile.TemporaryDirectory() as noise:
        if args.audio is None:
            make_noise(Path(noise), args.tracks, params.spectrograms.sr)
        manifest = tracks_in(args.audio or Path(noise), args.tracks)
        with ProcessPoolExecutor(1, get_context("spawn")) as other:
            rows = [measure(name, manifest, params, args.jobs, args.repeats, other) for name in PLAIN]
            paths = list(manifest["path"])
            loads = [other.submit(loading_seconds, paths, params).result() for _ in range(args.repeats)]
        found = {"n_tracks": len(manifest), "n_jobs": args.jobs, "rows": [*rows, total(rows)]}
        tracks = manifest["duration"].sum() / REFERENCE_SECONDS
        found["load_ms"] = round(1000 * median(loads) / tracks, 2)
        found["picture_ms"] = round(picture_milliseconds(Path(manifest["path"][0]), params), 1)
        if args.efficiency:
            found["efficiency"] = efficiency(manifest, params, args.efficiency, args.jobs)
    rows = found["rows"]
    print("| " + " | ".join(rows[0]) + " |\n" + "|---" * len(rows[0]) + "|")
    for row in rows:
        print("| " + " | ".join(map(str, row.values())) + " |")
    print(f"a picture of a slice: {found['picture_ms']} ms", *found.get("efficiency", {}).items())
    if args.output:
        write_json(args.output, found)


if __name__ == "__main__":
    main()
