"""Compare published figures with ours, by the projects' own protocols and by corrected ones."""

from __future__ import annotations

from pathlib import Path

from genredag.audits.as_published.studies import choose, load_studies
from genredag.audits.as_published.table import published_markdown, published_table, read_runs
from genredag.errors import exits_cleanly
from genredag.params.loading import load_params
from genredag.runtime.files import write_csv, write_text
from genredag.runtime.flags import flag_parser


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = flag_parser(__doc__, paths="params studies table markdown")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True)
    args = parser.parse_args(argv)
    params = load_params(args.params)
    known = load_studies(args.studies)
    studies = {name: choose(known, name) for name in params.as_published.studies}
    table = published_table(read_runs(args.predictions), studies, params)
    write_csv(args.table, table)
    write_text(args.markdown, published_markdown(table))


if __name__ == "__main__":
    main()
