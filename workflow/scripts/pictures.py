"""Write the spectrograms of a split as PNG files, in a folder per part and genre, and a table of them."""

from __future__ import annotations

from genredag.errors import exits_cleanly
from genredag.exports.pictures import write_pictures
from genredag.frames.split_slices import open_split_slices
from genredag.params.groups.exports import Pictures
from genredag.params.groups.reading import read_group
from genredag.runtime.files import write_csv
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    args = flag_parser(__doc__, paths="params frames slices split folder table").parse_args(argv)
    configure_logging()
    data = open_split_slices(args.frames, args.slices, args.split)
    table = write_pictures(args.folder, data, read_group(args.params, "pictures", Pictures))
    write_csv(args.table, table)


if __name__ == "__main__":
    main()
