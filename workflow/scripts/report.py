"""Stage report: the leaderboard of the runs, and one page that tells everything about them."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from genredag.atomic import write_csv, write_text
from genredag.errors import exits_cleanly
from genredag.params import load_params
from genredag.report.data_sets import named_path, read_data_sets
from genredag.report.leaderboard import leaderboard, leaderboard_markdown
from genredag.report.page import report_page
from genredag.report.provenance import read_provenance
from genredag.report.runs import read_run


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--runs", type=Path, nargs="+", required=True, metavar="FOLDER")
    for name in ("--dataset", "--frames"):
        parser.add_argument(name, type=named_path, action="append", default=[], metavar="DATASET=FILE")
    parser.add_argument("--date", default=date.today().isoformat())
    for output in ("--leaderboard", "--markdown", "--html"):
        parser.add_argument(output, type=Path, required=True)
    args = parser.parse_args(argv)
    params, params_text = load_params(args.params), args.params.read_text(encoding="utf-8")
    runs = [read_run(directory) for directory in args.runs]
    data_sets = read_data_sets(args.dataset, args.frames)
    table = leaderboard(runs)
    write_csv(args.leaderboard, table)
    write_text(args.markdown, leaderboard_markdown(table))
    provenance = read_provenance(Path(__file__).parent, args.date)
    write_text(args.html, report_page(runs, data_sets, params, params_text, provenance))


if __name__ == "__main__":
    main()
