from __future__ import annotations

import functools
import hashlib
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genredag.datasets.fetch import back_off, fetch, file_digest, obtain, verify_checksum
from genredag.errors import DataError
from genredag.params.groups.datasets import Download

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA1 = f"sha1:{hashlib.sha1(CONTENT).hexdigest()}"


def get(
    target: Path,
    *urls: str,
    checksum: str = SHA1,
    retries: int = 2,
    timeout: float = 5,
    max_bytes: int = 10_000_000,
    wait=lambda _: None,
):
    return fetch(
        urls,
        target,
        verify=functools.partial(verify_checksum, checksum=checksum),
        download=Download(
            max_skipped=0.0,
            min_seconds=1.0,
            silence_db=-60.0,
            max_megabytes=100.0,
            max_decoding_seconds=10.0,
            timeout_seconds=timeout,
            retries=retries,
        ),
        hint="use your own copy",
        max_bytes=max_bytes,
        wait=wait,
    )


def interrupt(*_: object) -> str:
    raise KeyboardInterrupt


def leftovers(target: Path) -> list[str]:
    return [
        path.name for path in target.parent.iterdir() if path != target and not path.name.endswith(".lock")
    ]


def test_a_file_is_downloaded_and_leaves_no_other_files(server, tmp_path):
    target = tmp_path / "cache" / "a.zip"
    assert get(target, server.serve("a.zip", CONTENT)) == target
    assert target.read_bytes() == CONTENT
    assert leftovers(target) == []


def test_an_existing_file_is_not_fetched_again(server, tmp_path):
    url = server.serve("a.zip", CONTENT)
    get(tmp_path / "a.zip", url)
    get(tmp_path / "a.zip", url)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", ["cut", "stall"])
def test_an_interrupted_or_stalled_download_resumes(server, tmp_path, fault):
    waits = []
    url = server.serve("a.zip", CONTENT, faults=[(fault, 131_072), (fault, 65_536)])
    assert get(tmp_path / "a.zip", url, timeout=1, wait=waits.append).read_bytes() == CONTENT
    assert [wanted for _, wanted in server.requests] == [None, "bytes=131072-", "bytes=196608-"]
    assert waits == [0, 1]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 120_000), max_size=4), knows_range=st.booleans(), tagged=st.booleans())
def test_a_resumed_file_is_the_same_wherever_it_was_interrupted(server, tmp_path, cuts, knows_range, tagged):
    headers = {"ETag": '"1"'} if tagged else {}
    faults = [("cut", cut) for cut in cuts]
    url = server.serve("a.zip", CONTENT, faults=faults, knows_range=knows_range, headers=headers)
    target = tmp_path / "a.zip"
    target.unlink(missing_ok=True)
    assert get(target, url, retries=len(cuts)).read_bytes() == CONTENT


def test_the_download_restarts_if_the_server_ignores_ranges(server, tmp_path):
    url = server.serve("a.zip", CONTENT, faults=[("cut", 100_000)], knows_range=False)
    assert get(tmp_path / "a.zip", url).read_bytes() == CONTENT
    assert server.requests[1][1] == "bytes=100000-"


def test_the_download_restarts_if_the_file_changed(server, tmp_path):
    url = server.serve("a.zip", b"old" * 60_000, faults=[("cut", 100_000)], headers={"ETag": '"old"'})
    with pytest.raises(DataError):
        get(tmp_path / "a.zip", url, retries=0)
    server.serve("a.zip", CONTENT, headers={"ETag": '"new"'})
    assert get(tmp_path / "a.zip", url).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("headers", "second"),
    [
        ({"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}, "bytes=100000-"),
        ({"ETag": 'W/"1"', "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}, "bytes=100000-"),
        ({"ETag": 'W/"1"'}, None),
        ({}, None),
    ],
)
def test_a_download_resumes_only_with_a_strong_validator(server, tmp_path, headers, second):
    url = server.serve("a.zip", CONTENT, faults=[("cut", 100_000)], headers=headers)
    assert get(tmp_path / "a.zip", url).read_bytes() == CONTENT
    assert server.requests[1][1] == second


def test_a_partial_download_is_kept_for_the_next_run(server, tmp_path):
    url = server.serve("a.zip", CONTENT, faults=[("cut", 150_000)])
    with pytest.raises(DataError, match=r"the next run resumes from 0\.1 MiB"):
        get(tmp_path / "a.zip", url, retries=0)
    assert not (tmp_path / "a.zip").exists()
    get(tmp_path / "a.zip", url)
    assert server.requests[1][1] == "bytes=150000-"


def test_a_complete_partial_file_is_only_verified(server, tmp_path, monkeypatch):
    url = server.serve("a.zip", CONTENT)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("genredag.datasets.fetch.file_digest", interrupt)
        get(tmp_path / "a.zip", url)
    assert get(tmp_path / "a.zip", url).read_bytes() == CONTENT
    assert server.requests[1][1] == f"bytes={len(CONTENT)}-"


def test_the_download_restarts_if_the_range_is_unsatisfiable(server, tmp_path):
    url = server.serve("a.zip", CONTENT * 2, faults=[("cut", 400_000)])
    with pytest.raises(DataError):
        get(tmp_path / "a.zip", url, retries=0)
    server.serve("a.zip", CONTENT)  # shorter now, and under the same tag
    assert get(tmp_path / "a.zip", url).read_bytes() == CONTENT


def test_temporary_errors_are_retried(server, tmp_path):
    url = server.serve("a.zip", CONTENT, faults=[503, 429])
    assert get(tmp_path / "a.zip", url).read_bytes() == CONTENT


def test_bytes_are_kept_as_they_are_sent(server, tmp_path):
    headers = {"Content-Encoding": "gzip", "ETag": '"1"'}  # as some servers say of every .gz
    assert get(tmp_path / "a.gz", server.serve("a.gz", CONTENT, headers=headers)).read_bytes() == CONTENT


def test_mirrors_are_tried_in_order(server, tmp_path, dead_url):
    missing = f"http://127.0.0.1:{server.server_port}/nothing"
    wrong = server.serve("wrong.zip", b"something else")
    good = server.serve("a.zip", CONTENT)
    assert get(tmp_path / "a.zip", dead_url, missing, wrong, good, dead_url).read_bytes() == CONTENT
    assert [path for path, _ in server.requests] == ["/nothing", "/wrong.zip", "/a.zip"]


NO_LENGTH = {"ETag": '"1"', "Content-Length": None}


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"headers": {"Content-Length": "999999999999999"}}, "more than 10 MiB, which no version of"),
        ({"headers": NO_LENGTH, "faults": [("flood", 100_000)]}, "more than 10 MiB, which no version of"),
        ({"faults": [("drip", 1000)]}, "less than 64 KiB in 0.2 s, 1 times; the next run resumes"),
        ({"headers": {"Content-Length": "299000"}}, "wrong checksum"),
        ({"headers": {"Content-Length": "300100"}}, "the connection was lost, 1 times"),
        ({"headers": {"Location": "loop.zip"}, "faults": []}, "Exceeded 30 redirects"),
    ],
    ids=["announces too much", "never ends", "drips", "announces less", "announces more", "redirects"],
)
def test_a_lying_mirror_is_given_up_by_name_and_the_next_is_tried(server, tmp_path, how, reason):
    url = server.serve("loop.zip", CONTENT, **how)
    if "Location" in how.get("headers", {}):
        server.files["/loop.zip"].status = 302
    settings = {"retries": 0, "timeout": 0.2, "max_bytes": 10 << 20}
    with pytest.raises(DataError) as caught:
        get(tmp_path / "a.zip", url, **settings)
    assert f"download of a.zip: {url}: {reason}" in str(caught.value)
    server.files["/loop.zip"].faults += [*how.get("faults", [])]
    good = server.serve("a.zip", CONTENT)
    assert get(tmp_path / "a.zip", url, good, **settings | {"timeout": 5}).read_bytes() == CONTENT


@pytest.mark.parametrize("length", ["-5", "many", "1e3"])
def test_a_length_that_is_no_number_is_ignored(server, tmp_path, length):
    url = server.serve("a.zip", CONTENT, headers={"Content-Length": length})
    assert get(tmp_path / "a.zip", url).read_bytes() == CONTENT


def test_every_failure_is_reported_if_no_mirror_works(server, tmp_path, dead_url):
    missing = f"http://127.0.0.1:{server.server_port}/nothing"
    wrong = server.serve("wrong.zip", b"something else")
    with pytest.raises(DataError) as caught:
        get(tmp_path / "a.zip", dead_url, missing, wrong, "ftp://host/a.zip")
    line = str(caught.value)
    for part in (
        f"{dead_url}: Failed to establish a new connection: [Errno",
        f"{missing}: 404 Not Found",
        f"{wrong}: wrong checksum: sha1 {hashlib.sha1(b'something else').hexdigest()}",
        "ftp://host/a.zip: No connection adapters",
        "download of a.zip",
        "Hint: use your own copy",
    ):
        assert part in line
    assert "\n" not in line
    assert leftovers(tmp_path / "a.zip") == []
    assert not (tmp_path / "a.zip").exists()


def test_an_empty_list_of_mirrors_is_refused(tmp_path):
    with pytest.raises(DataError, match="no mirrors"):
        get(tmp_path / "a.zip")


def test_simultaneous_requests_download_once(server, tmp_path):
    url = server.serve("a.zip", CONTENT)
    threads = [threading.Thread(target=get, args=(tmp_path / "a.zip", url)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_too_little_disk_space_is_reported_before_the_download(server, tmp_path, monkeypatch):
    free = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    with pytest.raises(DataError, match=r"0 MiB are free.*GENREDAG_CACHE"):
        get(tmp_path / "a.zip", server.serve("a.zip", CONTENT))
    assert leftovers(tmp_path / "a.zip") == []


def test_retry_delays_double_up_to_half_a_minute(monkeypatch):
    slept = []
    monkeypatch.setattr("genredag.datasets.fetch.time.sleep", slept.append)
    for attempt in range(7):
        back_off(attempt)
    assert slept == [1, 2, 4, 8, 16, 30, 30]


def test_a_checksum_names_its_algorithm(tmp_path):
    path = tmp_path / "empty"
    path.touch()
    verify_checksum(path, "md5:d41d8cd98f00b204e9800998ecf8427e")
    assert file_digest(path) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with pytest.raises(DataError, match=r"empty: wrong checksum: md5 d41d.*; expected 0"):
        verify_checksum(path, "md5:0")


def test_a_file_that_the_user_has_is_used(tmp_path, download):
    mine = tmp_path / "mine.zip"
    mine.touch()
    settings = {"verify": lambda _: None, "download": download, "key": "datasets.gtzan.path", "max_bytes": 9}
    assert obtain(str(mine), [], tmp_path / "a.zip", **settings) == mine
    with pytest.raises(DataError, match=r"^datasets\.gtzan\.path: .*gone\.zip: no such file or folder"):
        obtain(str(tmp_path / "gone.zip"), [], tmp_path / "a.zip", **settings)
    with pytest.raises(DataError, match=r"no mirrors\. Hint: .*datasets\.gtzan\.path"):
        obtain(None, [], tmp_path / "a.zip", **settings)
