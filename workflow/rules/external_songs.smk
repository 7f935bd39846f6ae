"""Input: the songs in `external_songs.path`, and the models that predict them.
Output: what each model says of each song, as a table and as a page.
"""


rule external_songs:
    """Predict songs of your own with trained models, and compare with their true genres."""
    input:
        models=audit_combinations(rules.evaluate.output.model_file, "external_songs"),
    output:
        table=report(
            "results/external_songs.csv",
            caption="../report/external_songs.rst",
            category="External songs",
        ),
        markdown="results/external_songs.md",
        html=report(
            "results/external_songs.html",
            caption="../report/external_songs.rst",
            category="External songs",
        ),
    log:
        "logs/external_songs.log",
    cache: True
    conda:
        ENVIRONMENT
    threads: workflow.cores
    resources:
        mem_mb=memory(3000, per_thread=500),
        runtime=60,
    params:
        values=values("external_songs"),
        code=code("external_songs"),
        source=lambda wildcards: files_state(filter(None, [PARAMS.external_songs.path])),
    message:
        "predict your own songs"
    shell:
        f"python {SCRIPTS}/external_songs.py --params {PARAMS_FILE}"
        " --models {input.models} --jobs {threads}"
        " --table {output.table} --markdown {output.markdown} --html {output.html}"
        " 2>&1 | tee {log}"
