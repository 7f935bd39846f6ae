"""Time, memory and disk space saved by computing the frozen part of a network only once.

The data are noise in a float16 frame store, with an eighth of the slices for validation. Each model runs with
and without the stage `embed`, in separate processes. CPU seconds are measured for the stage, for a run of one
epoch, and for each epoch after the first.

    python benchmarks/embed.py --models squeezenet_frozen --slices 512 --weights squeezenet_weights.h5
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from train import Row, make_data

from genredag.params.groups.models import Train
from genredag.params.loading import load_params
from genredag.runtime.backend import configure_backend
from genredag.runtime.files import write_json


def measure(params: Path, name: str, embed: bool, threads: int, n_slices: int, weights: str | None) -> Row:
    """Return the measurements of one setting; call it in a new process."""
    configure_backend(threads)
    from genredag.training.embedding import NOTHING, write_embeddings
    from genredag.training.train import train_bundle

    recipe = load_params(params).entry("models", name)
    backbone = recipe.backbone.model_copy(update={"weights": weights})
    train = Train(precision="float32", threads=threads, normalisation="bin")
    figures: Row = {"model": name, "embed": embed, "threads": threads, "slices": n_slices}
    with tempfile.TemporaryDirectory() as folder:
        data, path = make_data(Path(folder), n_slices), Path(folder, "embeddings.npy")
        start, embeddings = time.process_time(), NOTHING
        if embed:
            write_embeddings(path, backbone, train, data, seed=0)
            embeddings = np.load(path, mmap_mode="r")
            figures |= {"embed_seconds": time.process_time() - start, "mb": path.stat().st_size / 2**20}
        seconds = []
        for epochs in (1, 3):
            changes = {"backbone": backbone, "epochs": epochs, "patience": epochs}
            own, start = recipe.model_copy(update=changes), time.process_time()
            _, history, _ = train_bundle(name, own, train, data, seed=0, embeddings=embeddings)
            seconds.append(time.process_time() - start)
    figures |= {"first_seconds": seconds[0], "epoch_seconds": (seconds[1] - seconds[0]) / 2}
    figures["val_loss"] = history["val_loss"].iloc[-1]
    return figures | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--models", nargs="+", default=["squeezenet_frozen", "vgg16_ft", "vgg16_gtzan"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--slices", type=int, default=256, help="total number of slices; an eighth validates")
    parser.add_argument("--weights", help="weights file (otherwise weights are random)")
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(*json.loads(args.one))))
        return
    rows = []
    for model in args.models:
        for embed in (True, False):
            one = json.dumps([str(args.params), model, embed, args.threads, args.slices, args.weights])
            done = subprocess.run(
                [sys.executable, __file__, "--one", one], check=True, stdout=subprocess.PIPE, text=True
            )
            rows.append(json.loads(done.stdout.splitlines()[-1]))
            print({key: round(v, 4) if isinstance(v, float) else v for key, v in rows[-1].items()})
    if args.output:
        write_json(args.output, rows)


if __name__ == "__main__":
    main()
