"""The pipeline on a Slurm cluster of one node, which crashes in mid-run: the same predictions as without.

This script starts munge and Slurm with a configuration of its own, so it runs as root, on a machine without
Slurm (Debian: `apt-get install slurm-wlm munge`; `pip install '.[slurm]'`). It copies the project, builds a
small matrix in one copy without Slurm, and in another with `--workflow-profile profiles/slurm` and three
shards of tracks. While a training job runs there, the node daemon is killed with all jobs of the node; it is
started again after the controller has given the node up.

    python benchmarks/slurm.py --output slurm.json

The script ends with status 1 if a run fails or a prediction differs.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
from processes import descendants

from genredag.project.check_params.workplace import copy_project
from genredag.runtime.files import write_json

ROOT = Path(__file__).resolve().parents[1]
# Programs find it without an environment variable: jobs of Snakemake's plugin have none of Slurm's.
CONFIG_FILE = Path("/etc/slurm/slurm.conf")
CONFIG = """\
ClusterName=genredag
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdTimeout={timeout}
MinJobAge=3600
JobRequeue=1
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=24000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
NODE_TIMEOUT = 15  # seconds without an answer after which the controller gives the node up
PATIENCE = 1800.0  # seconds
MATRIX = (
    "matrix.representation=[mel]",
    "matrix.model=[svm_rbf, lstm_windows]",
    "datasets.synthetic.tracks_per_genre=12",
    "models.lstm_windows.epochs=3",
)
SLURM_FLAGS = (
    *("--workflow-profile", "profiles/slurm"),
    *("--config", "shards=3", "--set-threads", "list_tracks=2", "decode_shard=1", "render_shard=1"),
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "5"),
)


@contextmanager
def cluster(folder: Path) -> Iterator[list[str]]:
    """Start a cluster with its files in `folder`; yield the command that starts its node daemon."""
    if CONFIG_FILE.exists():
        sys.exit(f"{CONFIG_FILE} exists: this script needs a machine without Slurm")
    for program in ("munged", "slurmctld", "slurmd", "squeue"):
        if shutil.which(program) is None:
            sys.exit(f"{program} is missing: apt-get install slurm-wlm munge")
    host = socket.gethostname()
    text = CONFIG.format(host=host, folder=folder, ports=free_ports(2), timeout=NODE_TIMEOUT)
    key = folder / "munge.key"
    key.write_bytes(bytes(range(128)))  # nobody else can reach this cluster
    key.chmod(0o400)
    node = ["slurmd", "-D", "-N", host]
    with ExitStack() as stack:
        CONFIG_FILE.parent.mkdir(exist_ok=True)
        CONFIG_FILE.write_text(text, encoding="utf-8")
        stack.callback(CONFIG_FILE.unlink)
        files = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munged.pid"}
        files |= {"log-file": "munged.log", "seed-file": "munge.seed"}
        munge = [f"--{flag}={folder / name}" for flag, name in files.items()]
        stack.callback(kill, "munged")
        subprocess.run(["munged", "--force", *munge], check=True, capture_output=True)
        stack.callback(kill, "slurmctld", "slurmd", "slurmstepd")
        for command in (["slurmctld", "-D"], node):
            start(command)
        yield node


def free_ports(n: int) -> list[int]:
    """Return ports that nothing listens on."""
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(n)]
        return [one.getsockname()[1] for one in taken]


def start(command: Sequence[str]) -> None:
    """Start a daemon in the background."""
    nothing = subprocess.DEVNULL
    subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)


def kill(*names: str) -> int:
    """Kill all processes with these names, and what they started; return how many."""
    roots = [process for process in psutil.process_iter(["name"]) if process.info["name"] in names]
    found = {process for root in roots for process in (root, *descendants(root))}
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return len(found)


def build(folder: Path, *flags: str) -> subprocess.Popen[bytes]:
    """Start Snakemake in a copy of the project; its log is ``snakemake.log``."""
    with (folder / "snakemake.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *flags], cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )


def crash(folder: Path, node: Sequence[str]) -> dict[str, object]:
    """Kill the node while a training job runs, and start it again later."""
    log, began = folder / "logs/train", time.monotonic()
    while not any(log.rglob("*.log")):
        if time.monotonic() - began > PATIENCE:
            sys.exit("no training began")
        time.sleep(0.2)
    n_killed, stopped = kill("slurmd", "slurmstepd"), time.monotonic()
    while "down" not in state():
        if time.monotonic() - stopped > PATIENCE:
            sys.exit("the controller did not notice")
        time.sleep(1)
    noticed = time.monotonic() - stopped
    start(node)
    return {"killed processes": n_killed, "seconds until the node was given up": round(noticed)}


def state() -> str:
    """Return the states of the node."""
    done = subprocess.run(["sinfo", "--noheader", "--format", "%T"], capture_output=True, text=True)
    return done.stdout


def differing(one: Path, other: Path) -> list[str]:
    """Return the tables of predictions that are not the same in two copies."""
    files = sorted(path.relative_to(one) for path in (one / "results").rglob("*predictions.parquet"))
    assert files, "nothing was predicted"
    return [
        str(file)
        for file in files
        if not (other / file).is_file() or (one / file).read_bytes() != (other / file).read_bytes()
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Run both copies and compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--output", type=Path, help="write the figures here")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="genredag-slurm-") as name:
        places = [copy_project(ROOT, Path(name, which)) for which in ("alone", "slurm")]
        for place in places:
            place.run(sys.executable, "-m", "genredag", "set", *MATRIX)
        alone, slurm = (place.folder for place in places)
        seconds = {}
        began = time.monotonic()
        failed = build(alone, "--cores", "2").wait(PATIENCE)
        seconds["alone"] = round(time.monotonic() - began)
        with cluster(Path(name)) as node:
            began = time.monotonic()
            run = build(slurm, *SLURM_FLAGS)
            found = crash(slurm, node)
            failed = run.wait(PATIENCE) or failed
            seconds["slurm"] = round(time.monotonic() - began)
        log = (slurm / "snakemake.log").read_text(encoding="utf-8")
        found |= {"seconds": seconds, "jobs submitted": log.count("has been submitted with SLURM jobid")}
        found |= {"failed": bool(failed), "different predictions": differing(alone, slurm)}
    for key, value in found.items():
        print(f"{key}: {value}")
    if args.output:
        write_json(args.output, found)
    if failed or found["different predictions"]:
        print(log, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
