"""Note names, sizes and dates of the user's own music, by which DVC notices that it changed."""

from __future__ import annotations

from collections.abc import Sequence

from genredag.datasets.user_music import check_source, source_state
from genredag.errors import exits_cleanly
from genredag.params.loading import load_params
from genredag.runtime.files import write_text
from genredag.runtime.flags import flag_parser


@exits_cleanly
def main(argv: Sequence[str] | None = None) -> None:
    args = flag_parser(__doc__, names="dataset", paths="params music").parse_args(argv)
    # The first stage of `dvc repro` checks all names, before DVC looks for the groups that they name.
    group = load_params(args.params).entry("datasets", args.dataset)
    check_source(group, args.dataset)
    state = source_state(group)
    write_text(args.music, (state or "none") + "\n")


if __name__ == "__main__":
    main()
