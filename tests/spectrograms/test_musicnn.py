import hashlib
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from genredag.errors import ModelError
from genredag.params.groups.spectrograms import Musicnn
from genredag.spectrograms import musicnn_weights as module
from genredag.spectrograms.blocks import blocks, blockwise
from genredag.spectrograms.musicnn import (
    N_COLUMNS,
    N_FRAMES,
    N_MELS,
    N_SAMPLES,
    SR,
    TAGS,
    columns,
    layers,
    log_mel,
    musicnn,
    recorded,
)
from genredag.spectrograms.musicnn_weights import DATA_NAME, IN_WHEEL, obtain_checkpoint, read_variables

PARAMS = Musicnn(layer="penultimate", hop_seconds=1.5, weights="published")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data file of random weights, as large as the published one."""
    shapes = dict(sorted(module._stored()))
    rng = np.random.default_rng(0)
    parts = []
    for name, shape in shapes.items():
        values = rng.normal(0, 0.05, shape)
        parts.append((np.abs(values) + 0.5 if "variance" in name or "gamma" in name else values).ravel())
    path = tmp_path_factory.mktemp("weights") / DATA_NAME
    np.concatenate(parts).astype("<f4").tofile(path)
    return path


@pytest.fixture
def accepted(made, monkeypatch):
    """The same file, whose hash is expected."""
    monkeypatch.setattr(module, "DATA_SHA256", hashlib.sha256(made.read_bytes()).hexdigest())
    return made


def test_the_data_file_has_the_size_of_the_published_one(made):
    assert made.stat().st_size == 9_465_596


def test_variables_of_the_network_without_those_of_the_optimizer(made):
    found = read_variables(made)
    assert len(found) == 64
    assert found["conv2d_1/kernel"].shape == (7, 67, 1, 204)
    assert found["dense/kernel"].shape == (1506, 200)
    assert found["batch_normalization/gamma"].shape == (1,)


def test_every_layer_has_the_published_size(made):
    patch = np.random.default_rng(0).uniform(0, 3, (N_FRAMES, N_MELS)).astype(np.float32)
    shapes = {name: values.shape for name, values in layers(patch, read_variables(made)).items()}
    assert shapes == {
        **{"timbral": (187, 408), "temporal": (187, 153)},
        **dict.fromkeys(("cnn1", "cnn2", "cnn3"), (187, 64)),
        **{"pooled": (1506,), "penultimate": (200,), "tags": (50,)},
    }
    assert len(TAGS) == len(set(TAGS)) == 50


def test_pooled_features_are_maximum_and_mean_in_turns(made):
    patch = np.random.default_rng(0).uniform(0, 3, (N_FRAMES, N_MELS)).astype(np.float32)
    found = layers(patch, read_variables(made))
    joined = np.concatenate([found[name] for name in ("timbral", "temporal", "cnn1", "cnn2", "cnn3")], axis=1)
    np.testing.assert_allclose(found["pooled"][::2], joined.max(axis=0))
    np.testing.assert_allclose(found["pooled"][1::2], joined.mean(axis=0), rtol=1e-4, atol=1e-6)


def test_the_mel_bands_are_those_of_librosa():
    import librosa

    y = np.random.default_rng(0).normal(0, 0.1, N_SAMPLES).astype(np.float32)
    power = librosa.feature.melspectrogram(y=y, sr=SR, n_fft=512, hop_length=256, n_mels=96, center=False)
    np.testing.assert_allclose(log_mel(y), np.log10(10_000 * power.T + 1), atol=1e-4)
    assert log_mel(y).shape == (N_FRAMES, N_MELS)


@pytest.mark.parametrize("layer", N_COLUMNS)
def test_frames(accepted, tmp_path, monkeypatch, layer):
    monkeypatch.setenv("GENREDAG_CACHE", str(tmp_path))
    params = PARAMS.model_copy(update={"layer": layer, "weights": str(accepted)})
    y = np.random.default_rng(0).normal(0, 0.1, 6 * 22_050).astype(np.float32)
    found = musicnn(y, 22_050, params)
    assert found.shape == (5, len(columns(params)))
    np.testing.assert_array_equal(found[0], found[1])  # the first window is moved into the track
    whole = blockwise("musicnn", 22_050, params)
    cut = blocks([y], params.hop_samples(22_050), whole.context, 2)
    in_blocks = np.concatenate([whole.values(block) for block in cut])
    np.testing.assert_allclose(in_blocks, found, rtol=1e-2, atol=1e-2)


def test_a_copy_of_the_user_is_kept_in_the_cache(accepted, tmp_path):
    wheel = tmp_path / "musicnn.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(accepted, IN_WHEEL)
    for i, given in enumerate((accepted, accepted.parent, wheel)):
        cached = obtain_checkpoint(str(given), tmp_path / str(i))
        assert cached == tmp_path / str(i) / "weights" / DATA_NAME
        assert cached.read_bytes() == accepted.read_bytes()
        assert obtain_checkpoint("published", tmp_path / str(i)) == cached


def test_other_weights_and_missing_files_are_errors(made, tmp_path):
    with pytest.raises(ModelError, match=r"representations.musicnn.weights: .* holds other weights: sha256"):
        obtain_checkpoint(str(made), tmp_path)
    with pytest.raises(ModelError, match=r"missing.whl: no such file; expected published, the wheel of"):
        obtain_checkpoint("missing.whl", tmp_path)
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(ModelError, match=r"other.whl: .*expected published"):
        obtain_checkpoint(str(tmp_path / "other.whl"), tmp_path)
    assert not (tmp_path / "weights").exists()


def test_the_download_is_one_command_with_one_hash(accepted, tmp_path, monkeypatch):
    commands = []

    def run(command, **_):
        commands.append(command)
        requirement = command[command.index("--requirement") + 1]
        wanted = f"musicnn==0.1.0 --hash=sha256:{module.WHEEL_SHA256}\n"
        assert Path(requirement).read_text() == wanted
        with zipfile.ZipFile(f"{command[command.index('--dest') + 1]}/musicnn.whl", "w") as archive:
            archive.write(accepted, IN_WHEEL)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    cached = obtain_checkpoint("published", tmp_path)
    assert obtain_checkpoint("published", tmp_path) == cached
    assert len(commands) == 1
    assert "--no-deps" in commands[0]


def test_offline_the_error_says_what_to_do(tmp_path, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "WARNING: a\nERROR: No matching distribution found\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(ModelError, match="can't be downloaded") as caught:
        obtain_checkpoint("published", tmp_path)
    assert "(No matching distribution found)" in str(caught.value)
    assert "pip download --no-deps musicnn==0.1.0" in caught.value.hint


def test_all_copies_of_the_weights_are_recorded_alike():
    assert recorded(PARAMS.model_copy(update={"weights": "a/folder"})) == PARAMS


def test_the_published_weights_name_a_genre(shared_dir, musicnn_weights, tmp_path):
    from genredag.tracks.audio import decode

    variables = read_variables(obtain_checkpoint(musicnn_weights, tmp_path))
    expected = {"jazz_kevin": {"jazz"}, "country_karissa": {"folk", "country"}}
    for name, genres in expected.items():
        (song,) = (shared_dir / "songs").glob(f"{name}*")
        y, _ = decode(song, SR)
        starts = range(0, 60 * SR, 6 * SR)
        tags = np.mean([layers(log_mel(y[s : s + N_SAMPLES]), variables)["tags"] for s in starts], axis=0)
        assert genres <= {TAGS[i] for i in np.argsort(-tags)[:5]}
