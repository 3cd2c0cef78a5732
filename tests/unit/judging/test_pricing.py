"""What judging would cost, said before a call is made."""

from pathlib import Path

import pytest

from limaflow.endpoints.client import ask_all
from limaflow.endpoints.session import Question, Terms
from limaflow.endpoints.settings import Budget
from limaflow.endpoints.spending import Spending
from limaflow.endpoints.store import Store
from limaflow.errors import InputError
from limaflow.judging.cli import compare
from limaflow.judging.instrument import load
from limaflow.judging.pairwise import choice_of
from limaflow.judging.pricing import FRAME_TOKENS, price
from limaflow.tools.pricing.cli import print_prices

INSTRUMENT = load("pairwise")
PRICED = {"price_per_million_prompt_tokens": 1000.0, "price_per_million_completion_tokens": 3000.0}


def question(text: str) -> Question:
    rendered = INSTRUMENT.render(question=text, answer_1="good", answer_2="bad")
    return Question(rendered, INSTRUMENT.key)


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """A tokenizer whose tokens are words."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_tokens_are_counted_by_the_tokenizer_that_is_named(endpoint, words: Path) -> None:
    judge = endpoint.judge(tokenizer=str(words), max_tokens=100, **PRICED)
    asked = [question("Why?"), question("How so?"), question("Why?")]
    told = price("job", asked, Terms(judge=judge, store=words / "s"))
    tokens = sum(len(q.text.split()) + FRAME_TOKENS for q in asked[:2])
    assert (told.questions, told.to_ask, told.prompt_tokens) == (2, 2, tokens)
    assert told.cost_at_most == pytest.approx((tokens * 1000 + 200 * 3000) / 1e6)
    half = judge.model_copy(update={"batch": True})
    halved = price("job", asked, Terms(judge=half, store=words / "s"))
    assert halved.cost_at_most == pytest.approx(told.cost_at_most / 2)


def test_stored_answers_cost_nothing_and_teach_what_the_others_may_cost(
    endpoint, tmp_path: Path
) -> None:
    judge = endpoint.judge(max_tokens=500, **PRICED)
    terms = Terms(judge=judge, store=tmp_path / "s")
    ask_all(
        [question("Why 1?")], lambda reply: choice_of(reply, INSTRUMENT) is not None, terms=terms
    )
    told = price("job", [question(f"Why {i}?") for i in range(4)], terms)
    assert (told.questions, told.to_ask) == (4, 3)
    assert (told.prompt_tokens, told.reply_tokens) == (300, 30), "as the server has counted before"
    assert "1 stored answers" in told.counted_by
    assert len(endpoint.calls()) == 1


def test_a_tokenizer_that_is_not_there_is_named(endpoint, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    judge = endpoint.judge(tokenizer=str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"no tokenizer at .*none"):
        price("job", [question("Why?")], Terms(judge=judge, store=tmp_path / "s"))


def test_a_dry_run_asks_nobody_and_writes_nothing(
    endpoint, study, capsys: pytest.CaptureFixture[str]
) -> None:
    made = study({"Which?": ("good", "bad"), "Why?": ("good", "bad")})
    compare(
        judge=endpoint.judge(**PRICED).flag(),
        prompts=made.prompts,
        first=made.ours,
        second=made.theirs,
        store=made.store,
        seed=1,
        output=made.output,
        dry_run=True,
    )
    assert "ours-vs-theirs: 4 of 4 questions to ask" in capsys.readouterr().out
    assert not made.output.exists() and not made.store.exists()
    assert endpoint.calls() == []


def test_an_experiment_is_priced_as_far_as_it_has_come(
    study, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = study({"Which?": ("good", "bad"), "Why?": ("good", "bad")})
    results = tmp_path / "results"
    for source, target in (
        (made.prompts, "curation/prompts/test.jsonl"),
        (made.ours, "responses/test/lima.jsonl"),
        (made.theirs, "responses/test/base.jsonl"),
    ):
        (results / target).parent.mkdir(parents=True, exist_ok=True)
        (results / target).write_bytes(source.read_bytes())
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(f"judging: {{instruments: {{quality: [gpt-4]}}, store: {tmp_path / 's'}}}\n")
    print_prices([root / "config.yaml", overlay], results)
    told = capsys.readouterr().out
    assert "lima-vs-base by gpt-4: 4 of 4 questions to ask" in told
    assert "base, likert by gpt-4: 2 of 2" in told and "lima, quality by gpt-4: 2 of 2" in told
    assert "responses of gpt-4: 2 of 2" in told and "4,096 of replies: 0.25" in told
    assert "together: 14 questions" in told
    assert "not there yet: lima-vs-base-in-context by gpt-4" in told
    with Store(tmp_path / "s") as store:
        for bound, paid in ((Spending(2.0, 500), Spending(1.0, 100)), (Spending(0.5, 70), None)):
            store.reserve("lima-65b", bound, Budget())
            if paid:
                store.settle("lima-65b", bound, paid)
    print_prices([root / "config.yaml", overlay], results)
    told = capsys.readouterr().out
    assert (
        "so far: cost 1.00 of 200, 100 tokens\nbesides: up to cost 0.50 and 70 tokens more by"
        in told
    )
