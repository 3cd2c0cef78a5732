# Fine-tuning, and the choice of a checkpoint by judged dev responses.


rule fine_tune:
    """Fine-tune the base, or another arm's model, on a data set with DeepSpeed; goes on where it was killed."""
    input:
        base=training_start,
        data=frozen_train,
        dev=frozen_dev,
    output:
        "<results>/models/{arm}/training.json",
    log:
        "<logs>/fine_tune/{arm}.log",
    benchmark:
        "<logs>/fine_tune/{arm}.benchmark.jsonl"
    wildcard_constraints:
        arm=any_of(modelled_by("fine_tune")),
    conda:
        "../envs/limaflow.yaml"
    threads: SIZES["fine_tune"].cpus
    resources:
        mem_mb=memory_of("fine_tune"),
        runtime=minutes_of("fine_tune"),
        nodes=multinode(CONFIG.launch.nodes),
        mpi=multinode("srun"),
        tasks=multinode(CONFIG.launch.nodes),
        tasks_per_gpu=multinode(0),
        gres=SIZES["fine_tune"].gres,
        cards=SIZES["fine_tune"].gpus,
    params:
        # In place of the code's fingerprint: a fix with the same mathematics throws no training away.
        recipe=RECIPE,
        # What determines the weights repeats the training; a tolerance among the settings does not.
        trained_as=lambda wildcards: as_json(training_of(wildcards.arm).determining()),
        settings=untracked(lambda wildcards: training_of(wildcards.arm).flag()),
        epochs=as_json(CONFIG.selection.epochs),
        seed=lambda wildcards: CONFIG.arm(wildcards.arm).training_seed(CONFIG.seed),
        launch=untracked(CONFIG.launch.flag()),
        launcher=untracked(launcher),
        # Undeclared on purpose: Snakemake deletes declared outputs before a rerun, and checkpoints
        # must survive it.
        runs=subpath(output[0], parent=True),
    # SLURM's early warning reaches every process of a job; only the training is to act on it.
    shell:
        "trap '' TERM; {params.launcher} --threads {threads} --"
        " limaflow train run --arm {wildcards.arm} --base {input.base}"
        " --data {input.data} --dev {input.dev} --settings {params.settings:q}"
        " --launch {params.launch:q} --export-epochs {params.epochs:q} --seed {params.seed}"
        " --run-folder {params.runs}/runs --output {output} 2>&1 | tee {log}"


rule choose_checkpoint:
    """Take the epoch whose dev responses were judged best, as the paper did by hand."""
    input:
        training="<results>/models/{arm}/training.json",
        grades=lambda wildcards: dev_grades(wildcards.arm),
    output:
        "<results>/models/{arm}/chosen.json",
    log:
        "<logs>/choose_checkpoint/{arm}.log",
    wildcard_constraints:
        arm=any_of(TUNED_ARMS),
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("training", "choose"),
    shell:
        "limaflow train choose --arm {wildcards.arm} --training {input.training}"
        " --output {output} {input.grades} 2>&1 | tee {log}"


rule adopt_model:
    """Name a trained model that the user brings."""
    input:
        lambda wildcards: model_files(CONFIG.arm(wildcards.arm).path),
    output:
        "<results>/models/{arm}/chosen.json",
    log:
        "<logs>/adopt_model/{arm}.log",
    wildcard_constraints:
        arm=any_of(modelled_by("adopt_model")),
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("training", "adopt"),
        path=lambda wildcards: CONFIG.arm(wildcards.arm).path,
        revision=lambda wildcards: revision_option(CONFIG.arm(wildcards.arm)),
    shell:
        "limaflow train adopt --model {wildcards.arm} --path {params.path:q} {params.revision}"
        " --output {output} 2>&1 | tee {log}"
