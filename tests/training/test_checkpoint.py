import numpy as np
import pytest

from genredag.training.checkpoint import Checkpoint, fingerprint, remove_checkpoints

ARRAYS = {"model": [np.eye(2, dtype=np.float32), np.array([7], np.uint32)], "best": []}


def test_reads_what_was_written(tmp_path):
    checkpoint = Checkpoint(tmp_path / ".bundle.zip.checkpoint", "k")
    assert checkpoint.read() is None
    checkpoint.write({"seconds": 0.1 + 0.2}, {"model": [], "best": []})
    checkpoint.write({"seconds": 0.1 + 0.2}, ARRAYS)
    about, arrays = checkpoint.read()
    assert about == {"seconds": 0.1 + 0.2}
    assert arrays["best"] == []
    for array, expected in zip(arrays["model"], ARRAYS["model"], strict=True):
        np.testing.assert_array_equal(array, expected)
        assert array.dtype == expected.dtype
    assert [path.name for path in tmp_path.iterdir()] == [".bundle.zip.checkpoint"]


def test_a_state_of_another_training_is_ignored(tmp_path):
    path = tmp_path / "checkpoint"
    Checkpoint(path, "k").write({}, ARRAYS)
    assert Checkpoint(path, "other").read() is None
    assert Checkpoint(path, "k").read() is not None


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b"nonsense", lambda b: b[: len(b) // 2]])
def test_a_damaged_file_is_ignored(tmp_path, caplog, damage):
    path = tmp_path / "checkpoint"
    Checkpoint(path, "k").write({}, ARRAYS)
    path.write_bytes(damage(path.read_bytes()))
    assert Checkpoint(path, "k").read() is None
    assert "can't be read: training starts from scratch" in caplog.text


def test_a_fingerprint_depends_on_values_contents_types_and_shapes():
    zeros = np.zeros((2, 3), np.float32)
    prints = [
        fingerprint([1], [zeros]),
        fingerprint([2], [zeros]),
        fingerprint([1], [zeros + 1]),
        fingerprint([1], [zeros.astype(np.float64)]),
        fingerprint([1], [zeros.T]),
        fingerprint([1], []),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint({"a": 1, "b": 2}, [zeros[:, ::2]]) == fingerprint({"b": 2, "a": 1}, [zeros[:, :2]])


def test_those_of_a_finished_training_are_removed_but_not_what_is_being_written(tmp_path):
    path = tmp_path / ".bundle.zip.checkpoint"
    kept = {f".0123456789abcdef.{path.name}", "bundle.zip"}
    for name in (path.name, f".warm_up{path.name}", *kept):
        (tmp_path / name).touch()
    remove_checkpoints(path)
    remove_checkpoints(path)
    assert {file.name for file in tmp_path.iterdir()} == kept
