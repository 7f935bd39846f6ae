"""Input: frames, slices and a split.
Output: predictions of the test tracks by a model trained on a share of the training tracks.
"""


rule train_share:
    """Train a model on a share of the training tracks, the same for every model, and predict the test tracks."""
    input:
        frames=rules.train.input.frames,
        frame_index=rules.train.input.frame_index,
        frame_spec=rules.train.input.frame_spec,
        slices=rules.train.input.slices,
        slice_spec=rules.train.input.slice_spec,
        split=rules.train.input.split,
    output:
        f"results/learning_curves/{CHOICE}/{{share}}.parquet",
    log:
        f"logs/train_share/{CHOICE}/{{share}}.log",
    wildcard_constraints:
        share="[0-9.]+",
    cache: True
    priority: longest_first
    conda:
        ENVIRONMENT
    threads: PARAMS.train.threads
    resources:
        mem_mb=memory(3000, pretrained=6000),
        runtime=720,
    params:
        values=values("train_share"),
        code=code("train_share"),
        weights=lambda wildcards: weights_state(PARAMS, wildcards.model),
        fold=fold,
    message:
        "train {wildcards.model} on {wildcards.representation} of {wildcards.share} of the training tracks of {wildcards.dataset}, {wildcards.split}{wildcards.fold}, seed {wildcards.seed}"
    shell:
        f"python {SCRIPTS}/train_share.py --params {PARAMS_FILE}"
        " --dataset {wildcards.dataset}"
        " --representation {wildcards.representation} --model {wildcards.model}"
        " --split-name {wildcards.split} --fold {params.fold} --seed {wildcards.seed}"
        " --share {wildcards.share}"
        " --frames {input.frames} --slices {input.slices} --split {input.split}"
        " --predictions {output}"
        " 2>&1 | tee {log}"
