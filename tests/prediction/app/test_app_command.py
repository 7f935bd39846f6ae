"""`genredag app` as a program."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from genredag import cli
from genredag.errors import EXTRAS


def test_without_a_model_it_says_what_to_do(tmp_path):
    done = CliRunner().invoke(cli.app, ["app", str(tmp_path)])
    assert done.exit_code == 2
    assert "no model found" in done.stderr and "name a model.zip" in done.stderr


@pytest.mark.parametrize("module", ["anyio", "fastapi", "starlette", "uvicorn"])
def test_without_the_extra_it_names_it(monkeypatch, module):
    monkeypatch.setattr("genredag.errors.find_spec", lambda name: None if name == module else object())
    done = CliRunner().invoke(cli.app, ["app"])
    assert done.exit_code == 2
    assert f"{module} is not installed. Hint: pip install 'genredag[app]'" in done.stderr
    assert EXTRAS[module] == "app"


def test_help_loads_no_web_framework():
    program = (
        "import sys; from genredag.cli import app; print({'fastapi', 'uvicorn', 'anyio'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


class Running:
    """`genredag app` with a model, on a free port, with its own folder for temporary files."""

    def __init__(self, model: Path, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "genredag", "app", str(model), "--port", str(port)]
        environment = os.environ | {"TMPDIR": str(folder)}
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        self.address = f"http://127.0.0.1:{port}"
        assert self.process.stderr.readline().startswith("genredag app with 1 model")
        give_up = time.monotonic() + 120
        while not self.answers():
            assert time.monotonic() < give_up
            time.sleep(0.1)

    def answers(self) -> bool:
        try:
            return bool(self.ask("/api/about"))
        except OSError:
            return False

    def ask(self, path: str, body: bytes | None = None) -> dict:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, body, headers)
        with urllib.request.urlopen(request, timeout=400) as answer:
            return json.loads(answer.read())

    def workers(self) -> list[int]:
        """Return the ids of the processes of its jobs."""
        listed = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(line) for line in listed.stdout.split()]


def is_alive(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for_the_end_of(processes: list[int]) -> None:
    give_up = time.monotonic() + 120
    while any(map(is_alive, processes)):
        assert time.monotonic() < give_up
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes in /proc")
def test_it_predicts_and_leaves_nothing_behind(svm, tmp_path):
    running = Running(svm.path, tmp_path)
    content = svm.files["rock.1"].read_bytes()
    song = running.ask("/api/songs?name=song.wav", content)
    model = running.ask("/api/about")["models"][0]["id"]
    choice = json.dumps({"model": model}).encode()
    assert running.ask(f"/api/songs/{song['id']}/predictions", choice)["genres"] == ["blues", "rock"]
    workers = running.workers()
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(60)
    assert [path.name for path in tmp_path.glob("genredag-app-*")] == []
    assert workers
    wait_for_the_end_of(workers)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes in /proc")
def test_after_a_kill_its_worker_ends_and_the_next_start_cleans_up(svm, tmp_path):
    running = Running(svm.path, tmp_path)
    running.ask("/api/songs?name=song.wav", svm.files["rock.1"].read_bytes())
    workers = running.workers()
    running.process.kill()
    running.process.wait()
    assert len(list(tmp_path.glob("genredag-app-*/*.wav"))) == 1
    wait_for_the_end_of(workers)
    again = Running(svm.path, tmp_path)
    assert len(list(tmp_path.glob("genredag-app-*/*.wav"))) == 0
    again.process.terminate()
    again.process.wait(60)
    assert [path.name for path in tmp_path.glob("genredag-app-*")] == []


def test_a_taken_port_is_one_line(svm):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(cli.app, ["app", str(svm.path), "--port", port])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"genredag: error: 127.0.0.1:{port}: can't listen there (")
    assert "choose a port with --port" in done.stderr and "http://" not in done.stderr
