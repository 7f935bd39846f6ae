"""Input: a bundle, the audio of its test tracks, and how it was rendered and sliced.
Output: predictions of the test slices, undeformed and under every deformation.
"""


rule predict_deformed:
    """Deform the test tracks in memory and let a trained model predict them."""
    input:
        manifest=rules.download.output.manifest,
        frames=rules.train.input.frames,
        frame_index=rules.train.input.frame_index,
        frame_spec=rules.train.input.frame_spec,
        slices=rules.train.input.slices,
        slice_spec=rules.train.input.slice_spec,
        split=rules.train.input.split,
        bundle=rules.train.output.bundle,
    output:
        "results/robustness/{dataset}/{representation}/{model}/{split}{fold}/{seed}.parquet",
    log:
        "logs/predict_deformed/{dataset}/{representation}/{model}/{split}{fold}/{seed}.log",
    cache: True
    conda:
        "../../envs/genredag.yaml"
    threads: max(1, workflow.cores // len(PARAMS.robustness.model))
    params:
        values=values("predict_deformed"),
        code=code("predict_deformed"),
        fold=fold,
    shell:
        "python workflow/scripts/predict_deformed.py --params params.yaml --dataset {wildcards.dataset}"
        " --representation {wildcards.representation} --model {wildcards.model}"
        " --split-name {wildcards.split} --fold {params.fold} --seed {wildcards.seed}"
        " --manifest {input.manifest} --frames {input.frames} --slices {input.slices} --split {input.split}"
        " --bundle {input.bundle} --predictions {output} --jobs {threads}"
        " 2>&1 | tee {log}"
