"""Get a data set and list its tracks, for the shards that decode them."""

from __future__ import annotations

from collections.abc import Sequence

from genredag.datasets.registry import list_tracks
from genredag.datasets.shards import write_listing
from genredag.errors import exits_cleanly
from genredag.params.groups.datasets import Download, read_data_set
from genredag.params.groups.reading import read_group
from genredag.runtime.cache import default_cache_dir
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: Sequence[str] | None = None) -> None:
    parser = flag_parser(__doc__, names="dataset", paths="params tracks")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(argv)
    configure_logging()
    listing = list_tracks(
        args.dataset,
        read_data_set(args.params, args.dataset),
        read_group(args.params, "download", Download),
        default_cache_dir(),
        args.jobs,
    )
    write_listing(args.tracks, listing)


if __name__ == "__main__":
    main()
