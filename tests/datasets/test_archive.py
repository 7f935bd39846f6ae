from __future__ import annotations

import io
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from genredag.datasets.archive import check_archive, extract
from genredag.errors import DataError

FILES = {"genres/blues/a.au": b"a" * 50_000, "genres/rock/b.au": bytes(range(256)) * 300}


def tar(path: Path, members: dict[str, bytes], **entry: object) -> Path:
    """Write a tar archive; `entry` describes one more member."""
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if entry:
            info = tarfile.TarInfo()
            for key, value in entry.items():
                setattr(info, key, value)
            archive.addfile(info)
    return path


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("make", [lambda d: tar(d / "a.tar.gz", FILES), lambda d: zipped(d / "a.zip", FILES)])
def test_an_archive_is_unpacked_once_into_a_folder_named_by_its_hash(tmp_path, make):
    archive = make(tmp_path)
    check_archive(archive)
    folder = extract(archive, tmp_path / "cache")
    assert contents(folder) == FILES
    (folder / "mark").touch()
    assert extract(archive, tmp_path / "cache") == folder
    assert (folder / "mark").exists()


def test_a_changed_archive_is_unpacked_into_another_folder(tmp_path):
    first = extract(tar(tmp_path / "a.tar.gz", FILES), tmp_path)
    second = extract(tar(tmp_path / "a.tar.gz", {**FILES, "c": b""}), tmp_path)
    assert first != second


def test_unusual_compression_is_supported(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:  # as fma_metadata.zip
        archive.writestr("tracks.csv", b"x" * 1000)
    assert contents(extract(tmp_path / "a.zip", tmp_path / "cache")) == {"tracks.csv": b"x" * 1000}


def refused(archive: Path, match: str) -> None:
    parent = archive.parent / "cache"
    with pytest.raises(DataError, match=match):
        extract(archive, parent)
    assert [path.name for path in parent.iterdir() if path.suffix != ".lock"] == []
    assert {path.name for path in archive.parent.iterdir()} == {archive.name, "cache"}


@pytest.mark.parametrize("name", ["../evil.au", "a/../../evil.au", "/evil.au", "C:/evil.au", "..\\evil.au"])
@pytest.mark.parametrize("make", [tar, zipped])
def test_names_that_leave_the_folder_are_refused(tmp_path, name, make):
    suffix = ".tar.gz" if make is tar else ".zip"
    refused(
        make(tmp_path / f"a{suffix}", {**FILES, name: b"evil"}),
        "unsafe member .*evil.au.*nothing was unpacked",
    )


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "link", "type": tarfile.SYMTYPE, "linkname": "../../evil"},
        {"name": "link", "type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        {"name": "link", "type": tarfile.LNKTYPE, "linkname": "../evil"},
        # Chains of links inside the folder have led out of it, past tarfile's filter.
        {"name": "link", "type": tarfile.SYMTYPE, "linkname": "genres/blues/a.au"},
        {"name": "link", "type": tarfile.LNKTYPE, "linkname": "genres/blues/a.au"},
        {"name": "device", "type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3},
        {"name": "pipe", "type": tarfile.FIFOTYPE},
    ],
    ids=lambda entry: entry["name"] + entry.get("linkname", ""),
)
def test_links_and_devices_are_refused(tmp_path, entry):
    archive = tar(tmp_path / "a.tar", FILES, **entry)
    with pytest.raises(DataError, match=f"^a.tar: unsafe member '{entry['name']}'"):
        check_archive(archive)
    refused(archive, f"^a.tar: unsafe member '{entry['name']}': (a link|neither a file nor a folder)")


def test_links_in_a_zip_are_refused(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    refused(tmp_path / "a.zip", "unsafe member 'link': a link")


def bomb(path: Path, n: int = 200) -> Path:
    """Write a zip archive whose members are all the same bytes of the file."""
    content = zipped(path, {"0000": bytes(10_000_000)}).read_bytes()
    start, end = content.index(b"PK\1\2"), content.index(b"PK\5\6")
    entries, tail = content[start:end] * n, bytearray(content[end:])
    struct.pack_into("<HHII", tail, 8, n, n, len(entries), start)
    path.write_bytes(content[:start] + entries + tail)
    return path


@pytest.mark.parametrize(
    "make",
    [
        lambda d: tar(d / "a.tar.gz", FILES, name="zeros", size=2 << 30),
        lambda d: tar(d / "a.tar", FILES, name="f", pax_headers={"size": str(10**15)}),
        lambda d: tar(d / "a.tar", FILES, name="s", pax_headers=sparse("s", 10**12)),
        lambda d: bomb(d / "a.zip"),
    ],
    ids=["zeros", "pax", "sparse", "overlap"],
)
def test_an_archive_that_unpacks_to_far_more_than_music_is_refused(tmp_path, make):
    archive = make(tmp_path)
    reason = (
        r"^a\.\S+: unpacks to more than 1,0\d\d MiB; expected .* 50 times its size. Hint: if you trust it"
    )
    with pytest.raises(DataError, match=reason):
        check_archive(archive)
    refused(archive, reason)


def sparse(name: str, size: int) -> dict[str, str]:
    """Return the headers of a sparse file."""
    version = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,0"}
    return version | {"GNU.sparse.name": name, "GNU.sparse.size": str(size)}


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("genredag.datasets.archive.MAX_MEMBERS", 1)
    refused(tar(tmp_path / "a.tar", FILES), "^a.tar: has too many members")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda d: tar(d / "a.tar", {}, name="f", pax_headers={"path": "f\0g"}), "a NUL in its name"),
        (lambda d: tar(d / "a.tar", {"a/" * 2000 + "f": b""}), "too many folders"),
        (lambda d: tar(d / "a.tar", {"x" * 5000: b""}), "file name too long"),
        (lambda d: zipped(d / "a.zip", {"x" * 5000: b""}), "file name too long"),
        (lambda d: tar(d / "a.tar", {"a": b"", "a/b": b""}), "not a directory"),
        (lambda d: zipped(d / "a.zip", {"a": b"", "a/b": b""}), "not a directory"),
        (lambda d: tar(d / "a.tar", {"a/b": b"", "a": b""}), "is a directory"),
        (lambda d: tar(d / "a.tar", {".": b""}), "is a directory"),
    ],
)
def test_names_that_no_file_can_have_are_refused(tmp_path, make, reason):
    refused(make(tmp_path), rf"^a\.\w+: unsafe member '.{{0,110}}': {reason}\. Hint")


@pytest.mark.parametrize(
    "headers",
    [
        {"comment": "x" * 2_000_000},
        {"size": "-512"},
        {"mtime": "1e400"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "many"},
    ],
    ids=lambda headers: "".join(headers)[:20],
)
def test_absurd_headers_are_refused(tmp_path, headers):
    refused(tar(tmp_path / "a.tar", FILES, name="f", pax_headers=headers), "not an archive, or truncated")


def test_an_encrypted_zip_is_refused(tmp_path):
    archive = zipped(tmp_path / "a.zip", FILES)
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(content)
    refused(archive, "unsafe member 'genres/blues/a.au': encrypted")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
@pytest.mark.parametrize("name", ["a.tar.gz", "a.tar", "a.zip"])
def test_a_truncated_archive_is_refused(tmp_path, name, share):
    make = zipped if name.endswith("zip") else tar
    whole = make(tmp_path / name, {**FILES, "c.au": bytes(range(251)) * 999}).read_bytes()
    end = len(whole) if name != "a.tar" else whole.rindex(b"\xfa") + 1  # a tar is padded with zeros
    (tmp_path / name).write_bytes(whole[: int(end * share)])
    with pytest.raises(
        DataError, match=f"^{name}: not an archive, or truncated or damaged.*Hint: download it again"
    ):
        check_archive(tmp_path / name)
    refused(tmp_path / name, "not an archive, or truncated or damaged")


@pytest.mark.parametrize("content", [b"", b"<html>sign in to go online</html>", b"\0" * 100])
def test_a_file_that_is_not_an_archive_is_refused(tmp_path, content):
    (tmp_path / "a.tar.gz").write_bytes(content)
    refused(tmp_path / "a.tar.gz", "not an archive")


@pytest.mark.parametrize(
    ("make", "place"),
    [(lambda d: tar(d / "a.tar.gz", FILES), -6), (lambda d: zipped(d / "a.zip", FILES), 60)],
)
def test_damage_is_found_by_internal_checksums(tmp_path, make, place):
    archive = make(tmp_path)
    content = bytearray(archive.read_bytes())
    content[place] ^= 255
    archive.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        check_archive(archive)
    refused(archive, "damaged")
