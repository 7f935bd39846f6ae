"""Input: the audited splits of the data sets in `leakage_audit`.
Output: how many points each mistake is worth, as a table and as a figure.
"""

AUDIT = PARAMS.leakage_audit


rule leakage_audit:
    """Compare the ways to evaluate that differ in one mistake."""
    input:
        expand(
            rules.audit_split.output,
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
        "../../envs/genredag.yaml"
    params:
        values=values("leakage_audit"),
        code=code("leakage_audit"),
    shell:
        "python workflow/scripts/leakage_audit.py --params params.yaml --outcomes {input}"
        " --table {output.table} --markdown {output.markdown} --figure {output.figure}"
        " 2>&1 | tee {log}"
