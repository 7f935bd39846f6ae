"""Input: predictions by the models of `learning_curves`, trained on growing shares of the training tracks.
Output: accuracy by the number of training tracks, as a table and as a figure.
"""


rule learning_curves:
    """Compare what more training tracks add with what other models add."""
    input:
        audit_combinations(rules.train_share.output, "learning_curves"),
    output:
        table=report(
            "results/learning_curves.csv",
            caption="../report/data_or_model.rst",
            category="Data or model",
        ),
        markdown="results/learning_curves.md",
        figure=report(
            "results/learning_curves.png",
            caption="../report/data_or_model.rst",
            category="Data or model",
        ),
    log:
        "logs/learning_curves.log",
    cache: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        values=values("learning_curves"),
        code=code("learning_curves"),
    message:
        "accuracy by the number of training tracks"
    shell:
        f"python {SCRIPTS}/learning_curves.py --params {PARAMS_FILE}"
        " --predictions {input}"
        " --table {output.table} --markdown {output.markdown} --figure {output.figure}"
        " 2>&1 | tee {log}"
