from pathlib import Path

import pytest

from genredag.runtime.flags import flag_parser


def test_flags_are_converted_to_their_types():
    parser = flag_parser("What it does.", paths="params near-duplicates", names="split-name", numbers="seed")
    argv = ["--params", "a.yaml", "--near-duplicates", "b.csv", "--split-name", "s", "--seed", "3"]
    args = parser.parse_args(argv)
    assert vars(args) == {
        **{"params": Path("a.yaml"), "near_duplicates": Path("b.csv")},
        **{"split_name": "s", "seed": 3},
    }
    assert "What it does." in parser.format_help()


def test_flags_are_required(capsys):
    with pytest.raises(SystemExit, match="2"):
        flag_parser(None, paths="params", numbers="seed").parse_args(["--seed", "3"])
    assert "the following arguments are required: --params" in capsys.readouterr().err
