# Models made from other arms' models: averages with the base, preference tuning (DPO).


rule average_models:
    """Average the weights of the base and of a tuned arm."""
    input:
        base="<results>/base/model.json",
        tuned=lambda wildcards: model_of(CONFIG.arm(wildcards.arm).of),
    output:
        "<results>/models/{arm}/chosen.json",
    log:
        "<logs>/average_models/{arm}.log",
    wildcard_constraints:
        arm=any_of(modelled_by("average_models")),
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("training", "average"),
        alpha=lambda wildcards: CONFIG.arm(wildcards.arm).alpha,
    shell:
        "limaflow train average --arm {wildcards.arm} --base {input.base} --tuned {input.tuned}"
        " --alpha {params.alpha} --output {output} 2>&1 | tee {log}"


rule prefer:
    """Tune another arm's model on pairs of responses (DPO); goes on where it was killed."""
    input:
        start=preference_start,
        pairs=preference_pairs,
        dev="<results>/curation/prompts/dev.jsonl",
        test="<results>/curation/prompts/test.jsonl",
        benchmarks=benchmark_texts_file,
    output:
        "<results>/models/{arm}/chosen.json",
    log:
        "<logs>/prefer/{arm}.log",
    benchmark:
        "<logs>/prefer/{arm}.benchmark.jsonl"
    wildcard_constraints:
        arm=any_of(modelled_by("prefer")),
    conda:
        "../envs/limaflow.yaml"
    threads: SIZES["prefer"].cpus
    resources:
        mem_mb=memory_of("prefer"),
        runtime=minutes_of("prefer"),
        nodes=multinode(CONFIG.launch.nodes),
        mpi=multinode("srun"),
        tasks=multinode(CONFIG.launch.nodes),
        tasks_per_gpu=multinode(0),
        gres=SIZES["prefer"].gres,
    params:
        # As of fine_tune.
        recipe=PREFERENCE_RECIPE,
        trained_as=lambda wildcards: as_json(preference_of(wildcards.arm).determining()),
        settings=untracked(lambda wildcards: preference_of(wildcards.arm).flag()),
        seed=CONFIG.seed,
        launch=untracked(CONFIG.launch.flag()),
        launcher=untracked(launcher),
        runs=subpath(output[0], parent=True),
        decontamination=CONFIG.curation.decontamination.flag(),
        benchmarks=lambda wildcards, input: repeated(
            "--benchmark-texts", input.benchmarks
        ),
    shell:
        "trap '' TERM; {params.launcher} --threads {threads} --"
        " limaflow train prefer --arm {wildcards.arm} --from {input.start} --pairs {input.pairs:q}"
        " --prompts {input.dev} --prompts {input.test} {params.benchmarks}"
        " --decontamination {params.decontamination:q}"
        " --settings {params.settings:q} --launch {params.launch:q} --seed {params.seed}"
        " --run-folder {params.runs}/runs --output {output} 2>&1 | tee {log}"
