"""Note names, sizes and dates of the user's own music, by which DVC notices that it changed."""

from __future__ import annotations

from collections.abc import Sequence

from genredag.datasets.user_music import source_state
from genredag.errors import exits_cleanly
from genredag.params.groups.datasets import read_data_set
from genredag.runtime.files import write_text
from genredag.runtime.flags import flag_parser


@exits_cleanly
def main(argv: Sequence[str] | None = None) -> None:
    args = flag_parser(__doc__, names="dataset", paths="params music").parse_args(argv)
    state = source_state(read_data_set(args.params, args.dataset))
    write_text(args.music, (state or "none") + "\n")


if __name__ == "__main__":
    main()
