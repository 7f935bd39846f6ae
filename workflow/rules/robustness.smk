"""Input: predictions of deformed test tracks by the models of `robustness`.
Output: accuracy against the strength of each deformation, as a table and as a figure.
"""


rule robustness:
    """Compare the accuracy of models on deformed tracks and on the same tracks undeformed."""
    input:
        audit_combinations(rules.predict_deformed.output, "robustness"),
    output:
        table=report(
            "results/robustness.csv",
            caption="../report/robustness.rst",
            category="Robustness",
        ),
        markdown="results/robustness.md",
        figure=report(
            "results/robustness.png",
            caption="../report/robustness.rst",
            category="Robustness",
        ),
    log:
        "logs/robustness.log",
    cache: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        values=values("robustness"),
        code=code("robustness"),
    message:
        "robustness of all models"
    shell:
        f"python {SCRIPTS}/robustness.py --params {PARAMS_FILE}"
        " --predictions {input}"
        " --table {output.table} --markdown {output.markdown} --figure {output.figure}"
        " 2>&1 | tee {log}"
