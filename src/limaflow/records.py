"""The few records that travel between stages as JSON lines; see docs/architecture.md."""

from dataclasses import dataclass, field
from typing import Any, Literal

from limaflow.errors import InputError
from limaflow.prompt_tags import Tags
from limaflow.seeds import digest

Split = Literal["train", "dev", "test"]
Choice = Literal["first", "second", "tie"]
AnnotatorKind = Literal["", "unspecified", "person", "model", "simulated"]
"""What an annotator is, as its records say; "" is as `unspecified`. `simulated`: a program of an
invented world."""
FinishReason = Literal["stop", "length", "content_filter"]
"""Ended by itself; cut off by the limit; withheld by the provider, perhaps in part."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One utterance in the `messages` convention of TRL, axolotl and the hub's viewers."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a text comes from: what CC BY-SA attribution and an audit need."""

    site: str = ""
    title: str = ""
    """Title of the work at its source."""
    ids: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    licence: str = ""
    score: float | None = None
    """Votes for the response (or for the prompt where there is no response); None if not voted."""
    prompt_score: float | None = None
    """Votes for the prompt: what sampling ranks by; None if not voted."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A prompt with its response as the raw source holds them, before any rule has looked."""

    id: str
    source: str
    shard: str
    kind: str
    title: str
    body: str = ""
    response: str = ""
    markup: Literal["html", "markdown", "text"] = "text"
    prompt_score: float | None = None
    response_score: float | None = None
    stratum: str = ""
    """What sampling draws from first: a site, a wikiHow category, a task."""
    messages: tuple[Message, ...] = ()
    """The whole conversation, where the source holds more than a prompt and its response."""
    provenance: Provenance = Provenance()
    tags: Tags | None = None


@dataclass(frozen=True, kw_only=True)
class Review:
    """A person's decision on one example, as the ledger holds it."""

    decision: Literal["keep", "reject", "edit"]
    reviewer: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Example:
    """One conversation of the data set.

    In dev and test the turns up to the last user turn are the prompt (`asked_turns`); a response
    after them is a reference answer, for perplexity and for reading, and is never shown to a model.
    """

    id: str
    messages: tuple[Message, ...]
    source: str
    split: Split
    kind: str = ""
    """Kind of the source, which decides how sampling draws; "" for a data set brought whole."""
    stratum: str = ""
    provenance: Provenance = Provenance()
    review: Review | None = None
    tags: Tags | None = None
    """What the prompt tests, where that is known."""

    @property
    def prompt(self) -> str:
        """The first user turn."""
        return next(m.content for m in self.messages if m.role == "user")

    @property
    def response(self) -> str:
        """The last assistant turn, or "" where there is none."""
        return next((m.content for m in reversed(self.messages) if m.role == "assistant"), "")


def asked_turns(example: Example) -> tuple[Message, ...]:
    """What a model is asked: the turns up to the last user turn, hence one of a single-turn prompt.

    Raises:
        InputError: there is no user turn.
    """
    asked = [place for place, turn in enumerate(example.messages) if turn.role == "user"]
    if not asked:
        raise InputError(f"prompt {example.id} has no user turn")
    return example.messages[: asked[-1] + 1]


def example_id(messages: tuple[Message, ...], tags: Tags | None = None) -> str:
    """Content hash of a conversation: equal text, equal id, whatever the source.

    What the user says after it (`Tags.turns`) and how its answer begins (`Tags.prefill`) are part
    of the text; other tags are not.
    """
    said = [[m.role, m.content] for m in messages]
    given = [["prefill", tags.prefill]] if tags and tags.prefill else []
    return digest(said + given + [["user", turn] for turn in (tags.turns if tags else ())])


def prefill_of(example: Example) -> str:
    """How the answer to a prompt begins, where that is given; else ""."""
    return example.tags.prefill if example.tags else ""


@dataclass(frozen=True, kw_only=True)
class Drop:
    """A record that left the graph at `step`, and why; `detail` quotes what the rule saw."""

    id: str
    source: str
    step: str
    rule: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """What became of the rows of one shard: candidates, and rows that are none, by reason."""

    source: str
    shard: str
    candidates: int
    passed_over: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Match:
    """A text that a training turn shares, with the longest shared run as the turn has it."""

    id: str
    source: str
    where: str
    """Role of the turn: `user` or `assistant`."""
    against: str
    """`dev`, `test`, or a benchmark's task."""
    item_id: str
    words: int
    matched: str
    turn: str
    """The turn around the match."""
    text: str
    """The protected text around its own run of the same words."""

    @property
    def parts(self) -> tuple[str, str, str]:
        """The turn before, at and after the match."""
        return self.turn.partition(self.matched)


@dataclass(frozen=True, kw_only=True)
class ModelManifest:
    """Names a model on disk or hub; the file `model.json` beside every model of ours."""

    model: str
    """Who answers: an arm, or an arm and its epoch (`lima@epoch-5`)."""
    path: str
    """Directory, relative to the manifest's own folder if not absolute, or a hub name."""
    revision: str | None = None
    sha256: dict[str, str] = field(default_factory=dict)
    """Checksum of each file of the directory; empty for a hub name."""
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Response:
    """One answer of one model to one prompt."""

    prompt_id: str
    model: str
    sample: int
    text: str
    tokens: int
    finish_reason: FinishReason
    decoding: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Content hash over prompt, model, sample number and text."""
        return digest(self.prompt_id, self.model, self.sample, self.text)


@dataclass(frozen=True, kw_only=True)
class Judgment:
    """What every answer of an annotator carries, whatever was asked."""

    prompt_id: str
    sample: int
    annotator: str
    annotator_kind: AnnotatorKind = ""
    """Empty where nobody says, as in most files of others; a model's is seen by `answered_by`."""
    pool: int = 0
    """How many annotators `annotator` stands for, where it is the name of several."""
    reading: int = 0
    """Number of a further reading of the same material, where an annotator was asked again."""
    error: str | None = None
    """Why there is no answer; None where there is one."""
    reply: str = ""
    template: str = ""
    """Content hash of the instrument's file."""
    answered_by: str = ""
    """Model name and system fingerprint that the endpoint returned."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    hasty: bool = False
    """Whether a person chose sooner than the answers could be read, as far as was recorded."""


@dataclass(frozen=True, kw_only=True)
class Verdict(Judgment):
    """One annotator's choice between two responses; either `choice` or `error` is set."""

    first: str
    """Model whose response stood first; `second` likewise."""
    second: str
    first_response_id: str
    second_response_id: str
    choice: Choice | None = None
    first_share: float | None = None
    """What part of the win the annotator gives `first`, from 0 to 1; None where it only chose."""
    first_chars: int | None = None
    """Length of the first response where the verdict was made elsewhere; `second_chars` too."""
    second_chars: int | None = None
    first_text: str | None = None
    """The first response itself, where a verdict made elsewhere holds it; `second_text` too."""
    second_text: str | None = None


@dataclass(frozen=True, kw_only=True)
class Grade(Judgment):
    """One annotator's absolute grade of one response; either `value` or `error` is set."""

    model: str
    response_id: str
    instrument: str
    """Its name; `scale` is that of its words."""
    scale: str
    value: int | None = None


@dataclass(frozen=True, kw_only=True)
class FormatCheck:
    """Whether one response has one form that its prompt asks for; either it is known or `error`."""

    prompt_id: str
    sample: int
    model: str
    response_id: str
    place: int
    """Number of the form among those of its prompt."""
    rule: str
    arguments: str
    strict: bool | None = None
    loose: bool | None = None
    """The same by a reading that forgives a line before or after the answer, and asterisks."""
    error: str | None = None
    """Why it could not be checked."""


@dataclass(frozen=True, kw_only=True)
class AnswerGrade(Judgment):
    """Whether one reply to a benchmark item gives a right answer; `prompt_id` is the item's id."""

    task: str
    model: str
    format: str = ""
    """How the item was put; "" is the model's main way."""
    right: bool | None = None
    """None where the annotator is not sure, or `error` says why there is none."""
    no_answer: bool = False
    """Whether the reply gives no answer at all; it is then not right."""
    response_id: str = ""
    """Hash of the reply that was graded; "" where it is not known."""


@dataclass(frozen=True, kw_only=True)
class BenchmarkItem:
    """One benchmark item of one model; `value` is the metric on this item."""

    task: str
    item_id: str
    model: str
    metric: str
    value: float
    higher_is_better: bool | None = None
    """None: as is usual for the metric."""
    scale: tuple[float, float] | None = None
    """Lowest and highest value that an item can have; None: as is usual for the metric, if it is
    known."""
    weight: float = 1.0
    """Its part in the task's result, beside that of the other items."""
    prompt: str = ""
    """Hash of what is asked, before a chat template or in-context examples of the arm."""
    format: str = ""
    """How it was put: `plain`, `chat` (in the chat template), `in-context` or `in-context-chat`;
    "" if not known."""
    reply: str | None = None
    """What the model wrote, as it is; None where choices were scored, or it is not known."""
    answer: str | None = None
    """What the answer filter, or a choice, took for the answer; None where that is not known."""
    unread: bool = False
    """Whether no answer could be read from the reply; the value is then that of a wrong one."""
    lenient: bool | None = None
    """Whether a lenient reader finds a right answer in the reply; None where there is no reply, or
    the right answer is not known."""
    question: str = ""
    """What was asked, of an item with a reply: without worked examples."""
    right_answers: tuple[str, ...] = ()
    """Any of which is right, of an item with a reply."""
    choices: int | None = None
    """How many answers there were to choose from."""
    right_probability: float | None = None
    """Of the right choice, among the choices."""
    confidence: float | None = None
    """Probability of the likeliest choice, among the choices."""

    @property
    def response_id(self) -> str:
        """Hash of the reply; "" where there is none."""
        return digest(self.reply) if self.reply is not None else ""
