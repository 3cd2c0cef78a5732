"""`limaflow annotate`: people as judges, from blinded packets to verdicts."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

PacketFile = Annotated[Path, typer.Argument(help="A packet of `annotate packet`.")]
PacketFiles = Annotated[list[Path], typer.Argument(help="Packets of `annotate packet`.")]
KeyFile = Annotated[Path, typer.Argument(help="key.json of the round, or the round's folder.")]


@app.command()
def packet(
    *,
    prompts: Annotated[Path, typer.Option(help="JSONL of the prompts that were answered.")],
    instrument: Annotated[
        str,
        typer.Option(help="What is asked: one of ours by name, or the path of your own (.md)."),
    ] = "pairwise",
    first: Annotated[
        list[Path] | None,
        typer.Option(help="JSONL of one model's responses; again for a further pair."),
    ] = None,
    second: Annotated[
        list[Path] | None, typer.Option(help="JSONL of the other's, as many times as --first.")
    ] = None,
    responses: Annotated[
        list[Path] | None,
        typer.Option(help="JSONL of a model's responses to be graded; again for a further model."),
    ] = None,
    annotator: Annotated[list[str], typer.Option(help="Who judges; again for each person.")],
    items: Annotated[
        int | None, typer.Option(min=1, help="Draw so many items, of every comparison alike.")
    ] = None,
    shared: Annotated[
        int | None,
        typer.Option(min=0, help="So many are judged by everyone, the rest by one each; else all."),
    ] = None,
    turns: Annotated[
        str,
        typer.Option(
            help="Responses are whole dialogues (`limaflow dialogue whole`), and each turn of the "
            "assistant's is graded by this instrument too, such as quality."
        ),
    ] = "",
    checks: Annotated[
        int, typer.Option(min=0, help="Items of each packet that check attention.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Draws the items and each item's order.")],
    output: Annotated[Path, typer.Option(help="Folder: packets/ to hand out, key.json to keep.")],
) -> None:
    """Make one blinded packet for each annotator, and the key that says which answer is whose."""
    from limaflow.errors import InputError
    from limaflow.jsonl import read_records, write_json
    from limaflow.judging.instrument import load
    from limaflow.judging.response_index import concerned
    from limaflow.judging.rounds import NAME, read_key
    from limaflow.records import Example, Response
    from limaflow.tools.annotation.drawing import Lots, drawn

    ones, others, alone = first or [], second or [], responses or []
    if len(ones) != len(others):
        raise InputError(f"{len(ones)} --first and {len(others)} --second make no pairs")
    loaded = load(instrument)
    if loaded.head.form == "item":
        raise InputError(
            f"--instrument {instrument} is about replies to benchmark items, not to prompts",
            fix="people's judgments of these are a table: benchmarks.human_grades",
        )
    graded_by = load(turns) if turns else None
    if graded_by and graded_by.head.form not in ("grade", "turn"):
        raise InputError(f"--turns {turns} is no instrument that grades one answer")
    if loaded.name == "dialogues" and not graded_by:
        raise InputError("--instrument dialogues needs --turns", fix="--turns quality")
    pairwise = loaded.head.form == "pairwise"
    if bool(ones) != pairwise or bool(alone) == pairwise:
        wanted = "--first and --second" if pairwise else "--responses"
        raise InputError(f"--instrument {instrument} takes {wanted}")
    compared = [[p] for p in alone] or [list(pair) for pair in zip(ones, others, strict=True)]
    every = list(read_records(prompts, Example))
    answered = [[list(read_records(path, Response)) for path in paths] for paths in compared]
    asked, _ = concerned(loaded, every, [])
    answered = [concerned(loaded, every, files)[1] for files in answered]
    packets, key = drawn(
        asked,
        answered,
        annotator,
        loaded,
        lots=Lots(items=items, shared=shared),
        seed=seed,
        turns=graded_by,
        checks=checks,
    )
    if (output / NAME).exists() and read_key(output) != key:
        raise InputError(
            "is the key to other packets, which may be out",
            path=output / NAME,
            fix="another folder",
        )
    write_json(output / NAME, key)
    for made in packets:
        write_json(output / "packets" / f"{made.annotator}.json", made)
        print(f"{made.annotator}: {len(made.items)} items")
    print(f"Hand out {output / 'packets'} (or pages made of them); keep {output / NAME}.")


@app.command()
def page(
    packets: PacketFiles,
    output: Annotated[Path, typer.Option(help="Folder for the pages, one for each packet.")],
) -> None:
    """Make a self-contained HTML file of each packet, to be mailed and used without a network."""
    from limaflow.jsonl import replacing
    from limaflow.tools.annotation.packet import read_packet
    from limaflow.tools.annotation.page import page_of

    for path in packets:
        held = read_packet(path)
        target = output / f"{held.annotator}.html"
        with replacing(target) as file:
            file.write(page_of(held))
        print(target)


@app.command()
def serve(
    packet: PacketFile,
    answers: Annotated[
        Path | None, typer.Option(help="File that answers are added to; else beside the packet.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
) -> None:
    """Show a packet's page on this machine; every answer is saved at once. Ctrl+C ends it."""
    from limaflow.tools.annotation import server
    from limaflow.tools.annotation.packet import read_packet
    from limaflow.tools.annotation.page import served_policy
    from limaflow.tools.local_pages.serving import serve as show

    held = read_packet(packet)
    file = answers or packet.with_name(f"{held.annotator}.answers.jsonl")
    desk = server.Desk(held, file)
    if desk.mended:
        print(f"warning: {desk.mended}")
    show(
        server.application(desk),
        command="limaflow annotate serve",
        title=f"{len(held.items)} items for {held.annotator}, answers in {file}",
        port=port,
        policy=served_policy(),
    )
    answered = len({answer.item for answer in desk.standing()})
    print(f"\n{answered} of {len(held.items)} answered by {held.annotator}: {file}")


@app.command("import")
def import_answers(
    key: KeyFile,
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Answers, or folders of them: of pages (.json), servers (.jsonl), Label Studio."
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option(help="Folder for {first}-vs-{second}.jsonl, or {model}.jsonl of grades.")
    ],
    partial: Annotated[
        bool, typer.Option("--partial", help="Take files in which items are missing.")
    ] = False,
    pool: Annotated[
        str,
        typer.Option(help="Write one judgment an item under this name, in place of each person's."),
    ] = "",
    responses: Annotated[
        list[Path] | None,
        typer.Option(help="JSONL of responses, all of them: see that the packets showed these."),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(help="JSONL of their prompts: with --responses, see each answer's place too."),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(help="Also write how each answer came about (CSV): time, haste, checks."),
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option(help="Who an annotator is in Label Studio: ann=7 or ann=ann@lab.org."),
    ] = None,
) -> None:
    """Check what came back and write it as verdicts or grades, for `limaflow judge`."""
    import csv

    from limaflow.errors import InputError
    from limaflow.jsonl import read_records, replacing, write_records
    from limaflow.judging.rounds import answer_files, check_shown, read_key
    from limaflow.records import Example, Response
    from limaflow.tools.annotation.returned import (
        absent,
        failed_checks,
        hasty_items,
        item_rows,
        judgments_of,
        missing_items,
        pooled,
        read_returned,
        turn_grades_of,
    )

    held = read_key(key)
    if prompts and not responses:
        raise InputError("--prompts needs --responses", fix="give the files that were judged")
    if responses:
        check_shown(
            held,
            (response for path in responses for response in read_records(path, Response)),
            read_records(prompts, Example) if prompts else None,
        )
    users = dict(named.split("=", 1) for named in user or [] if "=" in named)
    if len(users) < len(user or []):
        raise InputError("--user must be like ann=7")
    returned = [back for path in answer_files(files) for back in read_returned(path, held, users)]
    judgments = judgments_of(returned, held, partial=partial)
    for back in returned:
        note = f", missing {missing_items(back)}" if back.missing else ""
        print(f"{back.packet.annotator}: {len(back.answers)} answers{note}")
        for hasty in hasty_items(back):
            print(f"warning: {back.packet.annotator}: hasty: {hasty}")
        failed, asked = failed_checks(back)
        if asked:
            passed = f"{asked - len(failed)} of {asked} checks of attention passed"
            where = f"; not those of items {', '.join(map(str, failed))}" if failed else ""
            warning = "warning: " if failed else ""
            print(f"{warning}{back.packet.annotator}: {passed}{where}")
    for name in absent(returned, held):
        print(f"{name}: nothing came back")
    for models, made in judgments.items():
        rows = pooled(made, pool, held.seed) if pool else made
        write_records(output / f"{'-vs-'.join(models)}.jsonl", rows)
    for model, grades in turn_grades_of(returned, held).items():
        write_records(output / "turns" / f"{model}.jsonl", grades)
    if record is not None:
        rows_of_items = item_rows(returned)
        with replacing(record) as file:
            writer = csv.DictWriter(file, list(rows_of_items[0]) if rows_of_items else [])
            writer.writeheader()
            writer.writerows(rows_of_items)


@app.command("label-studio")
def label_studio(
    packets: PacketFiles,
    *,
    output: Annotated[Path, typer.Option(help="Folder for labeling.xml and {annotator}.json.")],
    key: Annotated[
        Path | None, typer.Option(help="The key, which --verdicts needs to find its items.")
    ] = None,
    verdicts: Annotated[
        list[Path] | None,
        typer.Option(help="JSONL of verdicts shown as predictions: not for a blind annotation."),
    ] = None,
) -> None:
    """Write packets as Label Studio's tasks, with the labelling interface."""
    from limaflow.errors import InputError
    from limaflow.jsonl import read_records, replacing, write_json
    from limaflow.judging.rounds import read_key
    from limaflow.records import Verdict
    from limaflow.tools.annotation.label_studio import labeling_config, tasks_of
    from limaflow.tools.annotation.packet import read_packet

    if verdicts and key is None:
        raise InputError("--verdicts needs --key")
    held = read_key(key) if key else None
    known = [verdict for path in verdicts or [] for verdict in read_records(path, Verdict)]
    for path in packets:
        made = read_packet(path)
        if held and held.packet(made.hash) is None:
            raise InputError(f"is no packet of {key}", path=path)
        if made.turn_choices:
            raise InputError(
                "shows whole dialogues, which Label Studio's tasks have no form for",
                path=path,
                fix="`limaflow annotate page` or `serve`",
            )
        tasks = tasks_of(made, held, known)
        write_json(output / f"{made.annotator}.json", tasks)
        with replacing(output / "labeling.xml") as file:
            file.write(labeling_config(made))
        print(f"{output / f'{made.annotator}.json'}: {len(tasks)} tasks")
