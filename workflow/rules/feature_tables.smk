"""Input: the frames of `handcrafted` of the data set in `feature_tables`, its slices and its split.
Output: a table of features per feature set, as CSV and as Parquet, one row per track.
"""

TABLES = PARAMS.feature_tables
TABLES_FOLDER = f"results/feature_tables/{TABLES.dataset}"


rule feature_tables:
    """Write handcrafted features of whole tracks, with names, for other projects."""
    input:
        **of_split(TABLES, "handcrafted"),
    output:
        csv=expand(f"{TABLES_FOLDER}/{{features}}.csv", features=TABLES.features),
        parquet=expand(
            f"{TABLES_FOLDER}/{{features}}.parquet", features=TABLES.features
        ),
    log:
        "logs/feature_tables.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=memory(3000),
        runtime=60,
    params:
        values=values("feature_tables"),
        code=code("feature_tables"),
    message:
        "feature tables"
    shell:
        f"python {SCRIPTS}/feature_tables.py --params {PARAMS_FILE}"
        " --frames {input.frames} --slices {input.slices} --split {input.split}"
        " --csv {output.csv} --parquet {output.parquet}"
        " 2>&1 | tee {log}"
