# Verdicts on pairs and grades of single responses by LLM judges. Answers live in a store that
# outlasts these files, so that none is paid for twice.


rule pairwise_verdicts:
    """Ask a judge which of two arms' responses is better, prompt by prompt."""
    input:
        prompts="<results>/curation/prompts/test.jsonl",
        first="<results>/responses/test/{first}.jsonl",
        second="<results>/responses/test/{second}.jsonl",
    output:
        "<results>/verdicts/{judge}/{first}-vs-{second}.jsonl",
    log:
        "<logs>/pairwise_verdicts/{judge}/{first}-vs-{second}.log",
    wildcard_constraints:
        first=any_of(a.name for a in CONFIG.arms),
        second=any_of(a.name for a in CONFIG.arms),
    localrule: ASKS_FROM_HERE
    conda:
        "../envs/limaflow.yaml"
    resources:
        api=1,
    params:
        code=code("judging", "compare"),
        asked_by=content(pairwise_file()),
        instrument=untracked(pairwise_file()),
        served_by=lambda wildcards: judge_code(wildcards.judge),
        launcher=lambda wildcards: judge_launcher(wildcards.judge),
        judged_as=lambda wildcards: judge_identity(wildcards.judge),
        judge=untracked(lambda wildcards: judge_block(wildcards.judge)),
        orders=CONFIG.judging.orders,
        apart=apart_option(),
        bound=untracked(CONFIG.judging.max_error_share),
        store=as_is(CONFIG.judging.store),
        budget=untracked(budget_options()),
        seed=CONFIG.seed,
    shell:
        "{params.launcher} limaflow judge compare --judge {params.judge:q}"
        " --prompts {input.prompts} --first {input.first} --second {input.second}"
        " --instrument {params.instrument:q} --orders {params.orders} {params.apart}"
        " --store {params.store:q}"
        " --max-error-share {params.bound} {params.budget} --seed {params.seed} --output {output}"
        " 2>&1 | tee {log}"


rule grade:
    """Ask a judge to grade an arm's responses to the test prompts, one by one."""
    input:
        prompts="<results>/curation/prompts/test.jsonl",
        responses="<results>/responses/test/{arm}.jsonl",
    output:
        "<results>/grades/{instrument}/test/{judge}/{arm}.jsonl",
    log:
        "<logs>/grade/{instrument}/test/{judge}/{arm}.log",
    wildcard_constraints:
        instrument=any_of(SINGLE),
    localrule: ASKS_FROM_HERE
    conda:
        "../envs/limaflow.yaml"
    resources:
        api=1,
    params:
        code=code("judging", "grade"),
        asked_by=lambda wildcards: content(INSTRUMENT_FILES[wildcards.instrument]),
        instrument=untracked(lambda wildcards: INSTRUMENT_FILES[wildcards.instrument]),
        served_by=lambda wildcards: judge_code(wildcards.judge),
        launcher=lambda wildcards: judge_launcher(wildcards.judge),
        judged_as=lambda wildcards: judge_identity(wildcards.judge),
        judge=untracked(lambda wildcards: judge_block(wildcards.judge)),
        apart=apart_option(),
        bound=untracked(CONFIG.judging.max_error_share),
        store=as_is(CONFIG.judging.store),
        budget=untracked(budget_options()),
    shell:
        "{params.launcher} limaflow judge grade --instrument {params.instrument:q}"
        " --judge {params.judge:q} --prompts {input.prompts} --responses {input.responses}"
        " {params.apart} --store {params.store:q} --max-error-share {params.bound} {params.budget}"
        " --output {output} 2>&1 | tee {log}"


# Responses of the judged epochs: a rule of its own, since they come before the test responses, and jobs
# of one name travel in one group on a cluster.
use rule grade as grade_dev with:
    input:
        prompts="<results>/curation/prompts/dev.jsonl",
        responses="<results>/responses/dev/{arm}.jsonl",
    output:
        "<results>/grades/{instrument}/dev/{judge}/{arm}.jsonl",
    log:
        "<logs>/grade/{instrument}/dev/{judge}/{arm}.log",


rule grade_items:
    """Ask a judge whether an arm's replies to benchmark items are right."""
    input:
        "<results>/benchmarks/{arm}/items.jsonl",
    output:
        "<results>/benchmarks/{arm}/graded/{instrument}/{judge}.jsonl",
    log:
        "<logs>/grade_items/{instrument}/{judge}/{arm}.log",
    wildcard_constraints:
        instrument=any_of(OF_ITEMS),
        arm=any_of(CONFIG.benchmarks.arms),
    localrule: ASKS_FROM_HERE
    conda:
        "../envs/limaflow.yaml"
    resources:
        api=1,
    params:
        code=code("judging", "items"),
        asked_by=lambda wildcards: content(INSTRUMENT_FILES[wildcards.instrument]),
        instrument=untracked(lambda wildcards: INSTRUMENT_FILES[wildcards.instrument]),
        served_by=lambda wildcards: judge_code(wildcards.judge),
        launcher=lambda wildcards: judge_launcher(wildcards.judge),
        judged_as=lambda wildcards: judge_identity(wildcards.judge),
        judge=untracked(lambda wildcards: judge_block(wildcards.judge)),
        bound=untracked(CONFIG.judging.max_error_share),
        store=as_is(CONFIG.judging.store),
        budget=untracked(budget_options()),
    shell:
        "{params.launcher} limaflow judge items --instrument {params.instrument:q}"
        " --judge {params.judge:q} --items {input} --store {params.store:q}"
        " --max-error-share {params.bound} {params.budget} --output {output} 2>&1 | tee {log}"


for number, (people, key) in enumerate(PEOPLE_ROUNDS, start=1):

    rule:
        """Take in what people answered, checked against the key of their packets."""
        name:
            f"people_{number}"
        input:
            key=as_is(f"{people.folder}/key.json"),
            answers=as_is(answer_files([Path(people.folder) / "answers"])),
            responses=collect(
                "<results>/responses/test/{arm}.jsonl",
                arm=sorted({arm for models in key.comparisons for arm in models}),
            ),
            prompts="<results>/curation/prompts/test.jsonl",
        output:
            [str(file) for file in people_files(key)],
        log:
            f"<logs>/people_{number}.log",
        localrule: True
        conda:
            "../envs/limaflow.yaml"
        params:
            code=code("tools.annotation", "import_answers"),
            folder=subpath(output[0], parent=True),
            responses=lambda wildcards, input: repeated("--responses", input.responses),
            partial="--partial" if people.partial else "",
            pool="--pool people" if people.pool else "",
        shell:
            "limaflow annotate import {input.key:q} {input.answers:q} {params.partial}"
            " {params.pool} {params.responses} --prompts {input.prompts}"
            " --output {params.folder} 2>&1 | tee {log}"


rule import_verdicts:
    """Take verdicts that were recorded elsewhere."""
    input:
        recorded=recorded_files,
        prompts="<results>/curation/prompts/test.jsonl",
    output:
        "<results>/verdicts/recorded/{first}-vs-{second}.jsonl",
    log:
        "<logs>/import_verdicts/{first}-vs-{second}.log",
    wildcard_constraints:
        first=any_of(c.first for c in BROUGHT.values()),
        second=any_of(c.second for c in BROUGHT.values()),
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("verdict_import", "import_verdicts"),
        layouts=layouts,
    shell:
        "limaflow judge import --prompts {input.prompts} --first {wildcards.first}"
        " --second {wildcards.second} {params.layouts} --output {output} {input.recorded:q}"
        " 2>&1 | tee {log}"


rule import_grades:
    """Take grades that were given elsewhere."""
    input:
        recorded=lambda wildcards: [
            under_root(file.path, CONFIG.data_root)
            for file in grades_of(wildcards.instrument, wildcards.arm)
        ],
        prompts="<results>/curation/prompts/test.jsonl",
    output:
        "<results>/grades/{instrument}/test/recorded/{arm}.jsonl",
    log:
        "<logs>/import_grades/{instrument}/{arm}.log",
    wildcard_constraints:
        instrument=any_of(GRADED_ELSEWHERE),
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("verdict_import", "import_grades"),
        layouts=grade_layouts,
    shell:
        "limaflow judge import-grades --prompts {input.prompts} --model {wildcards.arm}"
        " {params.layouts} --output {output} {input.recorded:q} 2>&1 | tee {log}"
