import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from genredag.cli import app
from genredag.prediction import command


@pytest.fixture
def folder(svm, tmp_path, monkeypatch):
    """A current folder with two songs, a bad file and a bundle."""
    for name in ("blues.0", "rock.0"):
        shutil.copy(svm.files[name], tmp_path / f"{name}.wav")
    (tmp_path / "bad.mp3").write_bytes(b"no audio")
    shutil.copy(svm.path, tmp_path / "bundle.zip")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, stdin=""):
    done = CliRunner().invoke(app, ["predict", *arguments], input=stdin)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_a_song_gets_a_table(folder):
    done = run("rock.0.wav", "-m", "bundle.zip", "--timeline")
    assert done.exit_code == 0
    assert "rock.0.wav" in done.stdout and "leads" in done.stdout and "█" in done.stdout
    assert "bundle.zip: accuracy unknown" in done.stdout
    assert "unreadable" not in done.output


def test_unreadable_songs_give_status_1(folder):
    done = run(".", "-m", "bundle.zip", "--format", "json")
    assert done.exit_code == 1
    songs = json.loads(done.stdout)
    assert [song["status"] for song in songs] == ["unreadable", "ok", "ok"]
    assert "2 of 3 songs predicted" in done.stderr and "unreadable: bad.mp3: " in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.wav", "-m", "bundle.zip"], "absent.wav: no such file or folder"),
        (["rock.0.wav", "-m", "absent.zip"], "absent.zip: no such file; expected a model.zip"),
        (["rock.0.wav", "-m", "."], ".: is a folder; expected a model.zip"),
        (["", "-m", "bundle.zip"], "an empty name among the songs"),
        (
            ["rock.0.wav", "blues.0.wav", "-m", "bundle.zip", "--plot", "a.png"],
            "--plot a.png: one file for 2",
        ),
        (["rock.0.wav", "-m", "bad.mp3"], "bad.mp3"),
        (["rock.0.wav"], "no bundle found"),
        (["rock.0.wav", "-m", "bundle.zip", "-f", "yaml"], "--format: 'yaml'; expected table, json"),
        (["-", "-m", "bundle.zip"], "no song named"),
    ],
)
def test_mistakes_of_the_user_give_status_2_and_a_line(folder, arguments, message):
    done = run(*arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith("genredag: error: ") and message in done.stderr
    assert done.stderr.count("\n") == 1


def test_odd_names_are_shown_in_one_line_and_drawn(folder, recwarn):
    (folder / "a\nb \N{MUSICAL NOTE}.wav").write_bytes((folder / "rock.0.wav").read_bytes())
    done = run("a\nb \N{MUSICAL NOTE}.wav", "-m", "bundle.zip", "--plot", "figures")
    assert done.exit_code == 0, done.output
    assert "a?b \N{MUSICAL NOTE}.wav  0:" in done.stdout
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]


def test_writes_files_and_figures_and_resumes(folder):
    options = ["-m", "bundle.zip", "-f", "csv,jsonl", "-o", "out/music"]
    options += ["--plot", "figures", "--explain", "why"]
    first = run("blues.0.wav", "rock.0.wav", *options)
    assert first.exit_code == 0, first.output
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    assert {"out/music.csv", "out/music.jsonl", "out/music.journal"} < files
    assert {"figures/blues.0.png", "figures/rock.0.png", "why/blues.0.png", "why/rock.0.png"} < files
    content = (folder / "out/music.csv").read_bytes()
    again = run("blues.0.wav", "rock.0.wav", *options[:6])
    assert "2 of them known from the journal" in again.stderr
    assert (folder / "out/music.csv").read_bytes() == content


def test_the_suffix_of_the_output_is_its_format(folder):
    done = run("rock.0.wav", "-m", "bundle.zip", "-o", "out.csv")
    assert done.exit_code == 0 and "rock.0.wav" in done.stdout
    assert "rock.0.wav" in (folder / "out.csv").read_text(encoding="utf-8")


def test_one_song_may_name_its_figure(folder):
    done = run("rock.0.wav", "-m", "bundle.zip", "--plot", "a.png", "--explain", "a.png")
    assert done.exit_code == 0
    assert (folder / "a.png").is_file() and (folder / "a.explained.png").is_file()
    assert "written: a.png\nwritten: a.explained.png" in done.stderr


def test_many_songs_share_a_table(folder, monkeypatch):
    monkeypatch.setattr(command, "MOST_DETAILED", 1)
    done = run("-", "-m", "bundle.zip", stdin="rock.0.wav\nbad.mp3\nblues.0.wav\n")
    assert done.exit_code == 1
    lines = [line for line in done.stdout.splitlines() if ".wav" in line or ".mp3" in line]
    assert [line.split()[0] for line in lines] == ["rock.0.wav", "bad.mp3", "blues.0.wav"]


def test_an_interrupted_run_says_how_to_go_on(folder, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(command, "predict_batch", interrupted)
    done = run("rock.0.wav", "-m", "bundle.zip", "-o", "out", "-f", "csv")
    assert done.exit_code == 130
    assert "stopped after 0 of 1 songs; the same command resumes" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-f", ""], "--format: ''; expected table, json"),
        (["-f", "csv", "-o", "."], "--output .: a folder; expected DIR/NAME"),
        (["-f", "csv", "-o", "songs"], "--output songs: a folder; expected DIR/NAME"),
        (["-f", "csv", "-o", "a"], "a.csv: can't be written; expected the path of a file"),
        (["-f", "wav", "-o", "rock.0"], "--format: 'wav'"),
        (["--plot", "link.png"], "link.png: would be overwritten, but is read"),
        (["--journal", "songs"], "songs: can't be written"),
        (["--journal", "/dev/null"], "/dev/null: can't be written"),
        (["--plot", "a.jpg"], "--plot a.jpg: can't be written; expected a file FILE.png, or a folder"),
        (["--plot", "rock.0.wav/x"], "a file exists where a folder is needed"),
        (["--apply"], "--apply has no effect without --write-tags"),
        (["-m", "x" * 300], "shorten the name"),
        (["y" * 300], "no such file or folder"),
    ],
)
def test_a_useless_option_is_refused_before_any_song(folder, monkeypatch, arguments, message):
    (folder / "songs").mkdir()
    (folder / "a.csv").mkdir()
    (folder / "link.png").symlink_to(folder / "rock.0.wav")
    monkeypatch.setattr(command, "predict_batch", None)  # nothing may be predicted
    done = run("rock.0.wav", "-m", "bundle.zip", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr and done.stderr.count("genredag: error: ") == 1


def test_a_name_may_have_any_bytes_and_be_long(folder):
    odd, long = b"caf\xe9.wav", f"{'長' * 80}.wav"
    (folder / "odd").mkdir()
    shutil.copy(folder / "rock.0.wav", os.fsdecode(bytes(folder / "odd") + b"/" + odd))
    shutil.copy(folder / "rock.0.wav", folder / "odd" / long)
    arguments = ("odd", "-m", "bundle.zip", "-f", "json,csv,parquet,audacity", "-o", "out/odd")
    assert run(*arguments).exit_code == 0
    songs = json.loads((folder / "out/odd.json").read_text(encoding="utf-8"))
    assert [song["source"] for song in songs] == ["odd/caf\\xe9.wav", f"odd/{long}"]
    assert songs[0]["probabilities"] == songs[1]["probabilities"]
    again = run(*arguments)
    assert "2 of them known from the journal" in again.stderr
    assert run("odd", "-m", "bundle.zip", "--plot", "figures").exit_code == 0
    assert len(list((folder / "figures").glob("*.png"))) == 2


def test_the_name_of_an_output_may_end_in_its_format(folder):
    assert run("rock.0.wav", "-m", "bundle.zip", "-f", "csv", "-o", "out.csv").exit_code == 0
    assert sorted(path.name for path in folder.glob("out*")) == ["out.csv", "out.journal"]


def test_the_same_model_twice_is_one(folder):
    once = run("rock.0.wav", "-m", "bundle.zip", "-f", "json").stdout
    assert run("rock.0.wav", "-m", "bundle.zip", "-m", "bundle.zip", "-f", "json").stdout == once


def test_a_timeline_is_legible_without_colours(folder):
    lines = run("rock.0.wav", "-m", "bundle.zip", "--timeline").stdout.splitlines()
    ribbon = next(line for line in lines if line.strip().startswith("0:00 a"))
    legend = lines[lines.index(ribbon) + 1]
    assert set(ribbon.split()[1]) <= set("ab") and legend.split()[0] == "a"


def test_letters_that_a_terminal_lacks_are_replaced(folder):
    command = [sys.executable, "-m", "genredag", "predict", "rock.0.wav", "-m", "bundle.zip"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert re.search(r"rock +\d+ % +\?+", done.stdout)  # the bar
