"""Leakage audit: how many points each mistake of an evaluation adds, as a table and as a figure."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from genredag.audits.leakage.showing import worth_figure, worth_markdown
from genredag.audits.leakage.worth import worth_table
from genredag.errors import exits_cleanly
from genredag.evaluation.plots import save_figure
from genredag.params.groups.audits import LeakageAudit
from genredag.params.groups.evaluation import Report
from genredag.params.groups.reading import read_group
from genredag.runtime.files import write_csv, write_text
from genredag.runtime.flags import flag_parser


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = flag_parser(__doc__, paths="params table markdown figure")
    parser.add_argument("--outcomes", type=Path, nargs="+", required=True)
    args = parser.parse_args(argv)
    outcomes = pd.concat(map(pd.read_parquet, args.outcomes), ignore_index=True)
    splits = read_group(args.params, "leakage_audit", LeakageAudit).split
    table = worth_table(outcomes, splits, read_group(args.params, "report", Report).n_resamples)
    write_csv(args.table, table)
    write_text(args.markdown, worth_markdown(table))
    save_figure(args.figure, worth_figure(table))


if __name__ == "__main__":
    main()
