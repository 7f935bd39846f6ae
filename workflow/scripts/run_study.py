"""Run a published study in a separate folder, by its own or a corrected protocol; keep its predictions."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from genredag.audits.as_published.running import commands, run_stages
from genredag.audits.as_published.studies import VARIANTS, LeftOutError, choose, load_studies, study_tree
from genredag.audits.as_published.table import left_out
from genredag.audits.as_published.weights import NoWeightsError, close_note, require_weights, write_note
from genredag.errors import exits_cleanly
from genredag.params.groups.reading import format_yaml
from genredag.params.loading import load_params, parse_params
from genredag.project.stages import read_commands
from genredag.runtime.cache import default_cache_dir
from genredag.runtime.files import write_parquet, write_text
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = flag_parser(
        __doc__, names="dataset study", numbers="seed", paths="params studies stages manifest predictions"
    )
    parser.add_argument("--variant", choices=VARIANTS, required=True)
    parser.add_argument("--awaited", default="", help="state of the weights when the job started")
    args = parser.parse_args(argv)
    configure_logging()
    study = choose(load_studies(args.studies), args.study)
    # Next to the predictions and unknown to Snakemake, so that a killed run can be resumed.
    folder = args.predictions.with_name(f".{args.predictions.stem}")
    watch = study.watch if args.variant == "as_published" else "validation"
    params = load_params(args.params).model_dump()
    try:
        tree = study_tree(params, study, args.variant, args.dataset, args.seed)
        require_weights(parse_params(tree).models[study.model].backbone, default_cache_dir())
        write_text(folder / "params.yaml", format_yaml(tree))
        shutil.copyfile(args.manifest, folder / "manifest.parquet")
        predictions = run_stages(
            commands(read_commands(args.stages), tree, folder), Path.cwd(), folder, watch
        )
        close_note(args.predictions, args.awaited)
    except LeftOutError as error:
        logging.getLogger(__name__).warning("left out: %s", error)
        predictions = left_out(str(error))
        if isinstance(error, NoWeightsError):
            write_note(args.predictions, error.path)
    write_parquet(args.predictions, predictions.assign(seed=args.seed, warning=study.warning(args.variant)))
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
