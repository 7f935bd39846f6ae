"""Cut every track of a frame store into overlapping slices.

--frames names frames.npy, next to its index and spec; slices.json goes next to --slices.
"""

from __future__ import annotations

from genredag.errors import exits_cleanly
from genredag.frames.slices import cut
from genredag.frames.store import open_frames
from genredag.params.groups.reading import read_group
from genredag.params.groups.slices import Slices
from genredag.runtime.files import write_json, write_parquet
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    args = flag_parser(__doc__, paths="params frames slices").parse_args(argv)
    configure_logging()
    frames = open_frames(args.frames.parent)
    table, summary = cut(
        frames.index, frames.spec.frames_per_second, read_group(args.params, "slices", Slices)
    )
    write_parquet(args.slices, table)
    write_json(args.slices.with_suffix(".json"), summary)


if __name__ == "__main__":
    main()
