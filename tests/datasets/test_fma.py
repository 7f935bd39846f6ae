from __future__ import annotations

import zipfile

import pandas as pd
import pytest

from genredag.datasets import fma
from genredag.datasets.fma import clip_folder, list_tracks, read_tracks
from genredag.errors import DataError
from genredag.params.groups.datasets import FmaArchive

# As FMA's: two rows of names, a third for the index, columns that nobody asked for between those wanted.
TRACKS = """\
,album,artist,artist,set,set,track,track,track
,title,id,name,split,subset,genre_top,genres,genres_all
track_id,,,,,,,,
2,"A, B",1,AWOL,training,small,Hip-Hop,[21],[21]
134,,1,AWOL,training,medium,Hip-Hop,[21],[21]
1040,,7,Björk,test,medium,Rock,"[31]","[12, 31]"
20,,4,Nicky Cook,training,large,,"[76, 103]","[17, 10, 76, 103]"
155001,,9,,validation,medium,International,[79],"[2, 79]"
"""
GENRES = """\
genre_id,#tracks,parent,title,top_level
2,5271,0,International,2
12,32923,0,Rock,12
21,8389,0,Hip-Hop,21
31,1498,12,Metal,12
79,800,2,Reggae - Dub,2
"""


@pytest.fixture
def metadata(tmp_path):
    """A small fma_metadata.zip."""
    path = tmp_path / "fma_metadata.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("fma_metadata/raw_tracks.csv", "")
        archive.writestr("fma_metadata/tracks.csv", TRACKS)
        archive.writestr("fma_metadata/genres.csv", GENRES)
    return path


@pytest.fixture
def clips(tmp_path, tone):
    """Clips in FMA's folder layout."""
    for seed, number in enumerate((2, 134, 1040)):
        tone(tmp_path / "clips" / "fma_medium" / f"{number:06d}"[:3] / f"{number:06d}.mp3", seed, 1.0)
    return tmp_path / "clips"


def test_the_tables_are_read(metadata):
    tracks = read_tracks(metadata, "medium")
    assert tracks.index.tolist() == [2, 134, 1040, 155001]
    assert tracks["genre"].tolist() == ["Hip-Hop", "Hip-Hop", "Rock", "International"]
    assert tracks["subgenres"].tolist() == [
        "Hip-Hop",
        "Hip-Hop",
        "Rock; Metal",
        "International; Reggae - Dub",
    ]
    assert tracks["artist"].tolist() == ["AWOL", "AWOL", "Björk", "FMA artist 9"]
    assert tracks["subset"].tolist() == ["train", "train", "test", "validation"]


def test_large_has_tracks_of_several_root_genres(metadata, tmp_path):
    with pytest.raises(DataError, match=r"genres\.csv: no genre 10;"):
        read_tracks(metadata, "large")
    more = "10,1,0,Pop,10\n17,1,0,Folk,17\n76,1,10,Experimental Pop,10\n103,1,17,Singer-Songwriter,17\n"
    (tmp_path / "tracks.csv").write_text(TRACKS)
    (tmp_path / "genres.csv").write_text(GENRES + more)
    track = read_tracks(tmp_path, "large").loc[20]
    assert pd.isna(track["genre"])
    assert track["subgenres"] == "Folk; Pop; Experimental Pop; Singer-Songwriter"


def test_small_is_a_part_of_medium(metadata):
    assert read_tracks(metadata, "small").index.tolist() == [2]


def test_an_unpacked_folder_is_accepted_too(metadata, tmp_path):
    with zipfile.ZipFile(metadata) as archive:
        archive.extractall(tmp_path / "mine")
    assert read_tracks(tmp_path / "mine", "medium").equals(read_tracks(metadata, "medium"))


@pytest.mark.parametrize("zipped", [True, False])
def test_tracks_are_listed_with_their_files(metadata, clips, tmp_path, download, zipped):
    path = clips
    if zipped:
        path = tmp_path / "fma_medium.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for clip in clips.rglob("*.mp3"):
                archive.write(clip, clip.relative_to(clips))
    params = FmaArchive(path=str(path), mirrors=[], metadata_path=str(metadata), metadata_mirrors=[])
    tracks = list_tracks(params, subset="medium", download=download, cache_dir=tmp_path / "cache")
    assert tracks["track_id"].tolist() == ["fma.000002", "fma.000134", "fma.001040", "fma.155001"]
    assert [str(path)[-15:] for path in tracks["path"]] == [
        "/000/000002.mp3",
        "/000/000134.mp3",
        "/001/001040.mp3",
        "/155/155001.mp3",
    ]
    assert (tracks["path"].str.startswith(str(tmp_path / "cache"))).all() == zipped


def test_downloads_are_checked(metadata, server, tmp_path, download, monkeypatch):
    url = server.serve("fma_metadata.zip", metadata.read_bytes())
    params = FmaArchive(path=None, mirrors=[], metadata_path=None, metadata_mirrors=[url])
    with pytest.raises(
        DataError, match=r"wrong checksum: sha1 .*; expected f0df49ffe5f2a6008d7dc83c.*metadata_path"
    ):
        list_tracks(params, subset="small", download=download, cache_dir=tmp_path / "cache")
    digest = fma.verify_checksum.__globals__["file_digest"](metadata, "sha1")
    monkeypatch.setitem(fma.SHA1, "metadata", f"sha1:{digest}")
    with pytest.raises(DataError, match=r"download of fma_small.zip: no mirrors.*datasets\.fma_small\.path"):
        list_tracks(params, subset="small", download=download, cache_dir=tmp_path / "cache")


def test_clips_are_found_next_to_other_folders(clips):
    (clips / "docs").mkdir()
    assert clip_folder(clips) == clips / "fma_medium"
    assert clip_folder(clips / "fma_medium") == clips / "fma_medium"
    with pytest.raises(DataError, match=r"no FMA clips; expected 000/000002\.mp3"):
        clip_folder(clips / "docs")


@pytest.mark.parametrize(
    ("tables", "match"),
    [
        ({}, "no tracks.csv"),
        ({"tracks.csv": TRACKS}, "no genres.csv"),
        (
            {"tracks.csv": TRACKS.replace("genres_all", "more"), "genres.csv": GENRES},
            r"no column track, genres_all",
        ),
        ({"tracks.csv": "", "genres.csv": GENRES}, "unreadable: No columns"),
        (
            {"tracks.csv": TRACKS, "genres.csv": GENRES.replace("title", "name")},
            "genres.csv: no column title",
        ),
        ({"tracks.csv": TRACKS, "genres.csv": GENRES.replace("31,", "32,")}, "genres.csv: no genre 31"),
    ],
)
def test_other_metadata_are_refused(tmp_path, tables, match):
    for name, content in tables.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=match):
        read_tracks(tmp_path, "medium")


def test_a_truncated_metadata_archive_is_refused(metadata):
    metadata.write_bytes(metadata.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"unreadable: File is not a zip file; expected fma_metadata\.zip"):
        read_tracks(metadata, "medium")
