"""Time to render a 30 s track: genredag against a plain loop over librosa, in the same run.

The plain loop is what most projects do: load, transform and convert to dB, one track at a time. The time of
the whole store includes starting the processes and writing the files.

    python benchmarks/render.py --params params.yaml --audio FOLDER --jobs 4 --output render.json
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
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


def measure(name: str, manifest: pd.DataFrame, params: Params, n_jobs: int, repeats: int) -> Row:
    """Time one representation; return medians over `repeats`, with ours and plain interleaved."""
    group, rendering = getattr(params.representations, name), params.spectrograms
    spec = plan(name, group, rendering)
    representation = REPRESENTATIONS[name]

    def ours() -> None:
        for path in manifest["path"]:
            y, sr = decode(Path(path), rendering.sr)
            spec.encode(representation.transform(y, sr, group))

    def plain() -> None:
        for path in manifest["path"]:
            y, sr = librosa.load(path, sr=rendering.sr)
            PLAIN[name](y, int(sr), group)

    with tempfile.TemporaryDirectory() as out:
        directory = Path(out)

        def store() -> None:
            render(manifest, name, group, rendering, cache_dir=directory, out_dir=directory, n_jobs=n_jobs)

        ours(), plain()
        rounds = [[seconds(work) for work in (ours, plain, store)] for _ in range(repeats)]
        times = dict(zip(("ours", "plain", "store"), map(median, zip(*rounds, strict=True)), strict=True))
        n_bytes = (directory / "frames.npy").stat().st_size
    tracks = manifest["duration"].sum() / REFERENCE_SECONDS
    return {
        "representation": name,
        **{f"{work}_ms": round(1000 * t / tracks, 2) for work, t in times.items()},
        "ours_to_plain": round(times["ours"] / times["plain"], 3),
        "store_to_plain": round(times["store"] / times["plain"], 3),
        "kilobytes": round(n_bytes / tracks / 1000, 1),
    }


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--audio", type=Path, help="folder of audio files (otherwise noise is generated)")
    parser.add_argument("--tracks", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args(argv)
    params = load_params(args.params)
    with tempfile.TemporaryDirectory() as noise:
        if args.audio is None:
            make_noise(Path(noise), args.tracks, params.spectrograms.sr)
        manifest = tracks_in(args.audio or Path(noise), args.tracks)
        rows = [measure(name, manifest, params, args.jobs, args.repeats) for name in PLAIN]
    print("| " + " | ".join(rows[0]) + " |\n" + "|---" * len(rows[0]) + "|")
    for row in rows:
        print("| " + " | ".join(map(str, row.values())) + " |")
    if args.output:
        write_json(args.output, {"n_tracks": len(manifest), "n_jobs": args.jobs, "rows": rows})


if __name__ == "__main__":
    main()
