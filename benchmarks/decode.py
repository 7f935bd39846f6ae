"""Time to decode a track and to probe it, by format: genredag against libsndfile alone, in the same run.

The tracks are encoded from the FLAC or WAV files of a folder. libsndfile alone is what genredag used before
it decoded compressed formats with FFmpeg's libraries; "-" where libsndfile can't read a format. The largest
difference between the samples of both is given too.

    python benchmarks/decode.py --params params.yaml --audio FOLDER --tracks 20 --output decode.json
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

import av
import numpy as np
import soundfile

from genredag.runtime.files import write_json
from genredag.tracks.audio import decode, probe

# Suffix: encoder of PyAV, or none for libsndfile's own.
FORMATS = {
    "wav": "",
    "au": "",
    "aiff": "",
    "flac": "",
    "mp3": "libmp3lame",
    "ogg": "",
    "m4a": "aac",
    "opus": "libopus",
    "wma": "wmav2",
    "ac3": "ac3",
}
Row = dict[str, str | int | float]


def encode(path: Path, y: np.ndarray, sr: int, codec: str) -> None:
    if not codec:
        soundfile.write(path, y, sr)
        return
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            codec, rate=48_000 if codec in ("libopus", "ac3") else sr, layout="mono"
        )
        stream.bit_rate = 128_000
        frame = av.AudioFrame.from_ndarray(y[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = sr
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def with_libsndfile(path: Path) -> np.ndarray:
    y, _ = soundfile.read(path, dtype="float32", always_2d=True)
    return y.mean(axis=1, dtype=np.float32)


def milliseconds(work: Callable[[Path], object], paths: Iterable[Path]) -> float:
    """Median processor time a file."""
    times = []
    for path in paths:
        start = time.process_time()
        work(path)
        times.append(1000 * (time.process_time() - start))
    return round(median(times), 1)


def measure(suffix: str, paths: list[Path]) -> Row:
    row: Row = {"format": suffix, "decode_ms": milliseconds(decode, paths)}
    row["probe_ms"] = milliseconds(lambda path: probe(path, min_seconds=1, silence_db=-60), paths)
    try:
        row["libsndfile_ms"] = milliseconds(with_libsndfile, paths)
    except soundfile.LibsndfileError:
        return row | {"libsndfile_ms": "-", "largest_difference": "-"}
    pairs = [(decode(path)[0], with_libsndfile(path)) for path in paths]
    if any(ours.shape != theirs.shape for ours, theirs in pairs):  # Opus: libsndfile resamples
        return row | {"largest_difference": "another sample rate"}
    largest = max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)
    return row | {"largest_difference": float(f"{largest:.2g}")}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, help="ignored; all benchmarks have it")
    parser.add_argument("--audio", type=Path, help="folder of FLAC or WAV files (otherwise noise)")
    parser.add_argument("--tracks", type=int, default=20)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args(argv)
    rng = np.random.default_rng(0)
    if args.audio:
        files = sorted(file for file in args.audio.rglob("*") if file.suffix in (".flac", ".wav"))
        sources = [decode(file) for file in files[:: max(1, len(files) // args.tracks)][: args.tracks]]
    else:
        noise = 0.1 * rng.standard_normal((args.tracks, 30 * 22_050)).astype(np.float32)
        sources = [(y, 22_050) for y in noise]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix, codec in FORMATS.items():
            paths = [Path(folder) / f"{i}.{suffix}" for i in range(len(sources))]
            for path, (y, sr) in zip(paths, sources, strict=True):
                encode(path, y, sr, codec)
            rows.append(measure(suffix, paths))
            for path in paths:
                path.unlink()
    print("| " + " | ".join(rows[0]) + " |\n" + "|---" * len(rows[0]) + "|")
    for row in rows:
        print("| " + " | ".join(map(str, row.values())) + " |")
    if args.output:
        write_json(args.output, {"n_tracks": len(sources), "rows": rows})


if __name__ == "__main__":
    main()
