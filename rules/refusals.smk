# How often arms refuse (`-- refusals`, a target of its own), and how far their refusals hold.


rule refusals:
    """Class every arm's responses by rule, and count refusals by what prompts test."""
    input:
        prompts="<results>/curation/prompts/test.jsonl",
        responses=collect("<results>/responses/test/{arm}.jsonl", arm=STUDY.arms),
        grades=[file for file in grade_files if "/grades/refusal/" in file],
    output:
        rates="<results>/analysis/refusals.json",
        table="<results>/analysis/refusals.csv",
    log:
        "<logs>/refusals.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("refusals", "rates"),
        grades=lambda wildcards, input: repeated("--grades", input.get("grades", [])),
        bootstrap=bootstrap_options(),
    shell:
        "limaflow refusals rates --prompts {input.prompts} {params.grades} {params.bootstrap}"
        " --output {output.rates} --table {output.table} {input.responses} 2>&1 | tee {log}"


rule resistance:
    """Refusals behind a prefilled answer, on contrast pairs, and one arm minus another."""
    input:
        prompts="<results>/curation/prompts/test.jsonl",
        responses=collect("<results>/responses/test/{arm}.jsonl", arm=STUDY.arms),
        grades=[file for file in grade_files if "/grades/refusal/" in file],
    output:
        "<results>/analysis/resistance.json",
    log:
        "<logs>/resistance.log",
    localrule: True
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("refusals", "resistance"),
        grades=lambda wildcards, input: repeated("--grades", input.get("grades", [])),
        pairs=repeated("--pair", [f"{a}={b}" for a, b in resisting_pairs()]),
        bootstrap=bootstrap_options(),
    shell:
        "limaflow refusals resistance --prompts {input.prompts} {params.grades} {params.pairs}"
        " {params.bootstrap} --output {output} {input.responses} 2>&1 | tee {log}"
