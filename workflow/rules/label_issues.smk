"""Input: what the models of `label_issues` predict of the test tracks of each fold.
Output: all tracks, the most suspicious label first, as a table and as a page.
"""


rule label_issues:
    """Rank tracks by how much models that were not trained on them disagree with their labels."""
    input:
        predictions=audit_combinations(
            rules.evaluate.output.track_predictions, "label_issues"
        ),
    output:
        table=report(
            "results/label_issues.csv",
            caption="../report/label_issues.rst",
            category="Suspicious labels",
        ),
        markdown="results/label_issues.md",
    log:
        "logs/label_issues.log",
    cache: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        values=values("label_issues"),
        code=code("label_issues"),
        faults=lambda wildcards: files_state(filter(None, [PARAMS.label_issues.faults])),
        predictions=lambda wildcards, input: named(input.predictions, 5),
    message:
        "rank tracks by how wrong their labels look"
    shell:
        f"python {SCRIPTS}/label_issues.py --params {PARAMS_FILE}"
        " --predictions {params.predictions}"
        " --table {output.table} --markdown {output.markdown}"
        " 2>&1 | tee {log}"
