"""Write handcrafted features of every track of a data set as tables, one CSV and one Parquet file per set."""

from __future__ import annotations

from pathlib import Path

from genredag.errors import exits_cleanly
from genredag.exports.feature_tables import feature_table
from genredag.frames.split_slices import open_split_slices
from genredag.params.groups.exports import FeatureTables
from genredag.params.groups.reading import read_group
from genredag.runtime.files import write_csv, write_parquet
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = flag_parser(__doc__, paths="params frames slices split")
    for flag in ("--csv", "--parquet"):
        parser.add_argument(flag, type=Path, nargs="+", required=True, help="a file per set, in their order")
    args = parser.parse_args(argv)
    configure_logging()
    data = open_split_slices(args.frames, args.slices, args.split)
    names = read_group(args.params, "feature_tables", FeatureTables).features
    for name, csv, parquet in zip(names, args.csv, args.parquet, strict=True):
        table = feature_table(data, name)
        write_csv(csv, table)
        write_parquet(parquet, table)


if __name__ == "__main__":
    main()
