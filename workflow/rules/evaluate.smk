"""Input: a bundle, the slices that it was not trained on, and the manifest, for the facts about the data set.
Output: predictions of slices and of tracks (from which any metric can be recomputed), metrics, plots, and the
file to share: the bundle with its model card.
"""


rule evaluate:
    """Predict validation and test slices; score slices and whole tracks."""
    input:
        manifest=rules.download.output.manifest,
        frames=rules.train.input.frames,
        frame_index=rules.train.input.frame_index,
        frame_spec=rules.train.input.frame_spec,
        slices=rules.train.input.slices,
        slice_spec=rules.train.input.slice_spec,
        split=rules.train.input.split,
        bundle=rules.train.output.bundle,
        history=rules.train.output.history,
    output:
        predictions=f"{RUN}/predictions.parquet",
        track_predictions=f"{RUN}/track_predictions.parquet",
        metrics=f"{RUN}/metrics.json",
        confusion=f"{RUN}/confusion.csv",
        per_genre=f"{RUN}/per_genre.csv",
        roc=f"{RUN}/roc.csv",
        reliability=f"{RUN}/reliability.csv",
        confusion_matrix=figure("confusion_matrix", "Confusion matrices"),
        learning_curves=figure("learning_curves", "Learning curves"),
        roc_curves=figure("roc_curves", "ROC curves"),
        reliability_diagram=figure("reliability_diagram", "Reliability diagrams"),
        model_file=f"{RUN}/model.zip",
    log:
        f"logs/evaluate/{CHOICE}.log",
    cache: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=memory(3000, pretrained=6000),
        runtime=60,
    params:
        values=values("evaluate"),
        code=code("evaluate"),
        fold=fold,
    message:
        "evaluate {wildcards.model} on {wildcards.representation} of {wildcards.dataset}, {wildcards.split}{wildcards.fold}, seed {wildcards.seed}"
    shell:
        f"python {SCRIPTS}/evaluate.py --params {PARAMS_FILE}"
        " --dataset {wildcards.dataset}"
        " --representation {wildcards.representation} --model {wildcards.model}"
        " --split-name {wildcards.split} --fold {params.fold} --seed {wildcards.seed}"
        " --manifest {input.manifest}"
        " --frames {input.frames} --slices {input.slices} --split {input.split}"
        " --bundle {input.bundle} --history {input.history}"
        " --predictions {output.predictions} --track-predictions {output.track_predictions}"
        " --metrics {output.metrics} --confusion {output.confusion} --per-genre {output.per_genre}"
        " --roc {output.roc} --reliability {output.reliability}"
        " --confusion-matrix {output.confusion_matrix} --learning-curves {output.learning_curves}"
        " --roc-curves {output.roc_curves} --reliability-diagram {output.reliability_diagram}"
        " --model-file {output.model_file}"
        " 2>&1 | tee {log}"
