"""Damaged files of twelve formats: no traceback, no hang, no NaN, and the same hash at every decode.

Each file is cut, has bytes changed, removed, inserted or repeated, or is joined to another; then it is probed
twice, in two processes, and rendered if it is usable. With `--bundle`, all of them go through `genredag
predict` instead, as one batch, and the first `--served` of them through the app, which must leave no file
behind. The script ends with status 1 if anything fails.

    python benchmarks/fuzz_decoding.py --params params.yaml --files 2000 --output fuzz.json
    python benchmarks/fuzz_decoding.py --params params.yaml --files 1000 --bundle model.onnx --served 200
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
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
    encode(path, y, SR)
    return path.read_bytes()


def encode(path: Path, y: np.ndarray, sr: int) -> None:
    """Write mono samples in the format that the suffix of a file names."""
    suffix = path.suffix[1:]
    if suffix in LIBSNDFILE:
        soundfile.write(path, y, sr, subtype=LIBSNDFILE[suffix])
        return
    with av.open(str(path), "w") as container:
        stream = container.add_stream(PYAV[suffix], rate=sr, layout="mono")
        stream.bit_rate = 128_000
        frame = av.AudioFrame.from_ndarray(y[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = sr
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


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


def decoded(n_files: int, params_file: Path, rng: np.random.Generator) -> tuple[Counter[str], list[str]]:
    """Probe and render damaged files; return the outcomes and the failures."""
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(1) as other_process:
        for path in damaged(Path(name), n_files, rng):
            again = other_process.submit(examine, path)
            found, wrong, seconds = examine(path)
            if not wrong and again.result(PATIENCE)[0] != found:
                wrong = "another result in another process"
            if not wrong and seconds > PATIENCE:
                wrong = "a hang"
            if not wrong and not found.problem:
                wrong = rendered(path, params_file)
            if wrong:
                failures.append(f"{path.name}: {wrong}")
                print(failures[-1], file=sys.stderr)
            outcomes[found.problem.partition(":")[0] or "usable"] += 1
            path.unlink()
    return outcomes, failures


def damaged(folder: Path, n_files: int, rng: np.random.Generator) -> Iterator[Path]:
    """Write damaged files, one at a time."""
    suffixes = (*LIBSNDFILE, *PYAV)
    with tempfile.TemporaryDirectory() as name:
        sound = [make(Path(name, f"sound.{suffix}"), rng) for suffix in suffixes]
    for i in range(n_files):
        which, other = i % len(sound), int(rng.integers(len(sound)))
        path = folder / f"{i}.{suffixes[which]}"
        path.write_bytes(mutated(sound[which], sound[other], rng))
        yield path


def predicted(
    n_files: int, n_served: int, bundle: Path, rng: np.random.Generator
) -> tuple[Counter[str], list[str]]:
    """Send damaged files through `genredag predict` and the app; return the outcomes and the failures."""
    with tempfile.TemporaryDirectory() as name:
        songs, temporary = Path(name, "songs"), Path(name, "temporary")
        songs.mkdir()
        temporary.mkdir()
        paths = list(damaged(songs, n_files, rng))
        outcomes, failures = in_a_batch(songs, n_files, bundle, Path(name, "out"), temporary)
        more, others = served(paths[:n_served], bundle, temporary)
        failures += [*others, *(f"left behind: {path.name}" for path in temporary.rglob("*"))]
    return outcomes + more, failures


def in_a_batch(
    songs: Path, n_songs: int, bundle: Path, out: Path, temporary: Path
) -> tuple[Counter[str], list[str]]:
    """Predict a folder of damaged files."""
    program = "import sys; from genredag.cli import app; app(sys.argv[1:])"
    options = ("predict", songs, "-m", bundle, "-f", "csv", "-o", out, "-j", "2")
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, options)],
        env=os.environ | {"TMPDIR": str(temporary)},
        timeout=PATIENCE * n_songs / 10,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, 1} or "Traceback" in done.stderr:
        return Counter(), [f"status {done.returncode}: {done.stderr}"]
    with out.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    failures = [f"{row['source']}: NaN" for row in rows if row["probability"] == "nan"]
    crashes = [f"{row['source']}: {row['reason']}" for row in rows if "crashed" in row["reason"]]
    missing = [f"{n_songs} songs, {len(rows)} rows"] if len(rows) != n_songs else []
    return Counter(f"predict: {row['status']}" for row in rows), failures + crashes + missing


def served(songs: Sequence[Path], bundle: Path, temporary: Path) -> tuple[Counter[str], list[str]]:
    """Upload damaged files to the app, and predict and remove those that it takes."""
    from fastapi.testclient import TestClient

    from genredag.prediction.app.limits import Limits
    from genredag.prediction.app.offer import Offered
    from genredag.prediction.app.server import make_server

    def refuse(address: str, folder: Path) -> Path:
        raise DataError("no links here", where=address)

    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    offered = Offered(bundle, "fuzzed")
    server = make_server([offered], refuse, Limits(job_seconds=PATIENCE), parent=temporary)
    with TestClient(server) as client:
        for path in songs:
            answer = client.post(f"/api/songs?name={path.name}", content=path.read_bytes())
            if answer.status_code == 200:
                place = f"/api/songs/{answer.json()['id']}"
                answer = client.post(f"{place}/predictions", json={"model": offered.id})
                client.delete(place)
            outcomes[f"app: {answer.status_code}"] += 1
            if answer.status_code not in {200, 413, 422} or "died" in answer.text:
                failures.append(f"{path.name}: {answer.status_code} {answer.text}")
            kept = [path for path in temporary.rglob("*") if path.is_file() and path.suffix != ".lock"]
            failures += [f"{path.name}: left in the app's folder: {kept}"] if kept else []
    return outcomes, failures


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--served", type=int, default=200, help="files that the app gets")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args(argv)
    rng = np.random.default_rng(args.seed)
    if args.bundle:
        outcomes, failures = predicted(args.files, args.served, args.bundle, rng)
    else:
        outcomes, failures = decoded(args.files, args.params, rng)
    print(f"{args.files} files: {dict(outcomes)}; {len(failures)} failures")
    if args.output:
        write_json(args.output, {"n_files": args.files, "outcomes": dict(outcomes), "failures": failures})
    if failures:
        sys.exit(1)


if __name__ == "__main__":
    main()
