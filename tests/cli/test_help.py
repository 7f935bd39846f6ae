"""Every command explains itself."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from genredag.cli import app

COMMANDS = typer.main.get_command(app).commands


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_each_option_and_has_an_example(name):
    command = COMMANDS[name]
    assert command.help and f"`genredag {name}" in command.epilog.replace("then `", "`")
    assert [option.name for option in command.params if not option.help] == []
    shown = CliRunner().invoke(app, [name, "-h"])
    assert (shown.exit_code, "Example: " in shown.stdout) == (0, True)


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "genredag", "--help"], capture_output=True, text=True, check=True
    )
    assert [name for name in COMMANDS if name not in done.stdout] == []
