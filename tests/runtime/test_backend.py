import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from genredag.bundles.loading import load_bundle
from genredag.errors import DataError, ModelError, ParameterError
from genredag.frames.batches import shuffled_batches
from genredag.runtime.backend import configure_backend, fed, settled_precision

TRIAL = Path(__file__).with_name("backend_trial.py")
SEEDS = (1, 2, 3)

# NumPy is loaded before and scikit-learn behind, each with its own BLAS.
PROGRAM = """
import json, numpy
from genredag.runtime.backend import configure_backend
configure_backend(threads=3)
import gc, sys
assert gc.isenabled() and "tensorflow" in sys.modules and "jax" not in sys.modules
frozen = gc.get_freeze_count()
configure_backend(threads=3)
assert 100_000 < gc.get_freeze_count() <= frozen
import sklearn.svm, threadpoolctl
pools = {pool["filepath"]: pool["num_threads"] for pool in threadpoolctl.threadpool_info()}
print(json.dumps([list(pools.values()), __import__("os").environ["TF_NUM_INTRAOP_THREADS"]]))
"""


def test_sets_the_threads_of_every_library():
    environment = {key: value for key, value in os.environ.items() if "NUM_THREADS" not in key}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    pools, tensorflow = json.loads(done.stdout)
    assert len(pools) >= 3 and set(pools) == {3}  # two of BLAS, one of OpenMP
    assert tensorflow == "3"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_freed_memory_is_used_again():
    program = "\n".join(
        [
            "import numpy, resource",
            "from genredag.runtime.backend import keep_freed_memory",
            "keep_freed_memory()",
            "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt",
            "for _ in range(2):",
            "    before = faults()",
            "    numpy.ones(2**22, numpy.float32)",
            "    print(faults() - before)",
        ]
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    first, second = map(int, done.stdout.split())
    assert second < first / 2


def test_tensorflow_is_the_default_whatever_the_keras_config_says(tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    program = "from genredag.runtime.backend import configure_backend; configure_backend(1); import keras; "
    program += "print(keras.backend.backend())"
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment | {"KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-1] == "tensorflow"


def test_another_backend_is_refused_before_keras_is_imported(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "nope")
    with pytest.raises(ParameterError, match=r"^KERAS_BACKEND: 'nope'; expected tensorflow or jax$"):
        configure_backend(1)


def test_a_missing_backend_is_reported(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr("genredag.runtime.backend.find_spec", lambda name: None)
    with pytest.raises(
        ParameterError, match=r"^KERAS_BACKEND: jax is not installed\. Hint: pip install 'genredag\[jax\]'$"
    ):
        configure_backend(1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folders of what `backend_trial.py` trains, by backend."""
    pytest.importorskip("jax")
    folders = {}
    for backend in ("tensorflow", "jax"):
        folders[backend] = tmp_path_factory.mktemp(backend)
        command = [sys.executable, str(TRIAL), str(folders[backend]), *map(str, SEEDS)]
        subprocess.run(command, env=os.environ | {"KERAS_BACKEND": backend}, check=True)
    return folders


@pytest.mark.slow
@pytest.mark.parametrize("model", ["cnn_370k", "lstm"])
def test_backends_reach_the_same_accuracy(trained, model):
    tensorflow, jax = (
        json.loads((folder / "accuracies.json").read_text())[model] for folder in trained.values()
    )
    assert min(np.mean(tensorflow), np.mean(jax)) > 0.75  # a guess has 1/3
    # Three means of 45 test slices each: their difference has a standard deviation of about 0.05.
    assert abs(np.mean(tensorflow) - np.mean(jax)) < 0.15


@pytest.mark.slow
@pytest.mark.parametrize("model", ["cnn_370k", "lstm"])
def test_a_bundle_trained_with_jax_predicts_the_same_with_tensorflow(trained, model):
    bundle = load_bundle(trained["jax"] / f"{model}-1.zip")
    assert bundle.info["versions"]["backend"] == "jax"
    told = np.load(trained["jax"] / f"{model}-1.npz")
    np.testing.assert_allclose(bundle.predict(told["slices"]), told["probabilities"], atol=1e-5)


@pytest.mark.parametrize(
    ("flags", "backend", "expected"),
    [
        ("fpu avx2 avx512f avx512_bf16", "tensorflow", "mixed_bfloat16"),
        ("fpu amx_tile amx_bf16", "tensorflow", "mixed_bfloat16"),
        ("fpu avx2 avx512f", "tensorflow", "float32"),
        (None, "tensorflow", "float32"),
        ("fpu avx512_bf16", "jax", "float32"),
    ],
)
def test_auto_is_the_precision_that_the_processor_is_made_for(
    tmp_path, monkeypatch, flags, backend, expected
):
    file = tmp_path / "cpuinfo"
    if flags:
        file.write_text(f"processor\t: 0\nmodel name\t: any\nflags\t\t: {flags}\nbugs\t\t: spectre_v1\n")
    monkeypatch.setattr("genredag.runtime.backend._PROCESSORS", file)
    monkeypatch.setattr("keras.backend.backend", lambda: backend)
    assert settled_precision("auto") == expected
    assert settled_precision("float32") == "float32"
    assert settled_precision("mixed_bfloat16") == "mixed_bfloat16"


def test_batches_are_read_again_in_order_and_nothing_tunes_them(toy_slices):
    batches = shuffled_batches(toy_slices.part("train"), 5, seed=1)
    with fed(batches) as (dataset,):
        for epoch in (0, 1):
            batches.start_epoch(epoch)
            given = [tuple(map(np.asarray, batch)) for batch in dataset]
            assert len(given) == len(dataset) == len(batches)
            for found, expected in zip(given, (batches[i] for i in range(len(batches))), strict=True):
                for part, same in zip(found, expected, strict=True):
                    np.testing.assert_array_equal(part, same)
    assert dataset.options().autotune.enabled is False


@pytest.mark.parametrize("place", [0, 1])
def test_an_error_in_a_batch_is_raised_as_it_was(toy_slices, place):
    def fail(slices, labels, rng):
        if failing:
            raise DataError("frames.npy is shorter than its index")
        return slices, labels

    failing = False
    parts = [shuffled_batches(toy_slices.part("train"), 5, seed=1, prepare=fail) for _ in range(2)]
    with pytest.raises(DataError, match="shorter than its index") as raised, fed(*parts) as datasets:
        failing = True
        list(datasets[place])
    assert raised.value.__suppress_context__  # TensorFlow's error is not printed, too


def test_other_errors_and_interrupts_leave_the_block_unchanged(toy_slices):
    batches = shuffled_batches(toy_slices.part("train"), 5, seed=1)
    for error in (ModelError("the loss is not finite"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as raised, fed(batches) as (dataset,):
            next(iter(dataset))
            raise error
        assert raised.value is error


@pytest.mark.parametrize("place", [0, 1])
def test_the_block_ends_with_the_batch_that_is_being_made(toy_slices, place):
    made, begun = [], threading.Event()

    def slow(slices, labels, rng):
        made.append("begun")
        if len(made) == 3:
            begun.set()
            time.sleep(0.5)
        made[-1] = "done"
        return slices, labels

    parts = [shuffled_batches(toy_slices.part("train"), 1, seed=1) for _ in range(2)]
    parts[place] = shuffled_batches(toy_slices.part("train"), 1, seed=1, prepare=slow)
    with fed(*parts) as datasets:
        iterator = iter(datasets[place])
        next(iterator)
        assert begun.wait(10)
        assert made[-1] == "begun"
    assert set(made) == {"done"} and len(made) < len(parts[place])
    n_made = len(made)
    time.sleep(0.2)
    assert len(made) == n_made


@pytest.mark.parametrize("n_interrupts", [1, 3])
def test_training_with_slow_batches_can_be_interrupted(n_interrupts):
    script = Path(__file__).with_name("slow_batches.py")
    default = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=default
    )
    assert process.stdout.readline() == b"training\n"
    for _ in range(n_interrupts):
        time.sleep(0.4)
        process.send_signal(signal.SIGINT)
    try:
        assert b"KeyboardInterrupt" in process.communicate(timeout=60)[1]
    finally:
        process.kill()


def test_other_backends_get_the_batches_themselves(toy_slices, monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    batches = shuffled_batches(toy_slices.part("train"), 5, seed=None)
    with fed(batches) as (same,):
        assert same is batches
