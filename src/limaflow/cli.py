"""`limaflow`: one command line, a group of commands for each stage."""

import sys

import typer

from limaflow import lasting_errors
from limaflow.analysis.cli import app as analyze
from limaflow.attacks.cli import app as attack
from limaflow.bundling.cli import bundle, verify
from limaflow.config.cli import app as config
from limaflow.curation.cli import app as curate
from limaflow.dialogue.cli import app as dialogue
from limaflow.dialogue.cli import chat
from limaflow.errors import NO_ROOM, InputError
from limaflow.format_checks.cli import app as form
from limaflow.generation.cli import app as generate
from limaflow.judging.cli import app as judge
from limaflow.lm_evaluation.cli import app as benchmark
from limaflow.measures.cli import (
    agreement,
    agreement_of_grades,
    numbers_by_tag,
    summarize,
    summarize_grades,
)
from limaflow.recording.changes import refuse_changed
from limaflow.recording.cli import app as records
from limaflow.recording.job import recorded
from limaflow.refusals.cli import app as refusals
from limaflow.report.cli import app as report
from limaflow.sources.cli import app as source
from limaflow.token_shift.cli import app as shift
from limaflow.tools.annotation.cli import app as annotate
from limaflow.tools.cluster.cli import app as cluster
from limaflow.tools.miniature.cli import app as miniature
from limaflow.tools.new_study.cli import app as new_study
from limaflow.tools.planning.cli import plan, plan_shift
from limaflow.tools.pricing.cli import print_prices
from limaflow.tools.review.cli import app as review
from limaflow.training.cli import app as train
from limaflow.verdict_import.cli import import_grades, import_verdicts

train.command()(plan)
shift.command("plan")(plan_shift)
judge.command("import")(import_verdicts)
judge.command("import-grades")(import_grades)
judge.command()(summarize)
judge.command()(agreement)
judge.command("summarize-grades")(summarize_grades)
judge.command("agreement-of-grades")(agreement_of_grades)
judge.command("by-tag")(numbers_by_tag)
judge.command("price")(print_prices)

app = typer.Typer(
    help="Reproduce 'LIMA: Less Is More for Alignment', stage by stage. The Snakefile runs these.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(new_study, name="init", help="Begin a study of your own.")
app.add_typer(source, name="source", help="Fetch raw dumps and read candidates from them.")
app.add_typer(attack, name="attack", help="Goals as prompts, plain and in attacks.")
app.add_typer(curate, name="curate", help="From candidates to the frozen data set.")
app.add_typer(review, name="review", help="Read the sampled examples and decide on them.")
app.add_typer(train, name="train", help="Fine-tune, and choose a checkpoint.")
app.add_typer(generate, name="generate", help="Responses of models to prompts.")
app.add_typer(judge, name="judge", help="Verdicts and grades on responses.")
app.add_typer(form, name="format", help="Forms that prompts ask for, checked by rule.")
app.add_typer(refusals, name="refusals", help="Whether answers refuse, and how often.")
app.add_typer(annotate, name="annotate", help="People as judges, from packets to verdicts.")
app.add_typer(dialogue, name="dialogue", help="Dialogues by script, and how well arms hold them.")
app.command()(chat)
app.add_typer(benchmark, name="benchmark", help="lm-eval before and after tuning.")
app.add_typer(shift, name="shift", help="Tokens of a tuned model, looked up in the base.")
app.add_typer(analyze, name="analyze", help="Statistics, figures, tables and claims.")
app.add_typer(report, name="report", help="The HTML report.")
app.add_typer(miniature, name="miniature", help="The invented world of the demo.")
app.add_typer(cluster, name="cluster", help="What a profile asks of a cluster.")
app.add_typer(config, name="config", help="Check and describe the configuration.")
app.add_typer(records, name="records", help="What made each file, and whether it has changed.")

app.command()(bundle)
app.command()(verify)


def main() -> None:
    """Run a command; bad input or a disk that refuses is one line on stderr and no exit code 0."""
    try:
        refuse_changed(sys.argv[1:])
        with recorded(sys.argv[1:]):
            app()
    except InputError as error:
        lasting_errors.note(error)
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        fix = " (make room and run again)" if error.errno in NO_ROOM else ""
        print(f"error: {where}{error.strerror or error}{fix}", file=sys.stderr)
        sys.exit(1)
