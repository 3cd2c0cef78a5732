# Verdicts on pairs and grades of single responses by LLM judges. Answers live in a store that
# outlasts these files, so that none is paid for twice.


rule pairwise_verdicts:
    """Ask a judge which of two arms' responses is better, prompt by prompt."""
    input:
        prompts="<results>/curation/prompts/test.jsonl",
        first="<results>/responses/test/{first}.jsonl",
        second="<results>/responses/test/{second}.jsonl",
        template=template("pairwise"),
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
        served_by=lambda wildcards: judge_code(wildcards.judge),
        launcher=lambda wildcards: judge_launcher(wildcards.judge),
        judged_as=lambda wildcards: judge_identity(wildcards.judge),
        judge=judge_of,
        orders=CONFIG.judging.orders,
        bound=CONFIG.judging.max_error_share,
        store=CONFIG.judging.store,
        purse=purse,
        seed=CONFIG.seed,
    shell:
        "{params.launcher} limaflow judge compare --judge {params.judge:q}"
        " --prompts {input.prompts} --first {input.first} --second {input.second}"
        " --orders {params.orders} --template {input.template} --store {params.store}"
        " --max-error-share {params.bound} {params.purse} --seed {params.seed} --output {output}"
        " 2>&1 | tee {log}"


rule likert_grades:
    """Ask a judge for the helpfulness of an arm's responses, from 1 to 6."""
    input:
        prompts="<results>/curation/prompts/test.jsonl",
        responses="<results>/responses/test/{arm}.jsonl",
        template=template("likert"),
    output:
        "<results>/grades/test/{judge}/{arm}.jsonl",
    log:
        "<logs>/likert_grades/{judge}/{arm}.log",
    localrule: ASKS_FROM_HERE
    conda:
        "../envs/limaflow.yaml"
    resources:
        api=1,
    params:
        code=code("judging", "grade"),
        served_by=lambda wildcards: judge_code(wildcards.judge),
        launcher=lambda wildcards: judge_launcher(wildcards.judge),
        judged_as=lambda wildcards: judge_identity(wildcards.judge),
        judge=judge_of,
        bound=CONFIG.judging.max_error_share,
        store=CONFIG.judging.store,
        purse=purse,
        instrument="likert",
    shell:
        "{params.launcher} limaflow judge grade --instrument {params.instrument}"
        " --judge {params.judge:q} --prompts {input.prompts} --responses {input.responses}"
        " --template {input.template} --store {params.store} --max-error-share {params.bound}"
        " {params.purse} --output {output} 2>&1 | tee {log}"


use rule likert_grades as likert_grades_dev with:
    input:
        prompts="<results>/curation/prompts/dev.jsonl",
        responses="<results>/responses/dev/{arm}/epoch-{epoch}.jsonl",
        template=template("likert"),
    output:
        "<results>/grades/dev/{arm}/epoch-{epoch}.jsonl",
    log:
        "<logs>/likert_grades_dev/{arm}-{epoch}.log",
    params:
        code=code("judging", "grade"),
        served_by=judge_code(CONFIG.judging.selection),
        launcher=judge_launcher(CONFIG.judging.selection),
        judged_as=judge_identity(CONFIG.judging.selection),
        judge=selection_judge,
        bound=CONFIG.judging.max_error_share,
        store=CONFIG.judging.store,
        purse=purse,
        instrument="likert",


use rule likert_grades as absolute_grades with:
    input:
        prompts="<results>/curation/prompts/test.jsonl",
        responses="<results>/responses/test/{arm}.jsonl",
        template=lambda wildcards: template(wildcards.instrument),
    output:
        "<results>/grades/{instrument}/{judge}/{arm}.jsonl",
    log:
        "<logs>/absolute_grades/{instrument}/{judge}/{arm}.log",
    wildcard_constraints:
        instrument="quality|safety",
    params:
        code=code("judging", "grade"),
        served_by=lambda wildcards: judge_code(wildcards.judge),
        launcher=lambda wildcards: judge_launcher(wildcards.judge),
        judged_as=lambda wildcards: judge_identity(wildcards.judge),
        judge=judge_of,
        bound=CONFIG.judging.max_error_share,
        store=CONFIG.judging.store,
        purse=purse,
        instrument="{instrument}",


for number, (people, key) in enumerate(PEOPLE_ROUNDS, start=1):

    rule:
        """Take in what people answered, checked against the key of their packets."""
        name:
            f"people_{number}"
        input:
            key=f"{people.folder}/key.json",
            answers=answer_files([Path(people.folder) / "answers"]),
            responses=collect(
                "<results>/responses/test/{arm}.jsonl",
                arm=sorted({arm for models in key.comparisons for arm in models}),
            ),
        output:
            people_files(key),
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
            " {params.pool} {params.responses} --output {params.folder} 2>&1 | tee {log}"


rule adopt_verdicts:
    """Take verdicts that were recorded elsewhere."""
    input:
        recorded=lambda wildcards: under_root(
            BROUGHT[f"{wildcards.first}-vs-{wildcards.second}"].verdicts,
            CONFIG.data_root,
        ),
        prompts="<results>/curation/prompts/test.jsonl",
    output:
        "<results>/verdicts/recorded/{first}-vs-{second}.jsonl",
    log:
        "<logs>/adopt_verdicts/{first}-vs-{second}.log",
    wildcard_constraints:
        first=any_of(c.first for c in BROUGHT.values()),
        second=any_of(c.second for c in BROUGHT.values()),
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("judging", "adopt"),
    shell:
        "limaflow judge adopt --prompts {input.prompts} --first {wildcards.first}"
        " --second {wildcards.second} --output {output} {input.recorded:q} 2>&1 | tee {log}"
