"""The contract of every registered data set: it states its source, and a sample of it gives a manifest."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from genredag.datasets.registry import MODULES, build_manifest, join_manifest, list_tracks, probe_tracks
from genredag.datasets.shards import read_listing, write_listing, write_probes
from genredag.errors import DataError, ParameterError
from genredag.params.groups.datasets import Datasets, read_data_set
from genredag.params.loading import parse_params
from genredag.runtime.files import write_parquet
from genredag.tracks.audio import decode
from genredag.tracks.manifest import COLUMNS, track_path
from genredag.tracks.precomputed import load_spectrograms
from genredag.tracks.shards import Shard

GTZAN_GENRES = ("blues", "rock")


def noise(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).integers(-9999, 9999, 1600) / 32768
    soundfile.write(path, np.repeat(samples, 5), 8000)


def gtzan_sample(tree: dict, folder: Path) -> None:
    for seed, genre in enumerate(GTZAN_GENRES * 2):
        noise(folder / "genres" / genre / f"{genre}.{seed:05d}.wav", seed)
    tree["datasets"]["gtzan"]["path"] = str(folder)


def fma_sample(tree: dict, folder: Path) -> None:
    rows = ["," * 6, "id,name,split,subset,genre_top,genres_all", "track_id" + "," * 6]
    rows[0], rows[1] = ",artist,artist,set,set,track,track", "," + rows[1]
    for number in range(1, 9):
        rock = number % 2
        rows.append(
            f"{number},{number},B{number},training,small,{'Rock' if rock else 'Blues'},[{12 if rock else 3}]"
        )
        noise(folder / "000" / f"{number:06d}.mp3", number)
    (folder / "tracks.csv").write_text("\n".join(rows) + "\n")
    (folder / "genres.csv").write_text("genre_id,title\n12,Rock\n3,Blues\n")
    with zipfile.ZipFile(folder / "fma_metadata.zip", "w") as archive:
        for name in ("tracks.csv", "genres.csv"):
            archive.write(folder / name, f"fma_metadata/{name}")
    for name in ("fma_small", "fma_medium"):
        tree["datasets"][name] |= {"path": str(folder), "metadata_path": str(folder / "fma_metadata.zip")}


def mix_sample(tree: dict, folder: Path) -> None:
    gtzan_sample(tree, folder / "gtzan")
    fma_sample(tree, folder / "fma")
    mapping = tree["datasets"]["gtzan_fma"]["genres"]
    tree["datasets"]["gtzan_fma"] |= {
        "tracks_per_genre": 5,
        "size": "medium",
        "gtzan": tree["datasets"]["gtzan"],
        "fma": tree["datasets"]["fma_medium"],
        "genres": {genre: mapping[genre] for genre in GTZAN_GENRES},
    }


def folder_sample(tree: dict, folder: Path) -> None:
    for seed, name in enumerate(("rock/a.wav", "rock/b.flac", "jazz/live/c.ogg")):
        noise(folder / name, seed)
    tree["datasets"]["folder"]["path"] = str(folder)


def spectrograms_sample(tree: dict, folder: Path) -> None:
    folder.mkdir(parents=True)
    mel = np.random.default_rng(0).integers(0, 256, (3, 4, 20), dtype=np.uint8)
    np.savez(folder / "mel.npz", mel=mel, track_id=np.array(["blues.00000", "rock.00000", "rock.00001"]))
    tree["datasets"]["spectrograms"]["files"] = [str(folder / "mel.npz")]


def synthetic_sample(tree: dict, folder: Path) -> None:
    tree["datasets"]["synthetic"] |= {"tracks_per_genre": 2, "clip_seconds": 1.0}


SAMPLES = {
    "synthetic": synthetic_sample,
    "gtzan": gtzan_sample,
    "fma_small": fma_sample,
    "fma_medium": fma_sample,
    "gtzan_fma": mix_sample,
    "folder": folder_sample,
    "spectrograms": spectrograms_sample,
}


def make_params(tree: dict, name: str, folder: Path) -> dict:
    SAMPLES[name](tree, folder)
    tree["download"]["min_seconds"] = 0.5
    return tree


def test_every_data_set_has_parameters_and_a_sample():
    assert set(MODULES) == set(Datasets.model_fields) == set(SAMPLES)


@pytest.mark.parametrize("name", MODULES)
def test_it_states_its_source(name):
    module = MODULES[name]
    assert module.HOMEPAGE
    assert module.LICENSE
    assert module.CITATION.startswith(("@", "% "))
    assert module.CITATION.count("{") == module.CITATION.count("}")
    assert module.CITATION.endswith("\n")


@pytest.mark.parametrize("name", MODULES)
def test_a_sample_gives_a_manifest(name, tree, tmp_path):
    params = parse_params(make_params(tree, name, tmp_path / "data"))
    cache = tmp_path / "cache"
    manifest, left_out = build_manifest(name, params.entry("datasets", name), params.download, cache, 1)
    assert left_out.empty
    about = MODULES[name]
    facts = {"homepage": about.HOMEPAGE, "license": about.LICENSE, "citation": about.CITATION}
    manifest.to_parquet(tmp_path / "manifest.parquet")
    assert pd.read_parquet(tmp_path / "manifest.parquet").attrs == facts
    assert list(manifest.columns) == COLUMNS
    assert manifest["track_id"].is_unique
    assert manifest["track_id"].is_monotonic_increasing
    assert manifest["genre"].nunique() >= 2
    assert set(manifest["status"]) == {"ok"}
    assert manifest["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert set(manifest["subset"].dropna()) <= {"train", "validation", "test"}
    track = manifest.iloc[0]
    if name == "spectrograms":
        assert track["track_id"] in load_spectrograms(track_path(track["path"], cache))[0]
    else:
        samples, sr = decode(track_path(track["path"], cache))
        assert sr == track["sr"]
        assert samples.size / sr == pytest.approx(track["duration"])
    pd.testing.assert_frame_equal(
        build_manifest(name, params.entry("datasets", name), params.download, cache, 1)[0], manifest
    )


@pytest.mark.parametrize("name", MODULES)
def test_shards_give_the_same_manifest(name, tree, tmp_path):
    params = parse_params(make_params(tree, name, tmp_path / "data"))
    args = (params.entry("datasets", name), params.download, tmp_path / "cache", 1)
    write_parquet(tmp_path / "whole.parquet", build_manifest(name, *args)[0])
    listing, parts = tmp_path / "tracks.parquet", []
    write_listing(listing, list_tracks(name, *args))
    for number in (1, 2, 3):
        listed = read_listing(listing).tracks
        tracks = listed.iloc[Shard(number, 3).rows(len(listed))]
        parts.append(tmp_path / f"{number}.parquet")
        write_probes(parts[-1], tracks, probe_tracks(name, tracks, *args))
    write_parquet(tmp_path / "joined.parquet", join_manifest(name, listing, parts, params.download)[0])
    assert (tmp_path / "joined.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_relative_paths_start_at_the_working_directory(tree, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    params = parse_params(make_params(tree, "folder", Path("mine")))
    manifest, _ = build_manifest("folder", params.datasets.folder, params.download, Path("cache"), 1)
    assert manifest["path"][0] == str(tmp_path / "mine" / "jazz" / "live" / "c.ogg")


def test_an_unknown_data_set_is_refused(project_dir):
    with pytest.raises(ParameterError, match=r"^datasets: 'gtzen' is unknown"):
        read_data_set(project_dir / "params.yaml", "gtzen")


@pytest.fixture
def download(project_dir, tmp_path, monkeypatch):
    """Run the script of the stage on changed params."""
    spec = importlib.util.spec_from_file_location("download", project_dir / "workflow/scripts/download.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setenv("GENREDAG_CACHE", str(tmp_path / "cache"))

    def run(tree: dict, name: str, out: Path = tmp_path / "out") -> Path:
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
        outputs = [f"--manifest={out / 'manifest.parquet'}", f"--quarantine={out / 'quarantine.csv'}"]
        script.main([f"--params={tmp_path / 'params.yaml'}", f"--dataset={name}", *outputs])
        return out

    return run


def test_the_script_writes_manifest_and_quarantine(download, tree, tmp_path):
    make_params(tree, "folder", tmp_path / "data")
    (tmp_path / "data" / "rock" / "bad.mp3").write_bytes(b"no music")
    (tmp_path / "data" / "rock" / "copy.wav").write_bytes((tmp_path / "data" / "rock" / "a.wav").read_bytes())
    tree["download"]["max_skipped"] = 0.5
    out = download(tree, "folder")
    manifest = pd.read_parquet(out / "manifest.parquet")
    assert list(manifest.columns) == COLUMNS
    quarantine = pd.read_csv(out / "quarantine.csv")
    assert quarantine["track_id"].tolist() == ["rock/bad", "rock/copy"]
    assert quarantine["reason"].tolist() == ["unreadable: Format not recognised", "duplicate of rock/a"]


def break_nothing(tree: dict, folder: Path) -> None:
    pass


def many_bad(tree: dict, folder: Path) -> None:
    (folder / "rock" / "bad.mp3").write_bytes(b"no music")


def no_folder(tree: dict, folder: Path) -> None:
    tree["datasets"]["folder"]["path"] = str(folder / "none")


def one_genre(tree: dict, folder: Path) -> None:
    tree["datasets"]["folder"]["path"] = str(folder / "jazz")


def table_of_missing_files(tree: dict, folder: Path) -> None:
    (folder / "songs.csv").write_text("path,genre\nnone.mp3,rock\nrock/a.wav,rock\njazz/live/c.ogg,jazz\n")
    tree["datasets"]["folder"]["path"] = str(folder / "songs.csv")


@pytest.mark.parametrize(
    ("spoil", "dataset", "message"),
    [
        (
            many_bad,
            "folder",
            "1 of 4 tracks can't be used, first rock/bad (unreadable: Format not recognised)",
        ),
        (no_folder, "folder", "none: no such file or folder"),
        (one_genre, "folder", "data set folder: only one genre: live; expected at least two genres"),
        (table_of_missing_files, "folder", "1 of 3 tracks can't be used, first none (missing)"),
        (break_nothing, "foldr", "'foldr' is unknown. Hint: did you mean 'folder'?"),
    ],
)
def test_a_user_error_is_one_line_and_writes_no_file(
    download, tree, tmp_path, capsys, spoil, dataset, message
):
    make_params(tree, "folder", tmp_path / "data")
    spoil(tree, tmp_path / "data")
    with pytest.raises(SystemExit) as caught:
        download(tree, dataset)
    assert caught.value.code == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("genredag: error: ")
    assert message in line
    assert list((tmp_path / "out").iterdir()) == []


def test_an_impossible_output_folder_is_reported_before_the_work(download, tree, tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as caught:
        download(tree, "gtzan", out=tmp_path / "file" / "out")
    assert caught.value.code == 2
    assert "a file exists where a folder is needed" in capsys.readouterr().err


def test_a_missing_network_is_reported_in_one_line(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    tree["datasets"]["gtzan"]["mirrors"] = [
        "http://127.0.0.1:9/genres.tar.gz",
        "http://127.0.0.1:9/other.tar.gz",
    ]
    with pytest.raises(DataError) as caught:
        params = parse_params(tree)
        build_manifest("gtzan", params.datasets.gtzan, params.download, tmp_path, 1)
    line = str(caught.value)
    assert line.startswith("download of genres.tar.gz: http://127.0.0.1:9/genres.tar.gz: Failed to establish")
    assert "http://127.0.0.1:9/other.tar.gz: Failed to establish" in line
    assert line.endswith("Hint: check the network, or set datasets.gtzan.path to a copy of your own")
