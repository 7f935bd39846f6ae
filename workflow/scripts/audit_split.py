"""Audit one split: which test slices and tracks are classified right with and without each mistake. LEAKY."""

from __future__ import annotations

import pandas as pd

from genredag.audits.leakage.outcomes import audit
from genredag.errors import exits_cleanly
from genredag.frames.split_slices import open_sliced_frames
from genredag.params.groups.audits import LeakageAudit
from genredag.params.groups.reading import read_group
from genredag.params.groups.splits import read_split
from genredag.runtime.backend import configure_backend
from genredag.runtime.files import write_parquet
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    args = flag_parser(
        __doc__, names="dataset split-name", numbers="seed", paths="params manifest frames slices outcomes"
    ).parse_args(argv)
    configure_logging()
    configure_backend(threads=1)
    outcomes = audit(
        pd.read_parquet(args.manifest),
        open_sliced_frames(args.frames, args.slices),
        read_split(args.params, args.split_name),
        read_group(args.params, "leakage_audit", LeakageAudit),
        args.seed,
    )
    choice = {"dataset": args.dataset, "split": args.split_name, "seed": args.seed}
    write_parquet(args.outcomes, outcomes.assign(**choice))


if __name__ == "__main__":
    main()
