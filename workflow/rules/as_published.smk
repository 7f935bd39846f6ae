"""Input: the predictions of the studies in `as_published`, by their own protocols and corrected.
Output: published figures beside ours.
"""

PUBLISHED = PARAMS.as_published


rule as_published:
    """Compare what classic projects published with what comes of it."""
    input:
        predictions=expand(
            rules.run_study.output,
            dataset=PUBLISHED.dataset,
            study=PUBLISHED.studies,
            variant=["as_published", "corrected"],
            seed=PUBLISHED.seed,
        ),
        studies="studies.yaml",
    output:
        table=report(
            "results/as_published.csv",
            caption="../report/as_published.rst",
            category="As published",
        ),
        markdown="results/as_published.md",
    log:
        "logs/as_published.log",
    cache: True
    conda:
        "../../envs/genredag.yaml"
    params:
        values=values("as_published"),
        code=code("as_published"),
    shell:
        "python workflow/scripts/as_published.py --params params.yaml --studies {input.studies}"
        " --predictions {input.predictions} --table {output.table} --markdown {output.markdown}"
        " 2>&1 | tee {log}"
