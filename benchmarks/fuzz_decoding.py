"""Damaged files of twelve formats: no traceback, no hang, no NaN, and the same hash at every decode.

Each file is cut, has bytes changed, removed, inserted or repeated, or is joined to another; then it is probed
twice, in two processes, and rendered if it is usable. The script ends with status 1 at the first kind of
failure.

    python benchmarks/fuzz_decoding.py --params params.yaml --files 2000 --output fuzz.json
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import av
import numpy as np
import soundfile

from genredag.errors import DataError
from genredag.frames.rendering import plan
from genredag.params.loading import load_params
from genredag.runtime.files import write_json
from genredag.spectrograms.mel import mel
from genredag.tracks.audio import Probe, decode, probe

LIBSNDFILE = {"wav": "PCM_16", "au": "PCM_16", "aiff": "PCM_24", "flac": "PCM_16", "ogg": "VORBIS"}
PYAV = {
    "mp3": "libmp3lame",
    "m4a": "aac",
    "opus": "libopus",
    "aac": "aac",
    "wma": "wmav2",
    "ac3": "ac3",
    "webm": "libopus",
}
SR, SECONDS, PATIENCE = 48_000, 3, 60.0
LIMITS = {"min_seconds": 1.0, "silence_db": -60.0, "max_megabytes": 200.0, "max_decoding_seconds": 30.0}


def make(path: Path, rng: np.random.Generator) -> bytes:
    time_axis = np.arange(SECONDS * SR) / SR
    y = (0.3 * np.sin(2 * np.pi * 440 * time_axis) + 0.05 * rng.standard_normal(time_axis.size)).astype("f4")
    suffix = path.suffix[1:]
    if suffix in LIBSNDFILE:
        soundfile.write(path, y, SR, subtype=LIBSNDFILE[suffix])
    else:
        with av.open(str(path), "w") as container:
            stream = container.add_stream(PYAV[suffix], rate=SR, layout="mono")
            stream.bit_rate = 128_000
            frame = av.AudioFrame.from_ndarray(y[np.newaxis], format="fltp", layout="mono")
            frame.sample_rate = SR
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path.read_bytes()


def mutated(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Change a file in one to three ways."""
    for _ in range(rng.integers(1, 4)):
        a, b = sorted(rng.integers(0, max(1, len(content)), 2))
        match rng.integers(0, 8):
            case 0:
                content = content[:b]
            case 1:
                content = content[:a] + content[b:]
            case 2:
                content = content[:a] + rng.bytes(min(5_000, b - a)) + content[a:]
            case 3:
                content += other[a:]
            case 4:
                content = content[:b] + content[a:b] + content[b:]
            case _:
                changed = bytearray(content)
                end = min(len(changed), 400) if rng.random() < 0.5 else len(changed)  # headers, or anywhere
                for place in rng.integers(0, max(1, end), rng.integers(1, 60)) if changed else ():
                    changed[place] = rng.integers(0, 256)
                content = bytes(changed)
    return content


def examine(path: Path) -> tuple[Probe, str, float]:
    """Probe a file; return the result, what is wrong with it, and the time."""
    start = time.perf_counter()
    try:
        found = probe(path, **LIMITS)
    except Exception as error:
        return Probe(), f"traceback: {type(error).__name__}: {error}", 0.0
    return found, "", time.perf_counter() - start


def rendered(path: Path, params_file: Path) -> str:
    """Render a usable file; return what is wrong with its frames."""
    params = load_params(params_file)
    group, sr = params.representations.mel, params.spectrograms.sr
    try:
        frames = plan("mel", group, params.spectrograms).encode(mel(decode(path, sr)[0], sr, group))
    except DataError as error:
        return f"usable, but not rendered: {error}"
    except Exception as error:
        return f"traceback: {type(error).__name__}: {error}"
    return "" if np.isfinite(frames).all() else "NaN"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args(argv)
    rng = np.random.default_rng(args.seed)
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(1) as other_process:
        folder = Path(name)
        sound = [make(folder / f"sound.{suffix}", rng) for suffix in (*LIBSNDFILE, *PYAV)]
        for i in range(args.files):
            which, other = i % len(sound), int(rng.integers(len(sound)))
            path = folder / f"{i}.{(*LIBSNDFILE, *PYAV)[which]}"
            path.write_bytes(mutated(sound[which], sound[other], rng))
            again = other_process.submit(examine, path)
            found, wrong, seconds = examine(path)
            if not wrong and again.result(PATIENCE)[0] != found:
                wrong = "another result in another process"
            if not wrong and seconds > PATIENCE:
                wrong = "a hang"
            if not wrong and not found.problem:
                wrong = rendered(path, args.params)
            if wrong:
                failures.append(f"{path.name}: {wrong}")
                print(failures[-1], file=sys.stderr)
            outcomes[found.problem.partition(":")[0] or "usable"] += 1
            path.unlink()
    print(f"{args.files} files: {dict(outcomes)}; {len(failures)} failures")
    if args.output:
        write_json(args.output, {"n_files": args.files, "outcomes": dict(outcomes), "failures": failures})
    if failures:
        sys.exit(1)


if __name__ == "__main__":
    main()
