# lm-eval before and after tuning.


rule benchmark_texts:
    """The text of every benchmark item, which training data must not share."""
    input:
        task_files(made=True),
    output:
        "<results>/benchmarks/texts.jsonl",
    log:
        "<logs>/benchmark_texts.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("lm_evaluation", "texts"),
        defined=TASKS_DEFINED,
        tasks=untracked(task_options()),
    shell:
        "limaflow benchmark texts {params.tasks} --output {output} 2>&1 | tee {log}"


rule fetch_benchmarks:
    """Fetch the tasks' data, metrics and files of nltk, for nodes without a network."""
    input:
        task_files(made=True),
    output:
        "<results>/benchmarks/fetched.json",
    log:
        "<logs>/fetch_benchmarks.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("lm_evaluation", "fetch"),
        defined=TASKS_DEFINED,
        hub=HUB_CACHE,
        tasks=untracked(task_options()),
        options=asking_options(),
    shell:
        "limaflow benchmark fetch {params.tasks} {params.options} --output {output} 2>&1 | tee {log}"


rule adopt_items:
    """Take benchmark results by item that were made elsewhere."""
    input:
        lambda wildcards: recorded_items(wildcards.arm),
    output:
        results="<results>/benchmarks/{arm}/results.json",
        answers="<results>/benchmarks/{arm}/items.jsonl",
    log:
        "<logs>/adopt_items/{arm}.log",
    wildcard_constraints:
        arm=any_of(CONFIG.benchmarks.recorded),
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("lm_evaluation", "adopt"),
        layouts=lambda wildcards: item_layouts(wildcards.arm),
    shell:
        "limaflow benchmark adopt --name {wildcards.arm} {params.layouts}"
        " --results {output.results} --items {output.answers} {input:q} 2>&1 | tee {log}"


rule lm_eval:
    """Run the benchmark tasks on the model of one arm."""
    input:
        unpack(in_context_files),
        model=lambda wildcards: model_of(wildcards.arm),
        tasks=task_files(made=True),
    output:
        results="<results>/benchmarks/{arm}/results.json",
        answers="<results>/benchmarks/{arm}/items.jsonl",
    log:
        "<logs>/lm_eval/{arm}.log",
    benchmark:
        "<logs>/lm_eval/{arm}.benchmark.jsonl"
    wildcard_constraints:
        arm=any_of(CONFIG.benchmarks.measured_arms),
    conda:
        "../envs/limaflow.yaml"
    threads: SIZES["lm_eval"].cpus
    resources:
        mem_mb=memory_of("lm_eval"),
        runtime=minutes_of("lm_eval"),
        gres=SIZES["lm_eval"].gres,
        cards=SIZES["lm_eval"].gpus,
    params:
        code=code("lm_evaluation", "run"),
        defined=TASKS_DEFINED,
        tasks=untracked(task_options()),
        limit=limit_option(),
        options=evaluation_options,
        precision=CONFIG.generation.precision,
        # Answers are kept under every batch, so that a smaller one goes on where a larger one failed.
        batch=untracked(CONFIG.benchmarks.batch),
        seed=CONFIG.seed,
        gpus=untracked(SIZES["lm_eval"].gpus),
    shell:
        "limaflow benchmark run --model {input.model} --name {wildcards.arm} {params.tasks}"
        " {params.limit} --gpus {params.gpus}"
        " {params.options} --batch {params.batch} --precision {params.precision} --seed {params.seed}"
        " --results {output.results} --items {output.answers} 2>&1 | tee {log}"


rule adopt_grades:
    """Take in what people said of replies to benchmark items."""
    input:
        grades=human_grade_files,
        answers=collect(
            "<results>/benchmarks/{arm}/items.jsonl", arm=WRITTEN.benchmarks.arms
        ),
    output:
        "<results>/benchmarks/human_grades.jsonl",
    log:
        "<logs>/adopt_grades.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("lm_evaluation", "adopt_grades"),
        replies=lambda wildcards, input: repeated("--items", input.answers),
        layouts=human_grade_layouts(),
    shell:
        "limaflow benchmark adopt-grades {params.replies} {params.layouts} --output {output}"
        " {input.grades:q} 2>&1 | tee {log}"
