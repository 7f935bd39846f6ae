"""Learning curves: accuracy by the number of training tracks, as a table and as a figure."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from genredag.audits.learning_curves.scores import curves_table
from genredag.audits.learning_curves.showing import curves_figure, curves_markdown
from genredag.errors import exits_cleanly
from genredag.evaluation.plots import save_figure
from genredag.params.groups.evaluation import Report
from genredag.params.groups.reading import read_group
from genredag.runtime.files import write_csv, write_text
from genredag.runtime.flags import flag_parser


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = flag_parser(__doc__, paths="params table markdown figure")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True)
    args = parser.parse_args(argv)
    n_resamples = read_group(args.params, "report", Report).n_resamples
    table = curves_table(map(pd.read_parquet, args.predictions), n_resamples)
    write_csv(args.table, table)
    write_text(args.markdown, curves_markdown(table))
    save_figure(args.figure, curves_figure(table))


if __name__ == "__main__":
    main()
