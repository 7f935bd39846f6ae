import numpy as np
import pytest

from genredag.runtime.cache import cached_array, default_cache_dir


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENREDAG_CACHE", str(tmp_path))
    return tmp_path


def test_computes_once_for_equal_arguments():
    calls = []

    def compute():
        calls.append(1)
        return np.arange(3.0)

    for arguments in (["hann", 8], ["hann", 8], ["hann", 9]):
        np.testing.assert_array_equal(cached_array("window", arguments, ["numpy"], compute), np.arange(3.0))
    assert len(calls) == 2 and len(list((default_cache_dir() / "arrays").iterdir())) == 2


def test_computes_again_with_another_version(monkeypatch):
    cached_array("window", [8], ["numpy"], lambda: np.zeros(1))
    monkeypatch.setattr("genredag.runtime.cache.version", lambda package: "0")
    assert cached_array("window", [8], ["numpy"], lambda: np.ones(1)) == 1


def test_a_damaged_file_is_replaced(cache):
    cached_array("window", [8], [], lambda: np.zeros(1))
    (file,) = (cache / "arrays").iterdir()
    file.write_bytes(b"nonsense")
    for _ in range(2):
        assert cached_array("window", [8], [], lambda: np.ones(1)) == 1


def test_a_cache_that_cannot_be_written_is_ignored(cache):
    (cache / "arrays").write_text("a file where a folder should be")
    assert cached_array("window", [8], [], lambda: np.ones(1)) == 1
