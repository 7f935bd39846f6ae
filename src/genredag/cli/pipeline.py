"""Commands for a project: its parameters, documents, models and searches."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genredag.errors import exits_cleanly, require

app = typer.Typer()


@app.command(
    "check-params",
    epilog="Example: `genredag check-params --against origin/main --output changes.md`",
)
@exits_cleanly
def check_params_command(
    against: Annotated[
        str | None, typer.Option(metavar="REF", help="Compare with this git commit, branch or tag.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.md", help="Also write the table to this file.")
    ] = None,
    tolerance: Annotated[float, typer.Option(min=0, max=1, help="Largest accepted drop in accuracy.")] = 0.05,
) -> None:
    """Check params.yaml: is it valid, does dvc.lock match, do Snakemake and DVC agree?

    With --against, also report which values changed, which stages each runner would rerun, and whether
    accuracy on a small data set drops, over several seeds. The exit status is 1 if a check fails, 2 after
    a user error.
    """
    require("snakemake", "dvc")
    from genredag.project.check_params import check_params

    raise typer.Exit(check_params(Path.cwd(), against, output, tolerance))


@app.command("validate", epilog="Example: `genredag validate && dvc repro`")
@exits_cleanly
def validate_command(
    fetch_weights: Annotated[
        bool,
        typer.Option("--fetch-weights", help="Download published weights of `model` and `representation`."),
    ] = False,
) -> None:
    """Check params.yaml and studies.yaml before running anything: values, names, inputs of models."""
    from genredag.models.compatibility import obtain_encoders, obtain_weights
    from genredag.project.validation import load_valid_params
    from genredag.runtime.cache import default_cache_dir

    params = load_valid_params(Path("params.yaml"))
    if fetch_weights:
        obtain_weights(params, [params.model], default_cache_dir())
        obtain_encoders(params, [params.representation], default_cache_dir())


@app.command("set", epilog="Example: `genredag set slices.seconds=5 'matrix.model=[crnn, svm_rbf]'`")
@exits_cleanly
def set_command(
    assignments: Annotated[list[str], typer.Argument(metavar="KEY=VALUE", help="New values, in YAML.")],
) -> None:
    """Change values in params.yaml. Comments are kept; an invalid value leaves the file unchanged."""
    from genredag.params.tree import in_words
    from genredag.project.editing import set_values

    changed = set_values(Path("params.yaml"), assignments)
    for leaf, (old, new) in changed.items():
        print(f"{'.'.join(leaf)}: {in_words(old)} -> {in_words(new)}")
    if not changed:
        print("No value of params.yaml changed.")


@app.command(
    "generate",
    epilog="Example: `genredag generate --check`, `genredag generate --results results --name embedded`",
)
@exits_cleanly
def generate_command(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit status 1 if outdated.")] = False,
    results: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Copy the tables of this folder to docs/results.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of their folder there.")] = "embedded",
    merge: Annotated[
        bool,
        typer.Option(
            "--merge", help="Keep the rows there that this folder's leaderboard or table of studies lacks."
        ),
    ] = False,
) -> None:
    """Regenerate derived files: documents, the parameter schema, the conda environment."""
    require("snakemake", "packaging")
    from genredag.project.adopted_results import adopt_results
    from genredag.project.generate import drift, write_generated

    project = Path.cwd()
    if results is not None:
        adopt_results(project, results, name, merge)
    files = drift(project) if check else write_generated(project)
    for file in files:
        print(f"{'out of date' if check else 'written'}: {file.relative_to(project)}")
    if check and files:
        print("Hint: genredag generate")
        raise typer.Exit(1)


@app.command(
    "models",
    epilog="Example: `genredag models --json`. All of them, in the matrix: "
    '`genredag set "matrix.model=$(genredag models --ids)"`',
)
@exits_cleanly
def models_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    ids: Annotated[
        bool,
        typer.Option(
            "--ids",
            help="Print only the ids, as a list for `matrix.model`; not musicnn_ft, which needs `musicnn`.",
        ),
    ] = False,
    published: Annotated[
        bool, typer.Option("--published", help="With --ids: include the published presets.")
    ] = False,
) -> None:
    """List every learner: input, number of weights for ten genres, paper, and published accuracy.

    Recipes come from `params.yaml` in the current folder, or else from the one shipped with genredag.
    """
    from genredag.project.catalogue_listing import print_catalogue

    print_catalogue(as_json, ids, published)


@app.command(
    "search",
    epilog="Example: `dvc exp run --queue --name grid -S 'models.crnn.batch_size=16,32' -S seed=1,2`, "
    "`dvc queue start -j 2`, then `genredag search grid --plot grid.png`",
)
@exits_cleanly
def search_command(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="The names that the experiments were queued under.")
    ],
    table: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Also write the table to this file.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Plot the cells to this file.")
    ] = None,
) -> None:
    """Compare the cells of a hyper-parameter search on validation tracks; test the selected cell only."""
    require("dvc")
    from genredag.evaluation.plots import save_figure
    from genredag.project.search import read_search, search_figure, search_table
    from genredag.runtime.files import write_csv

    experiments, unfinished = read_search(Path.cwd(), names)
    cells = search_table(experiments)
    print(cells.to_string(index=False, na_rep="", float_format=lambda value: f"{value:.6g}"))
    print("The first cell is selected, on validation tracks; test accuracy is shown for this cell only.")
    if unfinished:
        print(f"{unfinished} more are unfinished; see `dvc queue status`")
    if table is not None:
        write_csv(table, cells)
    if plot is not None:
        save_figure(plot, search_figure(cells))
