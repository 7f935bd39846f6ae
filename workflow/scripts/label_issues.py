"""Suspicious labels: rank the tracks by how much out-of-fold predictions disagree with their genres."""

from __future__ import annotations

import pandas as pd

from genredag.audits.label_issues.ranking import label_issues, read_faults
from genredag.audits.label_issues.showing import label_issues_markdown
from genredag.errors import exits_cleanly
from genredag.params.groups.audits import LabelIssues
from genredag.params.groups.reading import read_group
from genredag.report.data_sets import named_path
from genredag.runtime.files import write_csv, write_text
from genredag.runtime.flags import flag_parser
from genredag.runtime.folders import user_path
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = flag_parser(__doc__, paths="params table markdown")
    parser.add_argument("--predictions", type=named_path, nargs="+", required=True, metavar="DATASET=FILE")
    args = parser.parse_args(argv)
    configure_logging()
    path = read_group(args.params, "label_issues", LabelIssues).faults
    runs = [(dataset, pd.read_parquet(file)) for dataset, file in args.predictions]
    table = label_issues(runs, None if path is None else read_faults(user_path(path)))
    write_csv(args.table, table)
    write_text(args.markdown, label_issues_markdown(table))


if __name__ == "__main__":
    main()
