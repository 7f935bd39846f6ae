"""Prediction of songs: cold start, latency, throughput and memory, with Keras and with ONNX.

The songs are noise in WAV files, and the network has random weights: neither matters for time and memory.
Each measurement is a process of its own. Wall seconds include the start of Python. CPU seconds are those of
all threads.

    python benchmarks/predict.py --model crnn --songs 200

Cold start: a song of 30 s with `genredag predict`. Latency: a song of four minutes, the second one of a
process. Throughput: songs of 30 s in one run of `genredag predict`, against one run a song, and against Keras
in one process. Memory: two hours of audio.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from genredag.params.loading import load_params
from genredag.runtime.files import write_json

Row = dict[str, object]
SR = 22_050
LATENCY_SECONDS, SONG_SECONDS = 240, 30

COLD = "import sys; from genredag.cli import app; app(sys.argv[1:])"
LATENCY = """
import sys, time, genredag
from pathlib import Path
# As the command does, with one thread.
cache = Path() if sys.argv[1].endswith(".onnx") else None
classifier = genredag.load(sys.argv[1], onnx_cache=cache)
classifier.predict(sys.argv[2])
start = time.perf_counter()
classifier.predict(sys.argv[2])
print(time.perf_counter() - start)
"""
MANY = """
import sys, genredag
classifier = genredag.load(sys.argv[1])
for _ in classifier.predict_many(sys.argv[3:], n_jobs=int(sys.argv[2])): pass
"""


def make_bundles(folder: Path, params_file: Path, model: str) -> dict[str, Path]:
    """Write an untrained bundle for mel spectrograms, as it is and as ONNX."""
    from genredag.runtime.backend import configure_backend

    configure_backend(threads=1)
    from genredag.bundles.bundle import Bundle, save_bundle
    from genredag.bundles.export import export_onnx
    from genredag.bundles.predictor import BundleInfo
    from genredag.frames.rendering import plan
    from genredag.frames.slices import slice_length
    from genredag.models.assembly import build_network

    params = load_params(params_file)
    recipe = params.entry("models", model)
    spec = plan("mel", params.entry("representations", "mel"), params.spectrograms)
    n_frames = slice_length(params.slices.seconds, spec.frames_per_second)
    statistics = (np.full(spec.n_bins, -40.0), np.full(spec.n_bins, 100.0))
    genres = [f"genre {i}" for i in range(10)]
    sizes = {"n_frames": n_frames, "n_bins": spec.n_bins, "n_classes": len(genres)}
    network = build_network(model, recipe, **sizes, statistics=statistics, precision="float32")
    slices = {"seconds": params.slices.seconds, "overlap": params.slices.overlap, "n_frames": n_frames}
    unknown = {"train": {}, "options": {}, "metrics": {}, "layers": [], "versions": {}, "commit": None}
    info: BundleInfo = {
        **unknown,
        "class_names": genres,
        "model": model,
        "frames": dataclasses.asdict(spec),
        "slices": slices,
        "recipe": recipe.model_dump(mode="json"),
        "features": None,
        "n_parameters": network.count_params(),
        "seed": 0,
    }
    paths = {"Keras": folder / "model.zip", "ONNX": folder / "model.onnx"}
    save_bundle(paths["Keras"], Bundle(info, network))
    export_onnx(paths["Keras"], paths["ONNX"])
    return paths


def make_song(path: Path, seconds: int) -> Path:
    """Write a WAV file of noise, a minute at a time."""
    import soundfile

    minute = np.random.default_rng(0).normal(0, 0.1, 60 * SR).astype(np.float32)
    with soundfile.SoundFile(path, "w", SR, 1) as file:
        for first in range(0, seconds, 60):
            file.write(minute[: (seconds - first) * SR])
    return path


def measure(program: str, *arguments: object) -> tuple[Row, str]:
    """Run a program in a new process: its wall and CPU seconds and peak memory, and what it prints."""
    # Of this process's children, only the largest is known; so each gets a parent of its own.
    code = (
        "import json, resource, subprocess, sys, time; start = time.perf_counter();"
        "done = subprocess.run([sys.executable, '-c', *sys.argv[1:]], check=True, stdout=subprocess.PIPE);"
        "wall = time.perf_counter() - start; used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(json.dumps([wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**10,"
        " done.stdout.decode()]))"
    )
    command = [sys.executable, "-c", code, program, *map(str, arguments)]
    wall, cpu, memory, output = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {"wall_seconds": wall, "cpu_seconds": cpu, "peak_mb": memory}, output


def cold_start(name: str, bundle: Path, song: Path) -> Row:
    """Return the figures of `genredag predict` for one song; the second of two runs, with warm caches."""
    arguments = ("predict", song, "--model", bundle, "--format", "json")
    measure(COLD, *arguments)
    return {"what": "cold start", "model": name, **measure(COLD, *arguments)[0]}


def latency(name: str, bundle: Path, song: Path) -> Row:
    """Return the figures of a process that predicts a song twice, and the seconds of the second time."""
    figures, output = measure(LATENCY, bundle, song)
    return {"what": "latency", "model": name, "song_seconds": float(output), **figures}


def one_run(bundle: Path, songs: list[Path], jobs: int) -> Row:
    """Return the figures of one `genredag predict` for all songs."""
    options = ("--model", bundle, "--format", "csv", "--jobs", jobs)
    figures, _ = measure(COLD, "predict", *songs, *options)
    return {"what": "one run", "model": "ONNX", **_rates(figures, len(songs))}


def keras(bundle: Path, songs: list[Path], jobs: int) -> Row:
    """Return the figures of one process that predicts all songs with Keras."""
    figures, _ = measure(MANY, bundle, jobs, *songs)
    return {"what": "one process", "model": "Keras", **_rates(figures, len(songs))}


def one_run_each(bundle: Path, song: Path, repeats: int) -> Row:
    """Return the figures of `genredag predict` called for each song."""
    rows = [cold_start("ONNX", bundle, song) for _ in range(repeats)]
    median = {key: float(np.median([row[key] for row in rows])) for key in ("wall_seconds", "cpu_seconds")}
    return {"what": "one run a song", "model": "ONNX", **_rates(median, 1)}


def _rates(figures: Row, n_songs: int) -> Row:
    wall, cpu = figures["wall_seconds"], figures["cpu_seconds"]
    rates = {"songs_per_second": n_songs / wall, "songs_per_cpu_second": n_songs / cpu}
    return {"songs": n_songs, **rates, **figures}


def memory(name: str, bundle: Path, hours: Path) -> Row:
    """Return the figures of a process that predicts a very long song."""
    return {"what": "long song", "model": name, **measure(MANY, bundle, 1, hours)[0]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--model", default="crnn")
    parser.add_argument("--songs", type=int, default=200)
    parser.add_argument("--keras-songs", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=3, help="processes with one song each")
    parser.add_argument("--long-minutes", type=int, default=120)
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["GENREDAG_CACHE"] = str(folder / "cache")
        bundles = make_bundles(folder, args.params, args.model)
        songs = [make_song(folder / f"{i}.wav", SONG_SECONDS) for i in range(args.songs)]
        minutes = make_song(folder / "minutes.wav", LATENCY_SECONDS)
        hours = make_song(folder / "hours.wav", 60 * args.long_minutes)
        onnx = bundles["ONNX"]
        each, together = one_run_each(onnx, songs[0], args.repeats), one_run(onnx, songs, args.jobs)
        rows += [each, together, keras(bundles["Keras"], songs[: args.keras_songs], args.jobs)]
        gain = together["songs_per_second"] / each["songs_per_second"]
        rows += [{"what": "one run, against one run a song", "times": gain}]
        rows += [latency(kind, bundle, minutes) for kind, bundle in bundles.items()]
        rows += [cold_start("ONNX", onnx, songs[0]), keras(bundles["Keras"], songs[:1], 1)]
        rows += [memory("ONNX", onnx, hours)]
    for row in rows:
        print({key: round(v, 3) if isinstance(v, float) else v for key, v in row.items()})
    if args.output:
        write_json(args.output, rows)


if __name__ == "__main__":
    main()
