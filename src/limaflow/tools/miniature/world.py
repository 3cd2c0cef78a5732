"""The whole miniature world, written in the native formats of the real sources, from one seed.

Under the output folder: `stackexchange/<site>.7z`, `wikihow/wikihow.csv`,
`reddit/R{S,C}_2023-01.zst`, `natural-instructions/<task>.json`,
`authored/{group-a,group-a-dev,group-b,forms,forms-test,refusals,requests}.jsonl`,
`corpus/pretraining.jsonl`,
`benchmarks/<task>.{yaml,jsonl}`, `contaminated.jsonl`, `preferences.jsonl`, `answers.jsonl`,
`dialogues/{scripts,constrained,training}.jsonl`, `world.json`; with unwritten towns
`authored/unwritten.jsonl` and the benchmark `miniature_unwritten`.
"""

from pathlib import Path

from limaflow.config.experiment import Miniature
from limaflow.jsonl import write_json, write_records
from limaflow.tools.miniature import (
    authored,
    benchmark_items,
    dialogues,
    forms,
    reddit,
    sensitive,
    stackexchange,
    wikihow,
)
from limaflow.tools.miniature.benchmark_tasks import COPIED, contaminated_items, write_unwritten
from limaflow.tools.miniature.benchmark_tasks import write_tasks as write_benchmarks
from limaflow.tools.miniature.corpus import documents
from limaflow.tools.miniature.language import ATTRIBUTES
from limaflow.tools.miniature.natural_instructions import write_tasks
from limaflow.tools.miniature.preference_pairs import preference_pairs
from limaflow.tools.miniature.topics import SITES, Topic, assign_topics
from limaflow.tools.miniature.towns import Town, invent_towns, invent_unwritten
from limaflow.tools.miniature.truth import (
    LABEL,
    PromptTopic,
    RequestTopic,
    Truth,
    known_answers,
    user_turns_key,
)

Planted = dict[str, dict[str, tuple[str, ...]]]


def write_world(settings: Miniature, seed: int, output: Path) -> Truth:
    """Write every file of the world and return its truth; the same seed gives the same bytes."""
    towns = invent_towns(settings, seed)
    topics = assign_topics(towns, seed)
    dev = authored.group_a(topics["authored-a-dev"], seed)
    test = authored.group_b(topics["authored-b"], seed)
    titles = reddit.question_titles(topics["askreddit"], seed)
    unwritten = invent_unwritten(settings, towns, seed)
    # Whole questions: what curation would not drop for another reason first.
    questions = [
        *zip((row.prompt for row in test), topics["authored-b"], strict=True),
        *zip(titles, topics["askreddit"], strict=True),
    ]
    copied = [(prompt, topic) for prompt, topic in questions if prompt[-1] == "?"]
    stated = [item.statement for item in benchmark_items.facts(towns, seed)]
    leaked = benchmark_items.planted(benchmark_items.copied(towns, seed))

    planted = _stack_exchange(output / "stackexchange", topics, copied, stated, seed)
    rows, spoiled = wikihow.articles(
        topics["wikihow"],
        [row.prompt for row in dev if row.prompt[-1] == "?"][:2],
        [item.statement for item in leaked],
        seed,
    )
    wikihow.write_csv(output / "wikihow" / "wikihow.csv", rows)
    planted["wikihow"] = {"planted": tuple(spoiled)}
    planted[COPIED] = {"contaminated": tuple(item.id for item in leaked)}
    submissions, comments, strays = reddit.posts(
        topics["writingprompts"], titles, [prompt for prompt, _ in copied[-2:]], seed
    )
    reddit.write_zst(output / "reddit" / "RS_2023-01.zst", submissions)
    reddit.write_zst(output / "reddit" / "RC_2023-01.zst", comments)
    planted["reddit"] = {trap: tuple(ids) for trap, ids in strays.items()}
    write_tasks(output / "natural-instructions", topics["natural-instructions"], seed)
    written = authored.group_a(topics["authored-a"], seed)
    for name, lines in (("group-a", written), ("group-a-dev", dev), ("group-b", test)):
        write_records(output / "authored" / f"{name}.jsonl", lines)
    asked = forms.form_prompts(topics["forms"], seed)
    write_records(output / "authored/forms.jsonl", forms.form_examples(topics["authored-a"], seed))
    write_records(output / "authored/forms-test.jsonl", asked)
    refused = sensitive.refusals(topics["authored-a"], seed)
    requests = sensitive.requests(topics["forms"], seed)
    write_records(output / "authored" / "refusals.jsonl", refused)
    write_records(output / "authored" / "requests.jsonl", requests)
    texts = ({"text": text} for text in documents(towns, seed))
    write_records(output / "corpus" / "pretraining.jsonl", texts)
    write_benchmarks(output / "benchmarks", towns, seed)
    if unwritten:
        _write_unwritten(output, unwritten, seed)
    write_records(output / "contaminated.jsonl", contaminated_items(towns, seed))
    write_records(output / "preferences.jsonl", preference_pairs(towns, seed))
    scripts = dialogues.scripts(towns, seed)
    constrained = dialogues.constrained_scripts(towns, seed)
    for name, chats in (
        ("scripts", dialogues.script_rows(scripts)),
        ("constrained", dialogues.constrained_rows(constrained)),
        ("training", dialogues.training_rows(towns, seed)),
    ):
        write_records(output / "dialogues" / f"{name}.jsonl", chats)

    truth = Truth(
        label=LABEL,
        seed=seed,
        values={attribute.name: attribute.values for attribute in ATTRIBUTES},
        facts={town.name: town.facts for town in towns},
        held_out=tuple(town.name for town in towns if town.held_out),
        prompts=_prompt_topics([row.prompt for row in dev], topics["authored-a-dev"], "dev")
        | _prompt_topics([row.prompt for row in test], topics["authored-b"], "test")
        | _prompt_topics(titles, topics["askreddit"], "test")
        | _prompt_topics([row.prompt for row in asked], topics["forms"], "test"),
        planted=planted,
        dialogues=_dialogue_topics(scripts) | _dialogue_topics(constrained),
        requests={
            row.prompt: RequestTopic(
                split="test",
                town=topic.town.name,
                attribute=topic.attribute.name,
                intent=row.intent,
            )
            for row, topic in zip(requests, topics["forms"], strict=True)
        },
    )
    write_records(output / "answers.jsonl", known_answers(truth))
    write_json(output / "world.json", truth)
    return truth


def _dialogue_topics(
    scripts: dict[str, tuple[Town, list[dialogues.Asked]]],
) -> dict[str, PromptTopic]:
    return {
        user_turns_key([turn.text for turn in turns[:number]]): PromptTopic(
            split="test", town=town.name, attribute=turns[number - 1].attribute.name
        )
        for town, turns in scripts.values()
        for number in range(1, len(turns) + 1)
    }


def _write_unwritten(output: Path, towns: tuple[Town, ...], seed: int) -> None:
    """Examples that state every fact of some towns, and the task that asks for them."""
    topics = [Topic(town=town, attribute=attribute) for town in towns for attribute in ATTRIBUTES]
    write_records(output / "authored" / "unwritten.jsonl", authored.group_a(topics, seed))
    write_unwritten(output / "benchmarks", towns, seed)


def _stack_exchange(
    folder: Path,
    topics: dict[str, list[Topic]],
    copied: list[tuple[str, Topic]],
    stated: list[str],
    seed: int,
) -> Planted:
    """Write all sites; every site gets some of the next site's exchanges as well."""
    found = {
        site.name: stackexchange.exchanges(
            site,
            topics[site.name],
            copied[number * 2 : number * 2 + 2],
            stated[number :: len(stated) // 2][:2],
            seed,
        )
        for number, site in enumerate(SITES)
    }
    planted = {}
    for site, neighbour in zip(SITES, [*SITES[1:], SITES[0]], strict=True):
        rows = [
            *found[site.name],
            *stackexchange.duplicates(found[site.name], 2, "exact-duplicate"),
            *stackexchange.duplicates(found[site.name], 4, "near-duplicate")[-2:],
            *stackexchange.duplicates(found[neighbour.name], 2, "duplicate-across-sites"),
        ]
        traps = stackexchange.write_dump(folder / f"{site.name}.7z", rows)
        planted[site.name] = {trap: tuple(ids) for trap, ids in traps.items()}
    return planted


def _prompt_topics(prompts: list[str], topics: list[Topic], split: str) -> dict[str, PromptTopic]:
    return {
        prompt: PromptTopic(
            split="dev" if split == "dev" else "test",
            town=topic.town.name,
            attribute=topic.attribute.name,
        )
        for prompt, topic in zip(prompts, topics, strict=True)
    }
