"""What a packet shows and hides, and how items and orders are drawn."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import limaflow.judging as instruments
from limaflow.errors import InputError
from limaflow.jsonl import read_records, write_json
from limaflow.judging.instrument import load
from limaflow.judging.rounds import Key
from limaflow.records import Example, Message, Response, example_id
from limaflow.tools.annotation import cli
from limaflow.tools.annotation.drawing import Lots, drawn
from limaflow.tools.annotation.packet import Packet, read_packet

PAIRWISE = load("pairwise")
PEOPLE = ("ann", "bob", "cho")
text = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


def example(question: str) -> Example:
    messages = (Message(role="user", content=question),)
    return Example(id=example_id(messages), messages=messages, source="test", split="test")


def responses(prompts: list[Example], model: str, texts: list[str]) -> list[Response]:
    return [
        Response(prompt_id=p.id, model=model, sample=0, text=said, tokens=1, finish_reason="stop")
        for p, said in zip(prompts, texts, strict=True)
    ]


@st.composite
def rounds(draw: Any) -> tuple[dict[str, Response], list[Packet], Key]:
    """A round of one or two comparisons, whatever the texts are."""
    questions = draw(st.lists(text.filter(bool), min_size=1, max_size=6, unique=True))
    prompts = [example(question) for question in questions]
    said = {
        model: responses(
            prompts, model, draw(st.lists(text, min_size=len(prompts), max_size=len(prompts)))
        )
        for model in ("model-of-ours", "baseline-1", "baseline-2")
    }
    others = draw(st.sampled_from([("baseline-1",), ("baseline-1", "baseline-2")]))
    comparisons = [(said["model-of-ours"], said[o]) for o in others]
    shared = draw(st.none() | st.integers(1, 4))
    packets, key = drawn(
        prompts,
        comparisons,
        PEOPLE[: draw(st.integers(1, 3))],
        PAIRWISE,
        lots=Lots(shared=shared),
        seed=draw(st.integers(0, 9)),
    )
    return {r.id: r for rows in said.values() for r in rows}, packets, key


@settings(max_examples=60)
@given(rounds())
def test_the_key_names_whose_the_texts_are(
    made: tuple[dict[str, Response], list[Packet], Key],
) -> None:
    known, packets, key = made
    for packet, keyed in zip(packets, key.packets, strict=True):
        assert (packet.annotator, packet.hash) == (keyed.annotator, keyed.hash)
        for item, named in zip(packet.items, keyed.items, strict=True):
            assert item.hash == named.hash
            shown = [known[response_id] for response_id in named.response_ids]
            assert item.answers == tuple(response.text for response in shown)
            assert named.models == tuple(response.model for response in shown)
            assert {named.prompt_id} == {response.prompt_id for response in shown}


@settings(max_examples=60)
@given(rounds())
def test_each_pair_is_judged_by_one_person_or_by_all(
    made: tuple[dict[str, Response], list[Packet], Key],
) -> None:
    known, packets, key = made
    times = Counter(frozenset(i.response_ids) for i in key.items())
    assert set(times.values()) <= {1, len(packets)}
    assert len(times) == len(key.comparisons) * len({r.prompt_id for r in known.values()})
    sizes = [len(packet.items) for packet in packets]
    assert max(sizes) - min(sizes) <= 1


@pytest.fixture
def many() -> Callable[..., tuple[list[Packet], Key]]:
    """A round over 200 prompts."""
    prompts = [example(f"Question {n}") for n in range(200)]
    ours, theirs, few = (
        responses(prompts, m, [f"{n} {k}" for n in range(200)])
        for k, m in enumerate(("model-of-ours", "baseline", "model-of-few"))
    )

    def make(**options: Any) -> tuple[list[Packet], Key]:
        lots = Lots(items=options.pop("items", None), shared=options.pop("shared", None))
        return drawn(
            prompts,
            [(ours, theirs), (ours, few)],
            PEOPLE,
            PAIRWISE,
            lots=lots,
            **{"seed": 1, **options},
        )

    return make


def test_nothing_in_a_packet_tells_whose_an_answer_is(many: Any) -> None:
    packets, key = many()
    for packet in packets:
        shown = repr(packet)
        for item in key.items():
            for secret in (item.prompt_id, *item.response_ids):
                assert secret not in shown
        for model in ("model-of", "baseline"):
            assert model not in shown


def test_either_answer_stands_first_as_often_and_for_each_person_anew(many: Any) -> None:
    _, key = many()
    orders = [
        {i.hash for i in packet.items if i.models[0] == "model-of-ours"} for packet in key.packets
    ]
    for first in orders:
        assert 160 < len(first) < 240, "400 fair tosses; five sigma are 50"
    swapped = [
        {(i.prompt_id, i.models[1]) for i in packet.items if i.models[0] == "model-of-ours"}
        for packet in key.packets
    ]
    assert 150 < len(swapped[0] ^ swapped[1]) < 250
    places = [[i.prompt_id for i in packet.items] for packet in key.packets]
    assert places[0] != places[1], "items stand in an order of their own as well"


def test_the_seed_alone_decides(many: Any) -> None:
    assert many() == many()
    assert many()[1] != many(seed=2)[1]


def test_drawn_items_are_of_every_comparison_alike(many: Any) -> None:
    packets, key = many(items=51, shared=21)
    assert [len(packet.items) for packet in packets] == [31, 31, 31]
    pairs = {
        i.response_ids[::s]: key.comparison(i)
        for i in key.items()
        for s in ((1,) if i.models[0] == "model-of-ours" else (-1,))
    }
    assert len(pairs) == 51
    assert sorted(Counter(pairs.values()).values()) == [25, 26]


def test_people_read_what_the_model_judge_reads(many: Any) -> None:
    (packet, *_), _ = many()
    assert PAIRWISE.text.startswith(packet.instructions)
    assert packet.template == PAIRWISE.hash


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"annotator": ["ann", "Ann"]}, "stands twice"),
        ({"annotator": ["../ann"]}, "no annotator's name"),
        ({"items": 9}, "9 items are wanted; there are 4"),
        ({"annotator": ["ann", "bob"], "items": 1, "shared": 0}, "1 items are too few for 2"),
        ({"second": []}, "1 --first and 0 --second"),
    ],
)
def test_what_makes_no_round_is_refused(beer: Any, options: dict[str, Any], told: str) -> None:
    usual = {"prompts": beer.prompts, "first": [beer.ours], "second": [beer.theirs]}
    usual |= {"annotator": ["ann"], "seed": 1, "output": beer.folder / "other"}
    with pytest.raises(InputError, match=told):
        cli.packet(**{**usual, **options})
    assert not (beer.folder / "other").exists()


def test_a_key_that_may_be_needed_is_not_overwritten(begin: Any, beer: Any) -> None:
    usual = {"prompts": beer.prompts, "first": [beer.ours], "second": [beer.theirs]}
    cli.packet(**usual, annotator=["ann", "bob"], seed=7, output=beer.folder)
    with pytest.raises(InputError, match=r"key\.json: is the key to other packets"):
        cli.packet(**usual, annotator=["ann", "bob"], seed=8, output=beer.folder)
    assert beer.packet("ann").hash == beer.key.packets[0].hash


def test_a_packet_that_was_changed_is_not_taken(beer: Any, tmp_path: Path) -> None:
    packet = beer.packet("ann")
    raw = {
        "annotator": packet.annotator,
        "instrument": packet.instrument,
        "form": packet.form,
        "title": packet.title,
        "choices": packet.choices,
        "instructions": packet.instructions,
        "template": packet.template,
        "hash": packet.hash,
        "items": [vars(item) for item in packet.items],
    }
    changed = [{**raw["items"][0], "answers": ["Yes, of course.", "No."]}, *raw["items"][1:]]
    for change, told in (
        ({"items": changed}, "item 1 is not"),
        ({"items": raw["items"][:-1]}, "the packet is not"),
        ({"instrument": "likert"}, "the packet is not"),
        ({"title": "Which answer is longer?"}, "the packet is not"),
        ({"choices": packet.choices[::-1]}, "the packet is not"),
    ):
        write_json(tmp_path / "changed.json", {**raw, **change})
        with pytest.raises(InputError, match=f"changed.json: {told} as it was made"):
            read_packet(tmp_path / "changed.json")


def test_prompts_need_not_be_shown_twice_to_be_judged_by_a_model(beer: Any) -> None:
    from limaflow.judging.pairwise import pairs
    from limaflow.judging.rounds import only

    prompts, ours, theirs = (
        list(read_records(path, kind))
        for path, kind in ((beer.prompts, Example), (beer.ours, Response), (beer.theirs, Response))
    )
    _, key = drawn(
        prompts,
        [(ours, theirs)],
        ("ann",),
        PAIRWISE,
        lots=Lots(items=2),
        seed=1,
    )
    shown = pairs(prompts, ours, theirs, orders="both", seed=1)
    chosen = only(shown, key, PAIRWISE)
    assert {pair.prompt.id for pair in chosen} == {item.prompt_id for item in key.items()}
    assert len(chosen) == 4, "two items, both orders"
    with pytest.raises(InputError, match="another instrument"):
        only(shown, key, load(_other_instrument(beer.folder)))
    with pytest.raises(InputError, match="other responses"):
        only(shown[:1], key, PAIRWISE)


def _other_instrument(folder: Path) -> str:
    ours = Path(instruments.__file__).with_name("instruments") / "pairwise.md"
    path = folder / "mine.md"
    path.write_text(ours.read_text().replace("Then choose", "Choose"), encoding="utf-8")
    return str(path)
