"""Split tracks into training, validation and test, check for leakage, and list near-duplicates.

--split-name is a key of `splits`; --fold is the number of the test fold, 0 without folds.
"""

from __future__ import annotations

import pandas as pd

from genredag.errors import exits_cleanly
from genredag.frames.store import open_frames
from genredag.params.groups.reading import read_group
from genredag.params.groups.splits import NearDuplicates, read_split
from genredag.runtime.files import write_csv, write_parquet
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging
from genredag.splits.leakage import marked
from genredag.splits.near_duplicates import near_duplicates
from genredag.splits.split import check_split, split_slices


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    args = flag_parser(
        __doc__,
        names="split-name",
        numbers="fold seed",
        paths="params manifest frames slices split near-duplicates",
    ).parse_args(argv)
    configure_logging()
    manifest = pd.read_parquet(args.manifest)
    protocol = read_split(args.params, args.split_name)
    limit = read_group(args.params, "near_duplicates", NearDuplicates)
    split = split_slices(manifest, pd.read_parquet(args.slices), protocol, args.seed, args.fold)
    check_split(split, manifest, protocol)
    alike = near_duplicates(split, open_frames(args.frames.parent), limit.correlation)
    write_parquet(args.split, split)
    write_csv(args.near_duplicates, marked(alike, split))


if __name__ == "__main__":
    main()
