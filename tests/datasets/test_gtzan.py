from __future__ import annotations

import functools
import logging
import shutil
import tarfile

import pandas as pd
import pytest

from genredag.datasets.fetch import file_digest
from genredag.datasets.gtzan import check_files, find_tracks, list_tracks, read_facts
from genredag.datasets.registry import build_manifest
from genredag.errors import DataError
from genredag.params.groups.datasets import Archive
from genredag.params.loading import parse_params


@pytest.fixture
def mini(tmp_path, tone):
    """Four tracks in the layout of the original archive (2002)."""
    for seed, name in enumerate(("blues.00000", "blues.00001", "jazz.00054", "rock.00016")):
        tone(tmp_path / "mini" / "genres" / name.split(".")[0] / f"{name}.au", seed)
    return tmp_path / "mini"


def packed(folder):
    archive = folder.with_suffix(".tar.gz")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder / "genres", "genres")
    return archive


def test_facts_match_the_publication():
    facts = read_facts()
    assert facts.shape == (1000, 4)
    assert facts["genre"].value_counts().unique().tolist() == [100]
    assert facts["artist"].notna().sum() == 919
    assert facts["au_sha256"].str.fullmatch("[0-9a-f]{64}").all()
    # Kereliuk, Sturm, Larsen 2015
    assert facts["subset"].value_counts().to_dict() == {"train": 443, "test": 290, "validation": 197}
    test = facts[facts["subset"] == "test"]
    counts = {"blues": 31, "classical": 31, "country": 30, "disco": 29, "hiphop": 27}
    counts |= {"jazz": 27, "metal": 27, "pop": 30, "reggae": 26, "rock": 32}
    assert test["genre"].value_counts().to_dict() == counts
    assert facts.index.str.split(".").str[0].tolist() == facts["genre"].tolist()


def test_no_copy_in_the_published_split_would_be_quarantined():
    """Of seven pairs of equal files, each has one in the split: that one stays (see `manifest.assemble`)."""
    facts = read_facts()
    copies = facts[facts["au_sha256"].duplicated(keep=False)]
    assert copies.groupby("au_sha256")["subset"].count().tolist() == [1] * 7


def test_a_folder_is_used_in_place(mini, tmp_path, download):
    tracks = list_tracks(Archive(path=str(mini), mirrors=[]), download=download, cache_dir=tmp_path / "cache")
    assert tracks["track_id"].tolist() == ["blues.00000", "blues.00001", "jazz.00054", "rock.00016"]
    assert tracks["path"][0] == str(mini / "genres" / "blues" / "blues.00000.au")
    assert tracks["genre"].tolist() == ["blues", "blues", "jazz", "rock"]
    assert tracks["subset"].tolist() == ["validation", "validation", "train", "train"]
    assert tracks["artist"].fillna("").tolist() == ["John Lee Hooker", "John Lee Hooker", "", "Queen"]
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("layout", ["genres_original", "Data/genres_original", "genres", "."])
def test_tracks_are_found_in_every_known_layout(tmp_path, tone, layout):
    for name in ("blues/blues.00000.wav", "rock/rock.00000.flac", "rock/._rock.00001.wav", "rock/rock.1.wav"):
        tone(tmp_path / layout / name)
    (tmp_path / layout / "blues" / "blues.00001.png").touch()
    tone(tmp_path / layout / "polka/polka.00000.wav")
    assert list(find_tracks(tmp_path)) == ["blues.00000", "rock.00000"]


def test_a_duplicated_track_is_listed_once(tmp_path, tone):
    tone(tmp_path / "a" / "blues.00000.au")
    tone(tmp_path / "b" / "blues.00000.wav")
    assert find_tracks(tmp_path) == {"blues.00000": tmp_path / "a" / "blues.00000.au"}


def test_files_are_compared_with_the_original_ones(mini, caplog):
    files = find_tracks(mini)
    files["rock.00017"] = mini / "rock.00017.wav"
    hashes = pd.Series({name: file_digest(path) for name, path in find_tracks(mini).items()})
    hashes["jazz.00054"] = "another"
    with caplog.at_level(logging.INFO):
        assert check_files(files, hashes) == 3
    assert "3 of 4 .au files match those of 2002" in caplog.text
    assert "different from 2002: jazz.00054\n" in caplog.text
    assert "1 files are not .au" in caplog.text


@pytest.mark.parametrize("known", [True, False])
def test_an_archive_is_unpacked_into_the_cache(mini, tmp_path, download, caplog, monkeypatch, known):
    archive = packed(mini)
    if known:
        monkeypatch.setattr("genredag.datasets.gtzan.ARCHIVE_SHA256", file_digest(archive))
    with caplog.at_level(logging.INFO):
        tracks = list_tracks(
            Archive(path=str(archive), mirrors=[]), download=download, cache_dir=tmp_path / "cache"
        )
    assert len(tracks) == 4
    assert tracks["path"].str.startswith(str(tmp_path / "cache" / "gtzan")).all()
    assert ("this is the archive of 2002" in caplog.text) is known


def test_a_download_that_is_not_an_archive_is_refused(server, tmp_path, download):
    page = server.serve("genres.tar.gz", b"<html>Sign in to go online</html>")
    with pytest.raises(
        DataError, match=r"not an archive.*expected a \.tar\.gz.*Hint: .*datasets\.gtzan\.path"
    ):
        list_tracks(Archive(path=None, mirrors=[page]), download=download, cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache" / "gtzan" / "genres.tar.gz").exists()


def test_a_folder_without_gtzan_is_refused(tmp_path, download):
    with pytest.raises(DataError, match="no GTZAN tracks; expected genres/<genre>/"):
        list_tracks(Archive(path=str(tmp_path), mirrors=[]), download=download, cache_dir=tmp_path)


@pytest.mark.slow
def test_the_mini_set_through_bad_mirrors(shared_dir, server, dead_url, tmp_path, tree):
    """Real audio after a dead mirror, one interruption and one stall, with a track that is not audio."""
    folder = tmp_path / "mini"
    shutil.copytree(shared_dir / "gtzan_mini" / "genres", folder / "genres")
    (folder / "genres" / "jazz" / "jazz.00054.wav").write_bytes(b"RIFF, but not really" * 1000)
    content = packed(folder).read_bytes()
    url = server.serve("genres.tar.gz", content, faults=[("cut", 10_000_000), ("stall", 300 * 65_536)])
    tree["datasets"]["gtzan"]["mirrors"] = [dead_url, url]
    tree["download"] |= {"timeout_seconds": 2.0, "retries": 2}
    params = parse_params(tree)
    get = functools.partial(build_manifest, "gtzan", params.datasets.gtzan, params.download)
    manifest = get(tmp_path / "cache", 2)[0].set_index("track_id")
    assert [wanted for _, wanted in server.requests] == [
        None,
        "bytes=10000000-",
        f"bytes={10_000_000 + 300 * 65_536}-",
    ]
    assert manifest["status"].value_counts().to_dict() == {"ok": 100, "quarantined": 1}
    assert manifest.loc["jazz.00054", "reason"] == "unreadable: Format not recognised"
    assert manifest.loc["blues.00000", "path"].startswith("gtzan/")
    assert manifest.drop("jazz.00054")["duration"].between(29, 31).all()
    get(tmp_path / "cache", 2)
    assert len(server.requests) == 3
