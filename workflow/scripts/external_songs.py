"""Predict songs of your own with trained models, and compare with their true genres."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from genredag.audits.external_songs.predicting import list_songs, predict_external
from genredag.audits.external_songs.showing import external_songs_markdown
from genredag.errors import ParameterError, exits_cleanly
from genredag.params.groups.audits import ExternalSongs
from genredag.params.groups.reading import read_group
from genredag.prediction.classifier import load
from genredag.report.external_page import external_songs_page
from genredag.runtime.backend import configure_backend
from genredag.runtime.files import write_csv, write_text
from genredag.runtime.flags import flag_parser
from genredag.runtime.folders import user_path
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = flag_parser(__doc__, paths="params table markdown html")
    parser.add_argument("--models", type=Path, nargs="+", required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--date", default=date.today().isoformat())
    args = parser.parse_args(argv)
    configure_logging()
    path = read_group(args.params, "external_songs", ExternalSongs).path
    if path is None:
        raise ParameterError("no songs", where="external_songs.path", expected="a folder <genre>/**/*.mp3")
    configure_backend(threads=1)
    table = predict_external(map(load, args.models), list_songs(user_path(path)), args.jobs)
    write_csv(args.table, table)
    write_text(args.markdown, external_songs_markdown(table))
    write_text(args.html, external_songs_page(table, args.date))


if __name__ == "__main__":
    main()
