"""Input: the frames, slices and split of the data set in `pictures`.
Output: a folder of PNG files, `<part>/<genre>/<track>_<slice>.png`, and a table of them. The only folder that a
rule makes: how many files it holds, and their names, are known only when it is complete.
"""

PICTURES = PARAMS.pictures
PICTURES_FOLDER = f"results/pictures/{PICTURES.dataset}/{PICTURES.representation}"


rule pictures:
    """Write spectrograms as pictures, for image classifiers of other projects."""
    input:
        **of_split(PICTURES, PICTURES.representation),
    output:
        folder=directory(PICTURES_FOLDER),
        table=f"{PICTURES_FOLDER}.csv",
    log:
        "logs/pictures.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=memory(2000),
        runtime=120,
    params:
        values=values("pictures"),
        code=code("pictures"),
    message:
        "pictures of spectrograms"
    shell:
        f"python {SCRIPTS}/pictures.py --params {PARAMS_FILE}"
        " --frames {input.frames} --slices {input.slices} --split {input.split}"
        " --folder {output.folder} --table {output.table}"
        " 2>&1 | tee {log}"
