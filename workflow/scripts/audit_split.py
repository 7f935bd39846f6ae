"""Audit one split: which test slices and tracks are recognised with and without each mistake. LEAKY."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd

from genredag.audits.leakage.outcomes import audit
from genredag.errors import exits_cleanly
from genredag.frames.store import open_frames
from genredag.params.groups.audits import LeakageAudit
from genredag.params.groups.reading import read_group
from genredag.params.groups.splits import read_split
from genredag.runtime.backend import configure_backend
from genredag.runtime.files import write_parquet
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--split-name", required=True, help="a key of `splits`")
    parser.add_argument("--seed", type=int, required=True)
    for name in ("--params", "--manifest", "--frames", "--slices", "--outcomes"):
        parser.add_argument(name, type=Path, required=True)
    args = parser.parse_args(argv)
    configure_logging()
    configure_backend(threads=1)
    outcomes = audit(
        pd.read_parquet(args.manifest),
        open_frames(args.frames.parent),
        pd.read_parquet(args.slices),
        json.loads(args.slices.with_suffix(".json").read_text(encoding="utf-8")),
        read_split(args.params, args.split_name),
        read_group(args.params, "leakage_audit", LeakageAudit),
        args.seed,
    )
    choice = {"dataset": args.dataset, "split": args.split_name, "seed": args.seed}
    write_parquet(args.outcomes, outcomes.assign(**choice))


if __name__ == "__main__":
    main()
