"""From candidate to example: prompt choice, repairs, and the count of what left."""

from collections.abc import Callable
from pathlib import Path

import pytest

from limaflow.curation.filtering import filtered, prompt_of, stands_alone
from limaflow.curation.settings import Filters
from limaflow.jsonl import line_of
from limaflow.records import Candidate, Message
from limaflow.sources.kinds import policy_of

Build = Callable[..., Candidate]


def test_the_share_of_titles_is_met_and_every_id_keeps_its_choice(candidate: Build) -> None:
    many = [candidate(id=f"se/beer/{n}") for n in range(2000)]
    titles = [prompt_of(c, 0.3, seed=1) == c.title for c in many]
    assert 0.26 < sum(titles) / len(titles) < 0.34
    assert titles[::-1] == [prompt_of(c, 0.3, seed=1) == c.title for c in many[::-1]]
    assert titles != [prompt_of(c, 0.3, seed=2) == c.title for c in many]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<p>How is beer made from barley?</p>",
        "<p>As in the title: how is beer made from barley, and what for, and since when?</p>",
        "<p>How is beer made from barley, as shown?<img src='x'> Is it by magic or skill?</p>",
        "<p>This has been on our minds all day long, and nobody could tell us. So who knows?</p>",
        "<p>Reading the other answers on beer made from barley, is there more to know of it?</p>",
        "<p>How is beer made from barley? There is a list of all its brewers and more in:</p>"
        "<p><a href='u'>http://x.org</a></p>",
        "<p>We would like to learn how beer is made from barley, with every step explained.</p>",
    ],
)
def test_a_body_that_cannot_stand_alone_gives_way_to_the_title(candidate: Build, body: str) -> None:
    asked = candidate(body=body)
    assert prompt_of(asked, 0.0, seed=1) == asked.title


def test_a_body_must_take_up_what_its_title_names() -> None:
    title = "Which glass suits which beer?"
    assert stands_alone(
        "There are many glasses for beer: which of them suits which, please?", title
    )
    assert not stands_alone(
        "There is more than one, it seems: could somebody list them all?", title
    )


@pytest.mark.parametrize(
    ("title", "kind", "repaired"),
    [
        ("[WP] A door", "reddit", "A door"),
        ("[Serious] What is a door?", "reddit", "What is a door?"),
        ("[A]door", "reddit", "[A]door"),
        ("How to Be an Organized Artist1", "wikihow", "How to Be an Organized Artist"),
        ("How to Play an MP3", "wikihow", "How to Play an MP3"),
        ("How to Use Windows 8", "wikihow", "How to Use Windows 8"),
        ("[WP] in a title", "stackexchange", "[WP] in a title"),
    ],
)
def test_titles_lose_the_marks_of_their_source(title: str, kind: str, repaired: str) -> None:
    assert policy_of(kind).repaired_title(title) == repaired


def test_wikihow_speaks_of_an_answer_and_not_of_an_article(candidate: Build) -> None:
    article = candidate(kind="wikihow", markup="text", response="This article tells how.", body="")
    [example], _ = filtered([article], None, seed=1)
    assert example.response == "The following answer tells how."


def test_a_dialogue_comes_through_whole(candidate: Build) -> None:
    roles = ("user", "assistant", "user", "assistant")
    turns = tuple(Message(role=role, content=f"{n}") for n, role in enumerate(roles))
    [example], _ = filtered([candidate(kind="messages", messages=turns)], None, seed=1)
    assert example.messages == turns


def test_everything_is_kept_or_dropped_whatever_the_order(
    candidate: Build, paper_filters: Filters
) -> None:
    many = [candidate(id=f"se/beer/{n}", response_score=n) for n in range(20)]
    kept, dropped = filtered(many, paper_filters, seed=1)
    assert len(kept) + len(dropped) == len(many)
    assert {drop.rule for drop in dropped} == {"response_score"}
    assert all(drop.detail == f"score {drop.id[8:]} < 10.0" for drop in dropped)
    assert list(map(line_of, filtered(many[::-1], paper_filters, seed=1)[0])) == list(
        map(line_of, kept)
    )


def test_a_response_of_links_alone_is_no_response(candidate: Build) -> None:
    link = candidate(response="<p><a href='http://x.org'>http://x.org</a></p>")
    kept, [drop] = filtered([link], None, seed=1)
    assert not kept
    assert drop.rule == "empty_text"


def test_a_post_nested_without_end_is_a_drop(candidate: Build, paper_filters: Filters) -> None:
    deep = candidate(response="<blockquote>" * 600 + "Malt")
    for filters in (None, paper_filters):
        kept, [drop] = filtered([deep, candidate(id="se/beer/2")], filters, seed=1)
        assert len(kept) == 1
        assert (drop.id, drop.rule) == (deep.id, "nested_too_deep")


def test_the_real_dump_passes_the_papers_rules_in_eleven_cases(
    shared_data: Path, tmp_path: Path, paper_filters: Filters
) -> None:
    from collections import Counter

    from limaflow.sources.kinds.stackexchange import read
    from limaflow.sources.shard import ReadingOptions, Shard

    dump = shared_data / "stackexchange/beer/Posts.xml"
    shard = Shard(
        kind="stackexchange",
        source="se",
        name="beer",
        files=(dump,),
        scratch=tmp_path,
        options=ReadingOptions(),
    )
    candidates = list(read(shard, Counter()))
    kept, dropped = filtered(candidates, paper_filters, seed=1)
    assert len(kept) + len(dropped) == len(candidates)
    assert len(kept) == 11
    for example in kept:
        assert 1200 <= len(example.response) <= 4096
        assert "http" not in example.response
        assert example.provenance.score is not None
        assert example.provenance.score >= 10
