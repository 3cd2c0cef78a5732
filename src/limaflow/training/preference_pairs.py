"""Pairs of a chosen and a rejected response to the same prompt, read, checked and as tokens.

Read here, one JSON object a line: TRL's forms (`prompt`, `chosen`, `rejected` as texts or as lists
of messages; lists may hold the prompt themselves) and Anthropic's hh form (whole dialogues as one
text, in which `Human:` and `Assistant:` open the turns).
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from limaflow.conversations import conversation
from limaflow.curation.protected_text import ProtectedTexts
from limaflow.errors import InputError
from limaflow.foreign_json import json_rows
from limaflow.records import Message
from limaflow.training.control_tokens import chat_tokens

HH_TURN = re.compile(r"(?:\A|\n\n)(Human|Assistant):")
HH_ROLES = {"Human": "user", "Assistant": "assistant"}
SHOWN_LINES = 5
FORMS = "give prompt, chosen and rejected, as texts or as lists of messages, or whole dialogues"


@dataclass(frozen=True)
class Pair:
    """A prompt with a better and a worse response; `line` is that of its file."""

    line: int
    prompt: tuple[Message, ...]
    chosen: Message
    rejected: Message


@dataclass(frozen=True)
class PairTokens:
    """The tokens of a pair; both responses end in the end of a turn."""

    prompt: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]

    @property
    def length(self) -> int:
        """Tokens of the prompt with the longer response."""
        return len(self.prompt) + max(len(self.chosen), len(self.rejected))


@dataclass(frozen=True)
class Pairs:
    """The usable pairs of a file in its order, and the lines that were left out, by reason."""

    tokens: tuple[PairTokens, ...]
    left_out: dict[str, tuple[int, ...]]

    @property
    def rows(self) -> int:
        return len(self.tokens) + sum(map(len, self.left_out.values()))


def read_pairs(path: Path) -> tuple[list[Pair], dict[str, tuple[int, ...]]]:
    """The pairs of a file, and the lines that hold none, by reason.

    Raises:
        InputError: a row is in no known form.
    """
    pairs: list[Pair] = []
    unusable: dict[str, list[int]] = defaultdict(list)
    seen = set()
    for line, row in json_rows(path):
        both = [_turns(row, key, path, line) for key in ("chosen", "rejected")]
        try:
            chosen, rejected = (conversation({"messages": turns}) for turns in both)
        except ValueError as error:
            unusable[str(error).removeprefix("messages: ")].append(line)
            continue
        problem = _problem(chosen, rejected)
        if problem is None and (chosen, rejected) in seen:
            problem = "the same pair stands before it"
        if problem is not None:
            unusable[problem].append(line)
            continue
        seen.add((chosen, rejected))
        pairs.append(Pair(line, chosen[:-1], chosen[-1], rejected[-1]))
    return pairs, {reason: tuple(lines) for reason, lines in unusable.items()}


def _problem(chosen: Sequence[Message], rejected: Sequence[Message]) -> str | None:
    """Why two dialogues are no pair."""
    if chosen == rejected:
        return "chosen equals rejected"
    if chosen[-1].role != "assistant" or rejected[-1].role != "assistant":
        return "the last turn is not the assistant's"
    if chosen[:-1] != rejected[:-1]:
        return "chosen and rejected have no common prompt"
    return None


def _turns(row: dict[str, Any], key: str, path: Path, line: int) -> list[Any]:
    """The turns of the dialogue under `key`, as messages, with the row's prompt before it."""
    prompt, response = row.get("prompt"), row.get(key)
    if isinstance(response, list) and isinstance(prompt, list | None):
        return [*(prompt or []), *response]
    if isinstance(response, str) and isinstance(prompt, str):
        before = _hh_turns(prompt) or [{"role": "user", "content": prompt}]
        if before[-1] == {"role": "assistant", "content": ""}:
            before = before[:-1]
        return [*before, {"role": "assistant", "content": response}]
    if isinstance(response, str) and prompt is None and (turns := _hh_turns(response)):
        return turns
    raise InputError(f"'{key}' is no response in a known form", path=path, line=line, fix=FORMS)


def _hh_turns(text: str) -> list[dict[str, str]]:
    """The turns of a dialogue in one text; none where the text is no such dialogue."""
    if not HH_TURN.match(text):
        return []
    _, *parts = HH_TURN.split(text)
    return [
        {"role": HH_ROLES[who], "content": said.strip()}
        for who, said in zip(parts[::2], parts[1::2], strict=True)
    ]


def tokenized_pairs(
    path: Path,
    tokenizer: Any,
    stops: frozenset[int],
    *,
    max_tokens: int,
    max_left_out: float,
    barred: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
) -> Pairs:
    """The pairs of a file in the tokenizer's chat template; nothing is cut.

    Args:
        stops: the tokens at which generation stops, one of which ends each response.
        max_tokens: a pair is left out if prompt and longer response together have more.
        max_left_out: share of the rows that may be left out, those of `barred` not counted.
        barred: reason → lines that are left out whatever they hold, as `sharing` finds them.

    Raises:
        InputError: there are no pairs, too many are left out, or the template does not suit them.
    """
    pairs, left_out = read_pairs(path)
    found = []
    too_long = []
    barred_lines = {line for lines in barred.values() for line in lines}
    for pair in pairs:
        if pair.line in barred_lines:
            continue
        try:
            tokens = _tokens(pair, tokenizer, stops)
        except InputError as error:
            raise InputError(str(error), path=path, line=pair.line) from None
        if tokens.length > max_tokens:
            too_long.append(pair.line)
        else:
            found.append(tokens)
    if too_long:
        left_out[f"longer than max_tokens {max_tokens}"] = tuple(too_long)
    unusable = sum(map(len, left_out.values()))
    result = Pairs(tuple(found), left_out | dict(barred))
    if not found:
        raise InputError(
            "; ".join(["no pairs to train on", *left_out_in_words(result.left_out)]), path=path
        )
    if unusable > max_left_out * result.rows:
        raise InputError(
            f"{unusable} of {result.rows} pairs cannot be used, more than "
            f"preference.max_left_out_share {max_left_out} allows: "
            + "; ".join(left_out_in_words(left_out)),
            path=path,
            fix="mend the rows, raise preference.max_tokens, or allow a larger share",
        )
    return result


def sharing(path: Path, protected: ProtectedTexts) -> dict[str, tuple[int, ...]]:
    """Lines of the pairs that a prompt or a response of which shares text with a protected one.

    By what they share it with, as for examples (curation/decontamination.py): the dev or test
    prompts or a benchmark's items; a pair that shares several stands under the longest.

    Raises:
        InputError: as `read_pairs`.
    """
    found: dict[str, list[int]] = defaultdict(list)
    for pair in read_pairs(path)[0]:
        shared = [
            match
            for turn in (*pair.prompt, pair.chosen, pair.rejected)
            for match in protected.shared(turn.content)
        ]
        if shared:
            worst = min(shared, key=lambda match: (-match.words, match.text.task))
            found[f"shares text with {worst.text.task}"].append(pair.line)
    return {reason: tuple(lines) for reason, lines in sorted(found.items())}


def left_out_in_words(left_out: dict[str, tuple[int, ...]]) -> list[str]:
    """Each reason with its count and first lines: `chosen equals rejected: 2 (lines 3, 9)`."""
    return [
        f"{reason}: {len(lines)} (lines {', '.join(map(str, lines[:SHOWN_LINES]))}"
        f"{', …' if len(lines) > SHOWN_LINES else ''})"
        for reason, lines in left_out.items()
    ]


def _tokens(pair: Pair, tokenizer: Any, stops: frozenset[int]) -> PairTokens:
    from jinja2 import TemplateError

    try:
        prompt = chat_tokens(pair.prompt, tokenizer, add_generation_prompt=True)
        wholes = [
            chat_tokens([*pair.prompt, answer], tokenizer)
            for answer in (pair.chosen, pair.rejected)
        ]
    except TemplateError as error:
        raise InputError(f"the model's chat template refuses the dialogue: {error}") from None
    responses = []
    for whole in wholes:
        if whole[: len(prompt)] != prompt:
            raise InputError(
                "the model's chat template renders the prompt otherwise before a response"
            )
        response = whole[len(prompt) :]
        if not stops.intersection(response):
            raise InputError("the model's chat template ends a response with no token that stops")
        # What a template writes behind it, such as a new line, the model never writes.
        end = next(place for place, token in enumerate(response) if token in stops)
        responses.append(tuple(response[: end + 1]))
    return PairTokens(tuple(prompt), *responses)
