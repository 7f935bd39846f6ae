"""Data, results and experiments on S3, and back into a fresh clone: nothing is computed twice.

This script starts moto's S3 server on the loopback interface and tries, on a small project:

- DVC: `repro`, `push` to S3, a fresh clone, `pull`, `repro`; an experiment shared over a git remote
  (`dvc exp push`, `pull`, `apply`);
- Snakemake with S3 as its default storage: a run, a second one, one from a fresh clone, and earlier results
  restored from the cache, which is on S3 too. All predictions are compared with those of a run without S3.

    pip install '.[s3]' 'moto[s3]' flask flask-cors
    python benchmarks/remotes.py --output remotes.json --page docs/clusters.md

The script ends with status 1 if a stage runs that need not, or a file differs.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from genredag.params.groups.reading import read_tree
from genredag.project.check_params.plan import choice_of, write_tree
from genredag.project.check_params.tiny import tiny_tree
from genredag.project.check_params.workplace import Workplace, copy_project
from genredag.project.generate import between
from genredag.runtime.files import write_json, write_text

ROOT = Path(__file__).resolve().parents[1]
BUCKET = "genredag"
# Python runs it at each start: it notes the command.
NOTE = """\
import os
import sys

with open(os.environ["SCRIPTS_RUN"], "a") as file:
    print(*sys.orig_argv, file=file)
"""
# What an experiment changes.
CHANGE = "models.svm_rbf.options.C=3.0"


@contextmanager
def s3_server() -> Iterator[str]:
    """Start an S3 server with an empty bucket; yield its address. Its keys are in the environment."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "secret"}
    os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for every request
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        boto3.client("s3", endpoint_url=address).create_bucket(Bucket=BUCKET)
        yield address
    finally:
        server.stop()


def small_project(folder: Path) -> Workplace:
    """Copy the project, with parameters of the tiny data set and a support vector machine."""
    place = copy_project(ROOT, folder)
    tree = read_tree(ROOT / "params.yaml")
    choice = {**choice_of(tree), "model": "svm_rbf"}
    write_tree(folder / "params.yaml", tiny_tree(tree, choice, touched=[]))
    return place


def with_git(place: Workplace) -> Workplace:
    """Put the project under git and DVC, as it is in its repository, with one commit."""
    shutil.copyfile(ROOT / ".gitignore", place.folder / ".gitignore")
    with (place.folder / ".gitignore").open("a", encoding="utf-8") as file:
        file.write("/.genredag-cache/\n")
    place.run("git", "init", "-q", "-b", "main")
    place.dvc("init", "--quiet")
    return commit(place, "Start")


def commit(place: Workplace, message: str) -> Workplace:
    """Commit everything."""
    place.run("git", "add", "-A")
    who = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.org")
    place.run("git", *who, "commit", "-q", "-m", message)
    return place


def clone(source: Path, folder: Path) -> Workplace:
    """Clone a repository."""
    Workplace(source).run("git", "clone", "-q", str(source), str(folder))
    return Workplace(folder)


def repro(place: Workplace) -> list[str]:
    """Run `dvc repro`; return the stages that ran."""
    return re.findall(r"^Running stage '(\w+)'", place.dvc("repro").stdout, flags=re.MULTILINE)


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of each file in a folder, but for git's."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".gitignore"
    }


def count(address: str, prefix: str) -> int:
    """Return the number of objects below a prefix of the bucket."""
    bucket = boto3.resource("s3", endpoint_url=address).Bucket(BUCKET)
    return sum(1 for _ in bucket.objects.filter(Prefix=prefix))


def try_dvc(folder: Path, address: str) -> dict[str, object]:
    """Push a built experiment to S3, pull it into a fresh clone, and share a changed one."""
    place = with_git(small_project(folder / "first"))
    place.dvc("remote", "add", "--default", "storage", f"s3://{BUCKET}/dvc")
    place.dvc("remote", "modify", "storage", "endpointurl", address)
    found: dict[str, object] = {"stages of the first run": len(repro(place))}
    commit(place, "Build")
    began = time.monotonic()
    pushed = place.dvc("push").stdout.strip()
    found["push"] = f"{pushed} in {time.monotonic() - began:.1f} s"
    hub = folder / "hub.git"
    place.run("git", "clone", "-q", "--bare", str(place.folder), str(hub))
    place.run("git", "remote", "add", "origin", str(hub))

    other = clone(hub, folder / "clone")
    began = time.monotonic()
    other.dvc("pull")
    found["pull into a fresh clone"] = f"{time.monotonic() - began:.1f} s"
    found["stages run after the pull"] = repro(other)
    found["same files as pushed"] = digests(other.folder / "experiment") == digests(
        place.folder / "experiment"
    )

    place.dvc("exp", "run", "--name", "larger-c", "-S", CHANGE)
    place.dvc("exp", "push", "origin", "larger-c")
    other.dvc("exp", "pull", "origin", "larger-c")
    before = digests(other.folder / "experiment")
    other.dvc("exp", "apply", "larger-c")
    after = digests(other.folder / "experiment")
    found["files that the experiment changed"] = sum(before[name] != after[name] for name in after)
    found["stages run after exp pull and apply"] = repro(other)
    found["same files as the experiment"] = after == digests(place.folder / "experiment")
    return found


def try_snakemake(folder: Path, address: str) -> dict[str, object]:
    """Run the workflow with S3 as its storage; compare with a run without."""
    prefix = f"s3://{BUCKET}/snakemake"
    flags = ("--default-storage-provider", "s3", "--default-storage-prefix", prefix)
    flags += ("--storage-s3-endpoint-url", address, "--cores", "2")
    alone, place = (small_project(folder / name) for name in ("alone", "storage"))
    alone.snakemake("--cores", "2")
    found: dict[str, object] = {}
    found["scripts run at first"], found["seconds of the first run"] = counted(place, flags)
    found["objects of data and results"] = sum(
        count(address, f"snakemake/{name}/") for name in ("data", "results")
    )
    found["files left in the folder"] = len(
        [path for name in ("data", "results", "logs") for path in (place.folder / name).rglob("*")]
    )
    found["scripts run again"], found["seconds of the second run"] = counted(place, flags)
    other = small_project(folder / "storage-clone")
    found["scripts run from a fresh copy"], _ = counted(other, flags)
    place.run(sys.executable, "-m", "genredag", "set", CHANGE)
    found["scripts run after a change of the model"], _ = counted(place, flags)
    shutil.copyfile(alone.folder / "params.yaml", place.folder / "params.yaml")
    found["scripts run after going back"], found["seconds of going back"] = counted(place, flags)
    found["different predictions"] = differing(alone.folder, address)
    return found


def counted(place: Workplace, flags: Sequence[str]) -> tuple[list[str], int]:
    """Run Snakemake; return the stages whose scripts ran, and the seconds taken."""
    noted, began = place.folder / "scripts.txt", time.monotonic()
    noted.write_text("", encoding="utf-8")
    (place.folder / "counter").mkdir(exist_ok=True)
    (place.folder / "counter/sitecustomize.py").write_text(NOTE, encoding="utf-8")
    path = os.pathsep.join([str(place.folder / "counter"), str(place.folder / "src")])
    command = [sys.executable, "-m", "snakemake", "--show-failed-logs", *flags]
    place.run(*command, PYTHONPATH=path, SCRIPTS_RUN=str(noted))
    found = re.findall(r"workflow/scripts/(\w+)\.py", noted.read_text(encoding="utf-8"))
    return sorted(found), round(time.monotonic() - began)


def differing(alone: Path, address: str) -> list[str]:
    """Return the tables of predictions on S3 that are not those of a run without S3."""
    bucket = boto3.resource("s3", endpoint_url=address).Bucket(BUCKET)
    files = sorted(path.relative_to(alone) for path in (alone / "results").rglob("*predictions.parquet"))
    assert files, "nothing was predicted"
    return [
        str(file)
        for file in files
        if bucket.Object(f"snakemake/{file.as_posix()}").get()["Body"].read() != (alone / file).read_bytes()
    ]


def failures(dvc: dict[str, object], snakemake: dict[str, object]) -> list[str]:
    """Return what is not as it should be."""
    expected = {
        "stages run after the pull": ["music"],
        "same files as pushed": True,
        "stages run after exp pull and apply": ["music"],
        "same files as the experiment": True,
        "files left in the folder": 0,
        "scripts run again": [],
        "scripts run from a fresh copy": [],
        "scripts run after a change of the model": ["evaluate", "report", "train"],
        "scripts run after going back": [],
        "different predictions": [],
    }
    found = dvc | snakemake
    wrong = [
        f"{key}: {found[key]} instead of {value}" for key, value in expected.items() if found[key] != value
    ]
    if not dvc["files that the experiment changed"]:
        wrong.append("the experiment changed no file")
    return wrong


def fill(page: Path, name: str, found: dict[str, object]) -> None:
    """Write what was found as a table into a page of the documentation."""
    rows = [f"| {key} | {shown(value)} |" for key, value in found.items()]
    table = "\n".join(["| | |", "|---|---|", *rows])
    write_text(page, between(page.read_text(encoding="utf-8"), name, table, page.name))


def shown(value: object) -> str:
    """Return a value as text for a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)


def arguments(argv: Sequence[str] | None, doc: str | None) -> argparse.Namespace:
    """Parse where the figures are written to."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--output", type=Path, help="write the figures here")
    parser.add_argument("--page", type=Path, help="write the tables into this page")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Try both runners, print what was found, and fail if something is not as it should be."""
    args = arguments(argv, __doc__)
    with tempfile.TemporaryDirectory(prefix="genredag-remotes-") as name, s3_server() as address:
        dvc = try_dvc(Path(name), address)
        snakemake = try_snakemake(Path(name), address)
    for runner, found in (("dvc", dvc), ("snakemake", snakemake)):
        for key, value in found.items():
            print(f"{runner}: {key}: {value}")
    wrong = failures(dvc, snakemake)
    if args.output:
        write_json(args.output, {"dvc": dvc, "snakemake": snakemake, "wrong": wrong})
    if args.page:
        fill(args.page, "dvc on s3", dvc)
        fill(args.page, "snakemake on s3", snakemake)
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
