"""Write the leaderboard of the runs, and one page with all results."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from genredag.errors import exits_cleanly
from genredag.params.groups.evaluation import Evaluate, Report
from genredag.params.groups.reading import read_group, read_tree
from genredag.report.audit_view import read_audits
from genredag.report.data_sets import named_path, read_data_sets
from genredag.report.leaderboard import all_comparisons, entries, leaderboard, leaderboard_markdown
from genredag.report.page import report_pages
from genredag.report.runs import read_run
from genredag.report.what_ran import read_what_ran
from genredag.runtime.cache import default_cache_dir
from genredag.runtime.files import write_csv, write_text
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = flag_parser(__doc__, paths="params leaderboard markdown comparisons html significance data")
    parser.add_argument("--runs", type=Path, nargs="+", required=True)
    for name in ("--dataset", "--frames", "--near-duplicates", "--audit"):
        parser.add_argument(name, type=named_path, action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--date", default=date.today().isoformat())
    args = parser.parse_args(argv)
    configure_logging()
    report = read_group(args.params, "report", Report)
    decision = read_group(args.params, "evaluate", Evaluate).track_decision
    runs = [read_run(folder) for folder in args.runs]
    pooled = entries(runs, decision, report.n_resamples)
    data_sets = read_data_sets(args.dataset, args.frames, args.near_duplicates)
    what_ran = read_what_ran(args.params, args.date)
    audits, tree = read_audits(args.audit), read_tree(args.params)
    pages = report_pages(pooled, data_sets, audits, report, tree, what_ran, default_cache_dir())
    table = leaderboard(pooled)
    write_csv(args.leaderboard, table)
    write_text(args.markdown, leaderboard_markdown(table))
    write_csv(args.comparisons, all_comparisons(pooled))
    for name, page in pages.items():
        write_text(getattr(args, name), page)


if __name__ == "__main__":
    main()
