"""Data made in shards of tracks: a job a shard, a failed shard that runs again alone, and the same files."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml

from genredag.datasets.registry import build_manifest
from genredag.frames.rendering import render
from genredag.params.loading import load_params
from genredag.project.check_params.plan import choice_of, write_tree
from genredag.project.check_params.tiny import tiny_tree
from genredag.project.check_params.workplace import Workplace, copy_project
from genredag.project.editing import set_values
from genredag.runtime.files import write_parquet

ROOT = Path(__file__).resolve().parents[2]
MANIFEST, FRAMES = "data/synthetic/manifest.parquet", "data/synthetic/mel/frames.npy"
TABLE = re.compile(r"^Job stats:\njob +count\n-.*\n((?:.+\n)+?)total ", re.MULTILINE)


def counted(printed: str) -> Counter[str]:
    """Return the number of jobs of each rule that Snakemake plans."""
    if not (table := TABLE.search(printed)):
        return Counter()
    return Counter({rule: int(n) for rule, n in (line.split() for line in table[1].splitlines())})


@pytest.fixture
def tiny(tmp_path: Path) -> Workplace:
    """A copy whose data set is 20 tracks of a second."""
    place = copy_project(ROOT, tmp_path)
    tree = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    tree = tiny_tree(tree, choice_of(tree), touched=[])
    tree["datasets"]["synthetic"] |= {"clip_seconds": 1.0, "tracks_per_genre": 2}
    tree["matrix"]["representation"] = ["mel"]
    write_tree(place.folder / "params.yaml", tree)
    return place


# Not among the slow tests: always, real jobs fail and are joined.
def test_a_failed_shard_runs_again_alone_and_the_files_are_those_of_one_job(tiny: Workplace) -> None:
    def snakemake(*arguments: str, check: bool = True) -> str:
        done = tiny.snakemake("--cores", "2", *arguments, "--config", "shards=3", check=check)
        assert check or done.returncode == 1
        return done.stdout + done.stderr

    assert counted(snakemake(MANIFEST)) == {"list_tracks": 1, "decode_shard": 3, "download": 1}
    cache = tiny.folder / ".genredag-cache"
    manifest = pd.read_parquet(tiny.folder / MANIFEST)
    audio = cache / manifest["path"][10]  # rows 6 to 12 are in the second shard
    audio.rename(audio.with_suffix(".away"))
    printed = snakemake("--keep-going", FRAMES, check=False)
    assert counted(printed) == {"render_shard": 3, "spectrograms": 1}
    assert f"no such file: {audio}" in printed
    parts = (tiny.folder / "data/synthetic/mel/shards").glob("*/frames.npy")
    assert sorted(part.parent.name for part in parts) == ["1-of-3", "3-of-3"]

    audio.with_suffix(".away").rename(audio)
    printed = snakemake(FRAMES)
    assert counted(printed) == {"render_shard": 1, "spectrograms": 1}
    assert re.findall(r"mel of shard (\d)", printed) == ["2"]
    assert not list(tiny.folder.glob("data/**/shards/**/*.*"))

    params = load_params(tiny.folder / "params.yaml")
    whole, _ = build_manifest("synthetic", params.datasets.synthetic, params.download, cache, 1)
    write_parquet(tiny.folder / "whole/manifest.parquet", whole)
    render(
        *(whole, "mel", params.representations.mel, params.spectrograms),
        **{"cache_dir": cache, "out_dir": tiny.folder / "whole", "n_jobs": 1},
    )
    made = [path for folder in ("", "mel") for path in (tiny.folder / "data/synthetic" / folder).glob("*.*")]
    same = {path.name: path.read_bytes() for path in made if path.name != "quarantine.csv"}
    assert same == {path.name: path.read_bytes() for path in (tiny.folder / "whole").iterdir()}


@pytest.mark.slow
def test_another_number_of_shards_makes_nothing_again(tiny: Workplace) -> None:
    tiny.snakemake("--cores", "2", MANIFEST, "--config", "shards=2")
    assert "Nothing to be done" in tiny.snakemake("--dry-run", MANIFEST, "--config", "shards=2").stdout
    done = tiny.snakemake("--cores", "1", MANIFEST, check=False)
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("genredag: error:"))
    assert done.returncode == 2
    assert f"--config: shards=1, but {MANIFEST} was made with another number" in line
    advised = re.search(r"snakemake (--touch .* --config shards=1) keeps", line)[1]
    tiny.snakemake(*advised.split())
    assert "Nothing to be done" in tiny.snakemake("--dry-run", MANIFEST).stdout
    # If a parameter has changed or the files are gone, any number will do.
    set_values(tiny.folder / "params.yaml", ["download.min_seconds=0.9"])
    done = tiny.snakemake("--cores", "2", MANIFEST, "--config", "shards=3")
    assert counted(done.stdout + done.stderr)["decode_shard"] == 3
    tiny.snakemake("--cores", "2", FRAMES, "--config", "shards=3")
    shutil.rmtree(tiny.folder / "data")
    done = tiny.snakemake("--cores", "2", FRAMES)
    assert counted(done.stdout + done.stderr) == {"download": 1, "spectrograms": 1}


def test_a_dry_run_shows_a_job_a_shard(toy) -> None:
    toy.set("matrix.dataset=[synthetic, gtzan]", "matrix.representation=[mel, stft]")
    plan = counted(toy.snakemake("--dry-run", "--config", "shards=5").stdout)
    data = {"list_tracks": 2, "decode_shard": 10, "download": 2, "render_shard": 20, "spectrograms": 4}
    assert {rule: plan[rule] for rule in data} == data
    plan = counted(toy.snakemake("--dry-run").stdout)
    assert (plan["download"], plan["spectrograms"]) == (2, 4)
    assert not plan.keys() & {"list_tracks", "decode_shard", "render_shard"}


@pytest.mark.parametrize("value", ["0", "abc"])
def test_another_number_is_refused_in_one_line(toy, value: str) -> None:
    done = toy.snakemake("--dry-run", "--config", f"shards={value}", check=False)
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if "genredag: error:" in line]
    assert errors == [
        f"genredag: error: --config: shards={value}; expected a whole number from 1 to 500. "
        "Hint: snakemake --config shards=16"
    ]
    assert "Traceback" not in done.stderr
