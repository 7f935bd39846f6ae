"""Changes of the user's own music: what each runner reruns."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from genredag.params.groups.reading import read_tree
from genredag.params.stages import STAGES
from genredag.project.check_params.plan import AXES, ask, build_placeholders, write_tree
from genredag.project.check_params.reruns import MUSIC
from genredag.project.check_params.workplace import Workplace, copy_project

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
# Each data set with the path of its music, relative to the project.
SOURCES = {"folder": "music", "csv": "songs.csv", "archive": "gtzan.tar.gz"}


def replace(name: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        later = (project / name).stat().st_mtime_ns + 10**9
        (project / name).write_bytes(b"two")
        os.utime(project / name, ns=(later, later))

    return change


def add_line(project: Path) -> None:
    with (project / "songs.csv").open("a", encoding="utf-8") as table:
        table.write("music/jazz/b.wav,jazz\n")


CHANGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a file is added to a folder": ("folder", lambda project: (project / "music/rock/new.wav").touch()),
    "a file in a folder is removed": ("folder", lambda project: (project / "music/rock/a.wav").unlink()),
    "a file in a folder is renamed": (
        "folder",
        lambda project: (project / "music/rock/a.wav").rename(project / "music/rock/z.wav"),
    ),
    "a file is replaced by one of the same size": ("folder", replace("music/jazz/b.wav")),
    "a line is added to a CSV": ("csv", add_line),
    "a file that a CSV names is replaced": ("csv", replace("music/rock/a.wav")),
    "an archive is replaced": ("archive", replace("gtzan.tar.gz")),
}


def make_music(project: Path) -> None:
    shutil.rmtree(project / "music", ignore_errors=True)
    for name in ("music/rock/a.wav", "music/jazz/b.wav", "gtzan.tar.gz", "songs.csv"):
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"path,genre\nmusic/rock/a.wav,rock\n" if name == "songs.csv" else b"one")
        os.utime(file, ns=(10**18, 10**18))


@pytest.fixture(scope="module", params=SOURCES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """A project with music of its own, that both runners take for built."""
    place = copy_project(ROOT, tmp_path_factory.mktemp("music"))
    make_music(place.folder)
    tree = read_tree(ROOT / "params.yaml")
    dataset = "gtzan" if request.param == "archive" else "folder"
    tree["datasets"][dataset]["path"] = SOURCES[request.param]
    tree |= {"dataset": dataset, "matrix": {key: [tree[key]] for key in AXES} | {"dataset": [dataset]}}
    write_tree(place.folder / "params.yaml", tree)
    build_placeholders(place)
    place.dvc("repro", "music")
    place.dvc("commit", "--force", "--quiet")
    yield place


def asked(place: Workplace) -> tuple[tuple[str, ...], tuple[str, ...]]:
    place.dvc("repro", "music")
    plan = ask(place)
    ours, theirs = {job.rule for job in plan.jobs}, plan.reached
    return tuple(s for s in STAGES if s in ours), tuple(s for s in STAGES if s in theirs)


def test_a_change_of_the_music_reruns_everything(place: Workplace, request: pytest.FixtureRequest) -> None:
    source = request.node.callspec.params["place"]
    assert asked(place) == ((), ())
    for change in (name for name, (changed, _) in CHANGES.items() if changed == source):
        CHANGES[change][1](place.folder)
        assert asked(place) == (STAGES, STAGES), change
        make_music(place.folder)
    assert asked(place) == ((), ())


def test_the_page_lists_these_changes() -> None:
    assert set(MUSIC) == set(CHANGES)
