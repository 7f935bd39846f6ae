import dataclasses
import errno
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from genredag.errors import DataError, ParameterError, exits_cleanly
from genredag.frames import rendering
from genredag.frames.rendering import plan, render
from genredag.frames.store import open_frames
from genredag.params.groups.spectrograms import Mel, Rendering, Shift
from genredag.params.loading import parse_params
from genredag.runtime import files as atomic
from genredag.spectrograms.registry import REPRESENTATIONS

SR = 8000
GROUP = Mel(
    n_fft=256, hop_length=100, window="hann", n_mels=12, fmin=0.0, fmax=4000.0, scale="db", top_db=80.0
)
FLOAT16 = Rendering(sr=SR, dtype="float16", shifts=[])
UINT8 = Rendering(sr=SR, dtype="uint8", shifts=[])
HIGHER, FASTER = Shift(pitch_semitones=12.0, tempo=1.0), Shift(pitch_semitones=0.0, tempo=2.0)
SHIFTED = FLOAT16.model_copy(update={"shifts": [HIGHER, FASTER]})
SECONDS = {"a.0": 0.5, "a.1": 0.73, "b.0": 0.2}


@pytest.fixture
def manifest(tmp_path):
    """Three usable tracks of different length, relative to a cache folder, and a quarantined one."""
    rng = np.random.default_rng(0)
    (tmp_path / "cache").mkdir()
    for track_id, seconds in SECONDS.items():
        y = 0.1 * rng.standard_normal(int(seconds * SR))
        soundfile.write(tmp_path / "cache" / f"{track_id}.wav", y, SR)
    tracks = pd.DataFrame(
        {"track_id": SECONDS.keys(), "duration": SECONDS.values(), "sr": SR, "status": "ok"}
    )
    tracks["path"] = tracks["track_id"] + ".wav"
    broken = {"track_id": "b.1", "duration": 0.0, "sr": 0, "status": "quarantined", "path": "b.1.wav"}
    return pd.concat([tracks, pd.DataFrame([broken])], ignore_index=True)


@pytest.fixture
def rendered(manifest, tmp_path):
    def call(rendering=FLOAT16, out="out", n_jobs=1, name="mel", group=GROUP):
        folders = {"cache_dir": tmp_path / "cache", "out_dir": tmp_path / out}
        render(manifest, name, group, rendering, n_jobs=n_jobs, **folders)
        return tmp_path / out

    return call


def test_tracks_are_concatenated(rendered):
    store = open_frames(rendered())
    n_frames = [1 + int(seconds * SR) // 100 for seconds in SECONDS.values()]
    assert store.index["track_id"].tolist() == list(SECONDS)
    assert store.index["n_frames"].tolist() == n_frames
    assert store.index["first_frame"].tolist() == [0, n_frames[0], n_frames[0] + n_frames[1]]
    assert store.index["duration"].tolist() == list(SECONDS.values())
    assert store.index.dtypes.astype(str).tolist()[1:] == ["int64", "int32", "float64", "str"]
    assert store.index["parent"].isna().all()
    assert store.array.shape == (sum(n_frames), 12) == (store.spec.total_frames, store.spec.n_bins)
    assert store.array.dtype == np.float16
    assert store.spec.frames_per_second == 80.0
    assert store.spec.params == GROUP.model_dump()


def test_stored_values_are_those_of_the_representation(rendered, tmp_path):
    from genredag.spectrograms.mel import mel
    from genredag.tracks.audio import decode

    store = open_frames(rendered())
    first, n_frames = store.index.loc[1, ["first_frame", "n_frames"]]
    values = store.gather(np.array([first]), n_frames, np.array([n_frames]))[0]
    expected = mel(decode(tmp_path / "cache" / "a.1.wav", SR)[0], SR, GROUP)
    np.testing.assert_allclose(values, expected, atol=0.04)


def test_only_the_three_files_remain(rendered):
    assert sorted(p.name for p in rendered().iterdir()) == ["frames.json", "frames.npy", "frames.parquet"]


def test_uint8_is_accurate_to_half_a_quantisation_step(rendered):
    exact, coarse = open_frames(rendered()), open_frames(rendered(UINT8, "coarse"))
    assert coarse.array.dtype == np.uint8
    assert coarse.spec.step == pytest.approx(80 / 255)
    difference = coarse.spec.decode(coarse.array) - exact.spec.decode(exact.array)
    assert np.abs(difference).max() <= 80 / 255 / 2 + 0.04


@pytest.mark.parametrize(("stored", "value"), [(0, -80.0), (255, 0.0)])
def test_uint8_ends_are_exact(stored, value):
    spec = plan("mel", GROUP, UINT8)
    assert spec.decode(np.array([stored], np.uint8))[0] == pytest.approx(value, abs=1e-5)
    assert spec.encode(np.array([value], np.float32))[0] == stored


def test_uint8_is_refused_for_features(tree):
    group = parse_params(tree).representations.handcrafted
    with pytest.raises(
        ParameterError, match=r"spectrograms\.dtype: uint8 can't hold handcrafted: .*; expected float16"
    ):
        plan("handcrafted", group, Rendering(sr=22_050, dtype="uint8", shifts=[]))


def test_bytes_do_not_depend_on_the_number_of_processes(rendered, monkeypatch):
    one = rendered(SHIFTED, out="one")
    monkeypatch.setattr(rendering, "MIN_PARALLEL_SECONDS", 0.0)
    two = rendered(SHIFTED, out="two", n_jobs=2)
    for name in ("frames.npy", "frames.parquet", "frames.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_another_sample_rate_resamples(rendered):
    store = open_frames(rendered(Rendering(sr=16_000, dtype="float16", shifts=[]), group=GROUP))
    assert store.spec.frames_per_second == 160.0
    assert store.index["n_frames"].tolist() == [1 + int(s * 16_000) // 100 for s in SECONDS.values()]


def test_shifted_copies_follow_the_tracks_and_leave_them_unchanged(rendered):
    plain, store = open_frames(rendered()), open_frames(rendered(SHIFTED, "shifted"))
    tracks, copies = store.index[store.index["parent"].isna()], store.index[store.index["parent"].notna()]
    pd.testing.assert_frame_equal(tracks, plain.index)
    np.testing.assert_array_equal(store.array[: len(plain.array)], plain.array)
    assert copies["track_id"].tolist() == [f"{t}~{s}" for s in ("pitch+12", "tempo2") for t in SECONDS]
    assert copies["parent"].tolist() == 2 * list(SECONDS)
    assert copies["duration"].tolist() == [
        seconds / tempo for tempo in (1, 2) for seconds in SECONDS.values()
    ]
    lengths = tracks["n_frames"].to_numpy()
    np.testing.assert_allclose(copies["n_frames"].to_numpy(), [*lengths, *lengths / 2], atol=0.5)
    assert store.array.shape[0] == store.spec.total_frames == store.index["n_frames"].sum()
    assert (plain.spec.shifts, store.spec.shifts) == ([], ["pitch+12", "tempo2"])


def test_an_octave_doubles_the_frequency_and_tempo_keeps_it(manifest, tmp_path, rendered):
    time = np.arange(SR) / SR
    for track_id in SECONDS:
        soundfile.write(tmp_path / "cache" / f"{track_id}.wav", 0.5 * np.sin(2 * np.pi * 500 * time), SR)
    store = open_frames(rendered(SHIFTED))
    loudest = [
        store.array[first + 2 : first + n - 2].astype(np.float32).mean(axis=0).argmax()
        for first, n in zip(store.index["first_frame"], store.index["n_frames"], strict=True)
    ]
    at_500, at_1000 = (int(np.abs(np.array(store.spec.bins) - hz).argmin()) for hz in (500, 1000))
    assert loudest == [at_500] * 3 + [at_1000] * 3 + [at_500] * 3


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_missing_track_is_named(rendered, tmp_path, monkeypatch, n_jobs):
    monkeypatch.setattr(rendering, "MIN_PARALLEL_SECONDS", 0.0)
    (tmp_path / "cache" / "a.1.wav").unlink()
    with pytest.raises(
        DataError, match=r"track a\.1: no such file: .*a\.1\.wav\. Hint: the cache folder was emptied"
    ):
        rendered(n_jobs=n_jobs)
    assert not any((tmp_path / "out").iterdir())


def test_a_manifest_without_usable_tracks_is_refused(manifest, tmp_path):
    folders = {"cache_dir": tmp_path, "out_dir": tmp_path / "out"}
    with pytest.raises(DataError, match=r"no usable track. Hint: see quarantine\.csv"):
        render(manifest[manifest["status"] != "ok"], "mel", GROUP, FLOAT16, n_jobs=1, **folders)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_reported_in_one_line_and_leaves_no_files(rendered, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(atomic, "uuid4", lambda: types.SimpleNamespace(hex="0" * 32))
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(atomic, "_remove_left_over", lambda folder: None)
    name = f".{atomic._this_computer()}{'0' * 8}.frames.npy"
    (tmp_path / "out" / name).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        rendered()
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "out" / "frames.npy"))
    assert not any((tmp_path / "out").iterdir())
    with pytest.raises(SystemExit):
        exits_cleanly(lambda: (_ for _ in ()).throw(caught.value))()
    assert capsys.readouterr().err.startswith(
        f"genredag: error: {tmp_path / 'out' / 'frames.npy'}: No space left"
    )


@pytest.fixture
def published(monkeypatch):
    """Two files of published spectrograms, their tracks interleaved, behind a stand-in for the loader."""
    rng = np.random.default_rng(0)
    arrays = {
        "train.npz": (["a.0", "b.0"], rng.integers(3, 256, (2, 40, 12), np.uint8)),
        "test.npz": (["a.1"], rng.integers(3, 256, (1, 40, 12), np.uint8)),
    }
    monkeypatch.setattr(rendering, "load_spectrograms", lambda path: arrays[path.name])
    tracks = pd.DataFrame({"track_id": ["a.0", "a.1", "b.0"], "path": ["train.npz", "test.npz", "train.npz"]})
    return tracks.assign(duration=10.0, sr=0, status="ok"), arrays


def render_published(tracks, out_dir, rendering=UINT8):
    render(tracks, "mel", GROUP, rendering, cache_dir=Path(), out_dir=out_dir, n_jobs=1)
    return open_frames(out_dir)


def test_published_spectrograms_keep_their_values(published, tmp_path):
    tracks, arrays = published
    store = render_published(tracks, tmp_path)
    assert store.array.dtype == np.float16
    assert (store.spec.frames_per_second, store.spec.floor, store.spec.sr) == (4.0, 3.0, 0)
    expected = [arrays["train.npz"][1][0], arrays["test.npz"][1][0], arrays["train.npz"][1][1]]
    np.testing.assert_array_equal(store.array, np.concatenate(expected))


def test_published_spectrograms_of_other_shapes_are_refused(published, tmp_path):
    tracks, arrays = published
    arrays["test.npz"] = (["a.1"], np.zeros((1, 40, 13), np.uint8))
    with pytest.raises(
        DataError, match=r"track a\.1: 13 bins, 4 frames per second; expected 12 as in params\.yaml"
    ):
        render_published(tracks, tmp_path)


def test_published_spectrograms_without_a_track_are_refused(published, tmp_path):
    tracks, arrays = published
    arrays["test.npz"] = ([], np.zeros((0, 40, 12), np.uint8))
    with pytest.raises(DataError, match=r"no frames of track a\.1. Hint: the files changed"):
        render_published(tracks, tmp_path)


def test_published_spectrograms_have_no_audio_to_shift(published, tmp_path):
    with pytest.raises(ParameterError, match=r"spectrograms\.shifts: no audio to shift; expected \[\]"):
        render_published(published[0], tmp_path, SHIFTED)


def test_published_power_spectrograms_that_float16_cannot_hold_are_refused(published, tmp_path):
    tracks, arrays = published
    arrays["test.npz"] = (["a.1"], np.full((1, 40, 12), 70_000.0, np.float32))
    with pytest.raises(DataError, match=r"^track a\.1: mel has a value of 70000, too large for float16"):
        render_published(tracks, tmp_path)
    assert not (tmp_path / "frames.npy").exists()


@pytest.mark.parametrize("dtype", ["float16", "uint8"])
def test_a_track_whose_frames_are_not_numbers_is_named(rendered, monkeypatch, dtype):
    broken = dataclasses.replace(REPRESENTATIONS["mel"], transform=lambda *_: np.full((5, 12), np.nan))
    monkeypatch.setitem(REPRESENTATIONS, "mel", broken)
    with pytest.raises(DataError, match=r"track a\.0: mel has values that are NaN or infinite"):
        rendered(FLOAT16.model_copy(update={"dtype": dtype}))
