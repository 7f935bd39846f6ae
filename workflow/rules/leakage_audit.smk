"""Input: the audited splits of the data sets in `leakage_audit`.
Output: how many percentage points each mistake adds, as a table and as a figure.
"""

AUDIT = PARAMS.leakage_audit


rule leakage_audit:
    """Compare evaluations that differ in one mistake."""
    input:
        expand(
            written(rules.audit_split.output),
            dataset=AUDIT.dataset,
            representation=AUDIT.representation,
            split=sorted(set(AUDIT.split.model_dump().values())),
            seed=AUDIT.seed,
        ),
    output:
        table=report(
            "results/leakage_audit.csv",
            caption="../report/leakage_audit.rst",
            category="Leakage audit",
        ),
        markdown="results/leakage_audit.md",
        figure=report(
            "results/leakage_audit.png",
            caption="../report/leakage_audit.rst",
            category="Leakage audit",
        ),
    log:
        "logs/leakage_audit.log",
    cache: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        values=values("leakage_audit"),
        code=code("leakage_audit"),
    message:
        "leakage audit"
    shell:
        f"python {SCRIPTS}/leakage_audit.py --params {PARAMS_FILE}"
        " --outcomes {input}"
        " --table {output.table} --markdown {output.markdown} --figure {output.figure}"
        " 2>&1 | tee {log}"
