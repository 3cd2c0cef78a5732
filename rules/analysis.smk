# Statistics, claims, figures and tables. The paper's own values come from one file, paper.yaml.


rule preferences:
    """Win, tie and lose of every comparison, and strengths of the arms, with intervals."""
    input:
        verdicts=verdict_files,
        responses=collect("<results>/responses/test/{arm}.jsonl", arm=COMPARED_ARMS),
        prompts="<results>/curation/prompts/test.jsonl",
        further=spread_verdict_files,
        further_responses=spread_responses,
    output:
        preferences="<results>/analysis/preferences.json",
        strengths="<results>/analysis/strengths.json",
    log:
        "<logs>/preferences.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("measures", "summarize"),
        responses=lambda wildcards, input: repeated(
            "--responses", [*input.responses, *input.further_responses]
        ),
        further=spread_option(),
        merge=CONFIG.judging.merge,
        bootstrap=bootstrap_options(),
        instruments=untracked(pairwise_option()),
    shell:
        "limaflow judge summarize --merge {params.merge} {params.bootstrap} {params.responses}"
        " --prompts {input.prompts} {params.instruments} {params.further}"
        " --strengths {output.strengths} --output {output.preferences} {input.verdicts} {input.further}"
        " 2>&1 | tee {log}"


rule agreement:
    """How far people, models, and a judge with itself agree."""
    input:
        verdict_files,
    output:
        "<results>/analysis/agreement.json",
    log:
        "<logs>/agreement.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("measures", "agreement"),
        bootstrap=bootstrap_options(),
        instruments=untracked(pairwise_option()),
    shell:
        "limaflow judge agreement {params.bootstrap} {params.instruments} --output {output} {input}"
        " 2>&1 | tee {log}"


rule agreement_of_grades:
    """How far graders of the same responses agree."""
    input:
        grades=grade_files,
    output:
        "<results>/analysis/agreement_of_grades.json",
    log:
        "<logs>/agreement_of_grades.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("measures", "agreement_of_grades"),
        bootstrap=bootstrap_options(),
        scales=scales(),
        instruments=untracked(instrument_options()),
    shell:
        "limaflow judge agreement-of-grades {params.bootstrap} {params.instruments} --output {output}"
        " {input.grades} 2>&1 | tee {log}"


rule grades:
    """Mean grade of every arm by every instrument, with intervals."""
    input:
        grades=grade_files,
        further=spread_grade_files,
    output:
        "<results>/analysis/grades.json",
    log:
        "<logs>/grades.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("measures", "summarize_grades"),
        bootstrap=bootstrap_options(),
        scales=scales(),
        instruments=untracked(instrument_options()),
        further=spread_option(),
    shell:
        "limaflow judge summarize-grades {params.bootstrap} {params.instruments} {params.further}"
        " --output {output} {input.grades} {input.further} 2>&1 | tee {log}"


rule by_tag:
    """Mean grades and win rates on the prompts of each label of the tags that are named."""
    input:
        verdicts=verdict_files,
        grades=grade_files,
        prompts="<results>/curation/prompts/test.jsonl",
    output:
        "<results>/analysis/by_tag.json",
    log:
        "<logs>/by_tag.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("measures", "numbers_by_tag"),
        tags=repeated("--tag", STUDY.by_tag),
        verdicts=lambda wildcards, input: repeated("--verdicts", input.verdicts),
        grades=lambda wildcards, input: repeated("--grades", input.grades),
        merge=CONFIG.judging.merge,
        bootstrap=bootstrap_options(),
        scales=scales(),
        instruments=untracked(instrument_options()),
    shell:
        "limaflow judge by-tag --prompts {input.prompts} {params.tags} {params.verdicts}"
        " {params.grades} --merge {params.merge} {params.bootstrap} {params.instruments}"
        " --output {output} 2>&1 | tee {log}"


rule tax:
    """Paired benchmark differences, tuned minus base: the alignment tax."""
    input:
        base=collect("<results>/benchmarks/{arm}/items.jsonl", arm=MEASURED_BASE),
        tuned=collect("<results>/benchmarks/{arm}/items.jsonl", arm=MEASURED_TUNED),
        results=collect(
            "<results>/benchmarks/{arm}/results.json", arm=WRITTEN.benchmarks.arms
        ),
        seeds=[file for files in SPREAD_ITEMS.values() for file in files],
        further=[
            str(Path(file).with_name("results.json"))
            for files in SPREAD_ITEMS.values()
            for file in files[1:]
        ],
        graded=item_grade_files(MEASURED_BASE + MEASURED_TUNED) + human_grades,
        contaminated=contaminated_lists,
        shared=list(SHARED_TEXT.values()),
    output:
        "<results>/analysis/tax.json",
    log:
        "<logs>/tax.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "tax"),
        bootstrap=bootstrap_options(),
        results=lambda wildcards, input: repeated("--results", input.results),
        seeds=spread_items_option,
        beside=beside_items_options,
    shell:
        "limaflow analyze tax --base {input.base} {params.results} {params.seeds} {params.beside}"
        " {params.bootstrap}"
        " --output {output} {input.tuned} 2>&1 | tee {log}"


rule tax_from_lima:
    """Paired benchmark differences of arms that claims compare with the LIMA arm."""
    input:
        lima=f"<results>/benchmarks/{LIMA}/items.jsonl",
        others=collect("<results>/benchmarks/{arm}/items.jsonl", arm=BESIDE_LIMA),
        results=collect(
            "<results>/benchmarks/{arm}/results.json", arm=[LIMA, *BESIDE_LIMA]
        ),
    output:
        "<results>/analysis/tax_from_lima.json",
    log:
        "<logs>/tax_from_lima.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "tax"),
        bootstrap=bootstrap_options(),
        results=lambda wildcards, input: repeated("--results", input.results),
    shell:
        "limaflow analyze tax --base {input.lima} {params.results} {params.bootstrap}"
        " --output {output} {input.others} 2>&1 | tee {log}"


rule training_seeds:
    """What each training seed of an arm came to, beside the arm's interval."""
    input:
        preferences="<results>/analysis/preferences.json",
        graded="<results>/analysis/grades.json",
        tax=tax_file,
        verdicts=verdict_files + further_verdict_files,
        grades=grade_files + further_grade_files,
        base=MEASURED_BASE_ITEMS,
        measured=[file for files in SEED_ITEMS.values() for file in files],
        results=[
            str(Path(file).with_name("results.json"))
            for files in (MEASURED_BASE_ITEMS, *SEED_ITEMS.values())
            for file in files
        ],
    output:
        "<results>/analysis/seeds.json",
    log:
        "<logs>/training_seeds.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "seeds"),
        merge=CONFIG.judging.merge,
        options=seeds_options,
        scales=scales(),
        instruments=untracked(instrument_options()),
    shell:
        "limaflow analyze seeds --merge {params.merge} --preferences {input.preferences}"
        " --graded {input.graded} {params.options} {params.instruments} --output {output}"
        " 2>&1 | tee {log}"


rule decide_claims:
    """The claims of the paper, of later work and of the user, each with our verdict."""
    input:
        preferences="<results>/analysis/preferences.json",
        agreement="<results>/analysis/agreement.json",
        graded="<results>/analysis/grades.json",
        grades=grade_files,
        further_grades=spread_grade_files,
        seeds=seeds_file,
        tax=tax_file,
        tax_from_lima=tax_from_lima_file,
        formats=formats_file,
        token_shift=shift_file,
        training=lima_training,
        dev_grades=lima_dev_grades,
        prompts="<results>/curation/prompts/test.jsonl",
        responses=collect("<results>/responses/test/{arm}.jsonl", arm=STUDY.arms),
        trained=trainings,
        adapted=collect("<results>/models/{arm}/chosen.json", arm=STUDY.adapted),
        contamination=lima_contamination,
        agreement_of_grades=graders_agreement,
        dialogues=dialogues_file,
        resistance=resistance_file,
        safety=safety_file,
    output:
        "<results>/analysis/claims.json",
    log:
        "<logs>/claims.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "claims"),
        stated=content(*CLAIM_FILES, PAPER, *OWN_CLAIMS),
        claims=untracked(repeated("--claims", OWN_CLAIMS)),
        roles=role_options(),
        inputs=claim_options,
        bootstrap=bootstrap_options(),
        label=miniature_option(),
    shell:
        "limaflow analyze claims {params.roles} --preferences {input.preferences}"
        " --agreement {input.agreement} --graded {input.graded}"
        " --prompts {input.prompts} {params.inputs} {params.claims}"
        " {params.bootstrap} {params.label} --output {output} 2>&1 | tee {log}"


rule figure:
    """A figure of the catalogue in analysis/exhibits, with its numbers beside it."""
    input:
        unpack(lambda wildcards: files_of_exhibit(FIGURES[wildcards.figure])),
    output:
        svg=report(
            "<results>/figures/{figure}.svg",
            caption="../docs/captions/figure.rst",
            category=lambda wildcards: FIGURES[wildcards.figure].category,
        ),
        csv="<results>/figures/{figure}.csv",
    log:
        "<logs>/figures/{figure}.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=lambda wildcards: code_of_exhibit("figure", "FIGURES", wildcards.figure),
        paper=lambda wildcards: paper_of(FIGURES[wildcards.figure]),
        caption=lambda wildcards: FIGURES[wildcards.figure].caption,
        inputs=exhibit_inputs,
        options=lambda wildcards: exhibit_options(FIGURES[wildcards.figure]),
        label=miniature_option(),
    shell:
        "limaflow analyze figure {wildcards.figure} {params.inputs} {params.options}"
        " {params.label} --output {output.svg} 2>&1 | tee {log}"


rule table:
    """A table of the catalogue in analysis/exhibits."""
    input:
        unpack(lambda wildcards: files_of_exhibit(TABLES[wildcards.table])),
    output:
        "<results>/tables/{table}.csv",
    log:
        "<logs>/tables/{table}.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=lambda wildcards: code_of_exhibit("table", "TABLES", wildcards.table),
        paper=lambda wildcards: paper_of(TABLES[wildcards.table]),
        inputs=exhibit_inputs,
        options=lambda wildcards: exhibit_options(TABLES[wildcards.table]),
    shell:
        "limaflow analyze table {wildcards.table} {params.inputs} {params.options}"
        " --output {output} 2>&1 | tee {log}"


rule artifact:
    """A figure, table or appendix of the paper, ours beside the paper's, in every format."""
    input:
        unpack(lambda wildcards: files_of_exhibit(ARTIFACTS[wildcards.artifact])),
    output:
        svg="<results>/artifacts/{artifact}.svg",
        beside=[
            f"<results>/artifacts/{{artifact}}.{end}" for end in ARTIFACT_FORMATS[1:]
        ],
    log:
        "<logs>/artifacts/{artifact}.log",
    wildcard_constraints:
        artifact=any_of(ARTIFACTS),
    conda:
        "../envs/limaflow.yaml"
    params:
        code=lambda wildcards: code_of_exhibit(
            "artifact", "ARTIFACTS", wildcards.artifact, "artifacts"
        ),
        paper=lambda wildcards: paper_of(ARTIFACTS[wildcards.artifact]),
        inputs=exhibit_inputs,
        options=lambda wildcards: exhibit_options(ARTIFACTS[wildcards.artifact]),
        label=miniature_option(),
    shell:
        "limaflow analyze artifact {wildcards.artifact} {params.inputs} {params.options}"
        " {params.label} --output {output.svg} 2>&1 | tee {log}"


rule whole_paper:
    """Every number of the artifacts in one table, and what this study cannot make."""
    input:
        collect("<results>/artifacts/{artifact}.csv", artifact=MADE_ARTIFACTS),
    output:
        csv="<results>/artifacts/paper.csv",
        beside=["<results>/artifacts/paper.md", "<results>/artifacts/paper.tex"],
    log:
        "<logs>/artifacts/paper.log",
    conda:
        "../envs/limaflow.yaml"
    params:
        code=code("analysis", "paper_table"),
        missing=missing_artifacts(),
    shell:
        "limaflow analyze paper-table {params.missing} --output {output.csv} {input}"
        " 2>&1 | tee {log}"
