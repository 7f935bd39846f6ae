"""GTZAN: 1,000 tracks of 30 s in ten genres, with artists and the fault-filtered split."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pandas as pd

from genredag.datasets.archive import check_archive, extract
from genredag.datasets.fetch import file_digest, obtain
from genredag.errors import DataError
from genredag.params.groups.datasets import Archive, Download
from genredag.tracks.audio import SUFFIXES
from genredag.tracks.manifest import LISTED

logger = logging.getLogger(__name__)

HOMEPAGE = "http://marsyas.info/downloads/datasets.html"
LICENSE = "never cleared: research use only"
CITATION = """\
@article{tzanetakis2002musical,
  author = {Tzanetakis, George and Cook, Perry},
  title = {Musical genre classification of audio signals},
  journal = {IEEE Transactions on Speech and Audio Processing},
  volume = {10}, number = {5}, pages = {293--302}, year = {2002}
}
@article{sturm2013gtzan,
  author = {Sturm, Bob L.},
  title = {The {GTZAN} dataset: Its contents, its faults, their effects on evaluation, and its future use},
  journal = {arXiv preprint arXiv:1306.1461}, year = {2013}
}
@article{kereliuk2015deep,
  author = {Kereliuk, Corey and Sturm, Bob L. and Larsen, Jan},
  title = {Deep learning and music adversaries},
  journal = {IEEE Transactions on Multimedia},
  volume = {17}, number = {11}, pages = {2059--2071}, year = {2015}
}
"""
# The archive of 2002. The surviving mirror is a repacked archive, so its files are compared one by one.
ARCHIVE_SHA256 = "24347e0223d2ba798e0a558c4c172d9d4a19c00bb7963fe055d183dadb4ef2c6"
MAX_BYTES = 3 << 30  # the archive of 2002 has 1.2 GB
TRACK_NAME = re.compile(r"(blues|classical|country|disco|hiphop|jazz|metal|pop|reggae|rock)\.\d{5}")
SUBSETS = {"train": "train", "valid": "validation", "test": "test"}


def read_facts() -> pd.DataFrame:
    """Read the known facts about the 1,000 tracks, indexed by track_id.

    Columns: genre; artist (Sturm 2013; 919 are known); subset (the fault-filtered split of Kereliuk,
    Sturm and Larsen 2015: 443 train, 197 validation, 290 test); au_sha256, of the ``.au`` file of 2002.
    """
    facts = pd.read_csv(Path(__file__).with_name("gtzan_tracks.csv"), index_col="track_id", dtype="str")
    facts["subset"] = facts.pop("fault_filtered_split").map(SUBSETS)
    return facts


def list_tracks(params: Archive, *, download: Download, cache_dir: Path) -> pd.DataFrame:
    """Download and unpack the archive, unless the user has it, and list the tracks found.

    Raises
    ------
    DataError
        The archive can't be obtained or unpacked, or there are no GTZAN tracks in it.
    """
    folder = _folder(params, download, Path(cache_dir) / "gtzan")
    files = find_tracks(folder)
    if not files:
        raise DataError(
            "no GTZAN tracks",
            where=str(folder),
            expected="genres/<genre>/<genre>.<5 digits>.au (wav, flac, ...)",
        )
    logger.info("gtzan: found %d of 1,000 tracks", len(files))
    facts = read_facts()
    check_files(files, facts["au_sha256"])
    tracks = facts.reindex(list(files)).rename_axis("track_id").reset_index()
    tracks["genre"] = tracks["track_id"].str.split(".").str[0]
    return tracks.assign(path=[str(path) for path in files.values()], subgenres=None)[LISTED]


def find_tracks(folder: Path) -> dict[str, Path]:
    """Find the tracks by their names, however deep they lie (``genres/``, ``genres_original/``)."""
    tracks: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and TRACK_NAME.fullmatch(path.stem):
            tracks.setdefault(path.stem, path)  # ignores a second copy in another format
    return tracks


def check_files(files: dict[str, Path], au_sha256: pd.Series) -> int:
    """Compare the ``.au`` files with the known hashes, log the result, and return the number of matches."""
    au = {track_id: path for track_id, path in files.items() if path.suffix.lower() == ".au"}
    other = [track_id for track_id, path in au.items() if file_digest(path) != au_sha256.get(track_id)]
    if au:
        logger.info("gtzan: %d of %d .au files match those of 2002", len(au) - len(other), len(au))
    if other:
        logger.warning(
            "gtzan: different from 2002: %s", ", ".join(other[:10]) + (" ..." if other[10:] else "")
        )
    if len(au) < len(files):
        logger.info("gtzan: %d files are not .au and can't be compared", len(files) - len(au))
    return len(au) - len(other)


def _folder(params: Archive, download: Download, cache_dir: Path) -> Path:
    """Return the folder that holds the tracks."""
    source = obtain(
        params.path,
        params.mirrors,
        cache_dir / "genres.tar.gz",
        verify=check_archive,
        download=download,
        key="datasets.gtzan.path",
        max_bytes=MAX_BYTES,
    )
    if source.is_dir():
        return source
    if file_digest(source) == ARCHIVE_SHA256:
        logger.info("gtzan: this is the archive of 2002")
    return extract(source, cache_dir)
