"""The pipeline by profiles/kubernetes without a cluster: a server runs the commands of the manifests.

It answers as much of the Kubernetes API as Snakemake's plugin calls. A job's command runs in an empty folder
with the environment of its manifest and of envs/Dockerfile alone, and the claimed volume. The one other place
that jobs share is a bucket of moto's S3 server. Images are not pulled and resources are not limited:
scheduling, permissions and the network of a real cluster are not tried.

    pip install '.[kubernetes]' 'moto[s3]' flask flask-cors
    python benchmarks/pods.py --output pods.json --page docs/clusters.md

The script ends with status 1 if a job fails, a manifest is not as it should be, or a prediction differs from
those of a run without Kubernetes.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from remotes import BUCKET, ROOT, arguments, differing, fill, s3_server, small_project, with_git

from genredag.project.check_params.workplace import RunnerError, Workplace
from genredag.runtime.files import write_json

IMAGE = "registry.example.org/genredag:1"
PREFIX = "snakemake"


class Cluster(ThreadingHTTPServer):
    """A cluster of this machine alone: at most two jobs run at a time."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Api)
        self.folder = folder
        self.secrets: dict[str, dict[str, str]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.status: dict[str, dict[str, int]] = {}
        self.places = threading.Semaphore(2)

    def submit(self, job: dict[str, Any]) -> None:
        """Run a job in the background."""
        name = job["metadata"]["name"]
        self.jobs[name], self.status[name] = job, {"active": 1}
        threading.Thread(target=self._run, args=(name,), daemon=True).start()

    def _run(self, name: str) -> None:
        pod = self.jobs[name]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        folder = self.folder / name
        folder.mkdir(parents=True)
        command = [*container["command"], *container["args"]]
        with self.places, (folder.with_suffix(".log")).open("wb") as log:
            done = subprocess.run(
                command, cwd=folder, env=self._environment(pod), stdout=log, stderr=subprocess.STDOUT
            )
        self.status[name] = {"failed": 1} if done.returncode else {"succeeded": 1}

    def _environment(self, pod: dict[str, Any]) -> dict[str, str]:
        """Return the environment of a container: that of the image, and the secrets of the manifest."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        (container,) = pod["containers"]
        found = {
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "NO_PROXY": "127.0.0.1",
        }
        found |= image_environment()
        found["GENREDAG_CACHE"] = str(self.folder / "volume")
        found["PIP_FIND_LINKS"] = str(self.folder / "plugins")
        for variable in container.get("env", []):
            key = variable["valueFrom"]["secretKeyRef"]
            found[variable["name"]] = base64.b64decode(self.secrets[key["name"]][key["key"]]).decode()
        return found


class Api(BaseHTTPRequestHandler):
    """What the plugin calls of the Kubernetes API."""

    server: Cluster

    def do_POST(self) -> None:
        """Take a secret or a job."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/secrets"):
            self.server.secrets[body["metadata"]["name"]] = body["data"]
        elif self.path.endswith("/jobs"):
            self.server.submit(body)
        else:
            return self.send_error(404)
        self.answer(body)

    def do_GET(self) -> None:
        """Tell the status of a job."""
        if found := re.search(r"/jobs/([\w-]+)/status$", self.path):
            name = found[1]
            return self.answer(self.server.jobs[name] | {"status": self.server.status[name]})
        if re.search(r"/pods(\?|$)", self.path):
            return self.answer({"apiVersion": "v1", "kind": "PodList", "items": []})
        self.send_error(404)

    def do_DELETE(self) -> None:
        """Say that something is deleted."""
        self.answer({"apiVersion": "v1", "kind": "Status", "status": "Success"})

    def answer(self, value: dict[str, Any]) -> None:
        """Send JSON."""
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Print nothing."""


def image_environment() -> dict[str, str]:
    """Return the variables that envs/Dockerfile sets, but for PATH."""
    text = (ROOT / "envs/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    words = [word for line in re.findall(r"^ENV (.*)$", text, flags=re.MULTILINE) for word in line.split()]
    return {name: value for name, _, value in (word.partition("=") for word in words) if name != "PATH"}


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster; the environment names the file that leads to it."""
    folder.mkdir()
    with Cluster(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config = {
            **{"apiVersion": "v1", "kind": "Config", "current-context": "here"},
            "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
            "users": [{"name": "nobody", "user": {}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "nobody"}}],
        }
        (folder / "config").write_text(yaml.safe_dump(config), encoding="utf-8")
        os.environ["KUBECONFIG"] = str(folder / "config")
        yield server
        server.shutdown()


def provide_plugin(folder: Path) -> None:
    """Put the wheel of the storage plugin where envs/Dockerfile does."""
    text = (ROOT / "envs/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    (command,) = re.findall(r"^RUN (.*pip download .*)$", text, flags=re.MULTILINE)
    shutil.copyfile(ROOT / "envs/cluster.lock", folder / "cluster.lock")
    command = command.replace("/opt/plugins", "plugins").replace("pip ", f"{sys.executable} -m pip ")
    subprocess.run(command, shell=True, cwd=folder, check=True, capture_output=True)


def run(place: Workplace, address: str) -> subprocess.CompletedProcess[str]:
    """Run the workflow by the profile, with what a user adds to it."""
    added = ("--container-image", IMAGE, "--default-storage-prefix", f"s3://{BUCKET}/{PREFIX}")
    added += ("--config", "shards=1", "--set-threads", "download=2", "spectrograms=2")
    added += ("--seconds-between-status-checks", "1")
    # The plugin hands these to the jobs as secrets.
    keys = {"SNAKEMAKE_STORAGE_S3_ACCESS_KEY": "nobody", "SNAKEMAKE_STORAGE_S3_SECRET_KEY": "secret"}
    keys["SNAKEMAKE_STORAGE_S3_ENDPOINT_URL"] = address
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/kubernetes", *added]
    return place.run(*command, **keys)


def faults(jobs: Sequence[dict[str, Any]]) -> list[str]:
    """Return what is wrong with the manifests."""
    wrong = []
    for job in jobs:
        pod = job["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        asked = container["resources"]["requests"]
        checks = {
            "image": container["image"] == IMAGE,
            "restart policy": pod["restartPolicy"] == "Never" and job["spec"]["backoffLimit"] == 0,
            "cpu": 900 <= int(asked["cpu"].removesuffix("m")) <= 2000,
            "memory": 1000 <= int(asked["memory"].removesuffix("M")) <= 6000,
            "volume": {"persistentVolumeClaim": {"claimName": "genredag-cache"}, "name": "genredag-cache"}
            in pod["volumes"],
            "audio": image_environment()["GENREDAG_CACHE"]
            in [mount["mountPath"] for mount in container["volumeMounts"]],
            "no privileges": "securityContext" not in container,
            "keys as secrets": "secret" not in re.findall(r"[\w-]+", " ".join(container["args"])),
        }
        wrong += [f"{job['metadata']['name']}: {name}" for name, is_right in checks.items() if not is_right]
    return wrong


def main(argv: Sequence[str] | None = None) -> None:
    """Run both copies and compare them."""
    args = arguments(argv, __doc__)
    with tempfile.TemporaryDirectory(prefix="genredag-pods-") as name, s3_server() as address:
        folder = Path(name)
        alone, place = small_project(folder / "alone"), with_git(small_project(folder / "project"))
        alone.snakemake("--cores", "2")
        with cluster(folder / "cluster") as server:
            provide_plugin(server.folder)
            began = time.monotonic()
            try:
                run(place, address)
            except RunnerError as error:
                logs = [path.read_text(encoding="utf-8") for path in server.folder.glob("*.log")]
                sys.exit("\n".join([*logs, str(error)]))
            seconds = round(time.monotonic() - began)
            again = run(place, address)
        jobs = list(server.jobs.values())
        found = {
            "pods": len(jobs),
            "seconds": seconds,
            "faults of manifests": faults(jobs),
            "nothing to do afterwards": "Nothing to be done" in again.stderr,
            "files left in the folder": len([*(place.folder / "results").rglob("*")]),
            "different predictions": differing(alone.folder, address),
        }
    for key, value in found.items():
        print(f"{key}: {value}")
    if args.page:
        fill(args.page, "pods", found)
    if args.output:
        write_json(args.output, found | {"manifest": jobs[0]})
    if (
        found["faults of manifests"]
        or found["different predictions"]
        or not found["nothing to do afterwards"]
    ):
        sys.exit(1)


if __name__ == "__main__":
    main()
