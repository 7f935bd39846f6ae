"""What `genredag predict` imports: a song must not wait for libraries that its prediction doesn't need."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from genredag.bundles.export import export_onnx

HEAVY = ("keras", "tensorflow", "jax", "sklearn", "skops", "librosa", "numba", "pandas", "pyarrow")
PREDICT = f"""
import sys
from genredag.cli import app
try:
    app(sys.argv[1:])
finally:
    print(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("representation", ["mel", "stft", "cqt"])
def test_a_song_is_predicted_without_heavy_imports(representation, make_trained, tmp_path):
    trained = make_trained("svm_rbf", representation)
    export_onnx(trained.path, tmp_path / "model.onnx")
    song = trained.files["rock.1"]
    command = [sys.executable, "-c", PREDICT, "predict", song, "-m", tmp_path / "model.onnx", "-f", "csv"]
    environment = os.environ | {"GENREDAG_CACHE": str(tmp_path / "cache")}
    for imported in (None, ""):  # the first time, filters and windows are computed
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert "rock" in done.stdout
        assert imported is None or done.stderr.splitlines()[-1] == imported
