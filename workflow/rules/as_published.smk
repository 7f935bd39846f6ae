"""Input: the predictions of the studies in `as_published`, by their own protocols and corrected.
Output: the published figures next to ours.
"""

PUBLISHED = PARAMS.as_published


rule as_published:
    """Compare the published figures of classic projects with our reproductions."""
    input:
        predictions=expand(
            written(rules.run_study.output),
            dataset=PUBLISHED.dataset,
            study=PUBLISHED.studies,
            variant=["as_published", "corrected"],
            seed=PUBLISHED.seed,
        ),
        studies=local(STUDIES_FILE),
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
        ENVIRONMENT
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        values=values("as_published"),
        code=code("as_published"),
    message:
        "published figures beside ours"
    shell:
        f"python {SCRIPTS}/as_published.py --params {PARAMS_FILE}"
        " --studies {input.studies}"
        " --predictions {input.predictions} --table {output.table} --markdown {output.markdown}"
        " 2>&1 | tee {log}"
