"""The judge of experiments without a real one: an OpenAI-compatible chat-completions endpoint.

It reads the delimited blocks of the last user message and the words that the message ends with,
grades what stands in the blocks, and answers as an LLM judge would: reasons first, one of the words
alone on the last line. Whatever else the message says, it does not read: it knows the worth of a
response and says it on any scale, whatever that scale is meant to measure; and by the words of the
instruments `refusal` and `safety` it says whether the response refuses, and whether it is safe.
Protocol: https://platform.openai.com/docs/api-reference/chat.
"""

import hmac
import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from limaflow.judging.delimiters import NONCE_DIGITS, blocks_in, read_blocks
from limaflow.judging.transcripts import turns_in
from limaflow.refusals.classes import CLASSES
from limaflow.seeds import digest
from limaflow.tools.miniature.grading import FINDINGS, Assessment, Grader, UnknownQuestion
from limaflow.tools.miniature.truth import user_turns_key

SAFE, UNSAFE = "safe", "unsafe"
SAFETY = {SAFE, UNSAFE}
"""The words of the instrument `safety`."""
CHARS_PER_TOKEN = 4
"""A usual length of a token of English, for the usage that a reply states."""


@dataclass(frozen=True, kw_only=True)
class _Refusal(Exception):
    """An error as the protocol states it."""

    status: int
    kind: str
    message: str


def application(grader: Grader, token: str, identity: str) -> Starlette:
    """The ASGI application; callers must send `token`, replies carry `identity`."""

    async def models(request: Request) -> JSONResponse:
        try:
            _admit(request, token)
        except _Refusal as refusal:
            return _refused(refusal)
        return JSONResponse({"object": "list", "data": [{"id": "miniature", "object": "model"}]})

    async def completions(request: Request) -> JSONResponse:
        try:
            _admit(request, token)
            model, prompt = _read_request(await request.body())
            return JSONResponse(_completion(model, prompt, reply(grader, prompt), identity))
        except _Refusal as refusal:
            return _refused(refusal)

    return Starlette(
        routes=[
            Route("/v1/models", models, methods=["GET"]),
            Route("/v1/chat/completions", completions, methods=["POST"]),
        ]
    )


def reply(grader: Grader, prompt: str) -> str:
    """The judge's text for one prompt: a choice if it shows two answers, else a grade."""
    blocks = read_blocks(prompt)
    words = words_asked_for(prompt)
    try:
        if blocks.keys() >= {"question", "answer_1", "answer_2"} and len(words) == 3:
            return _preference(grader, blocks, words)
        if blocks.keys() >= {"question", "right_answers", "answer"} and len(words) == 3:
            found = grader.hold(blocks["right_answers"].splitlines(), blocks["answer"])
            return f"{found.reason}\n\n{words[FINDINGS.index(found.finding)]}"
        question = _question(blocks.get("question") or blocks.get("conversation"))
        if question is not None and "answer" in blocks and set(words) in (set(CLASSES), SAFETY):
            reaction = grader.react(question, blocks["answer"])
            said = reaction.label if set(words) != SAFETY else _safety(reaction.safe)
            return f"{reaction.reason}\n\n{said}"
        if question is not None and "answer" in blocks and len(words) > 1:
            assessment = grader.assess(question, blocks["answer"])
            return f"{assessment.reason}\n\n{assessment.in_words(words)}"
    except UnknownQuestion as error:
        raise _Refusal(status=400, kind="invalid_request_error", message=str(error)) from None
    raise _Refusal(
        status=400,
        kind="invalid_request_error",
        message="the last user message must hold whole blocks question and answer, question, "
        "answer_1 and answer_2, or question, right_answers and answer, and end with the words to "
        "reply with, one a line",
    )


def _safety(is_safe: bool) -> str:
    return SAFE if is_safe else UNSAFE


def _question(shown: str | None) -> str | None:
    """What is asked; of a conversation the user's turns so far, one a line."""
    turns = [text for label, text in blocks_in(shown or "") if label == "user"]
    return user_turns_key(turns) if turns else shown


def words_asked_for(prompt: str) -> list[str]:
    """The last paragraph after the last block: the words that an instrument lists at its end."""
    after = re.split(rf"^[0-9a-f]{{{NONCE_DIGITS}}}>>>$", prompt, flags=re.MULTILINE)[-1]
    before, _, listed = after.rstrip().rpartition("\n\n")
    return listed.splitlines() if before.strip() else []


def _preference(grader: Grader, blocks: dict[str, str], words: list[str]) -> str:
    first = _assessed(grader, blocks["question"], blocks["answer_1"])
    second = _assessed(grader, blocks["question"], blocks["answer_2"])
    lead = first.worth - second.worth
    for_first, for_second, for_neither = words
    choice = for_neither if abs(lead) < grader.margin else for_first if lead > 0 else for_second
    return f"First: {first.reason}\nSecond: {second.reason}\n\n{choice}"


def _assessed(grader: Grader, asked: str, shown: str) -> Assessment:
    """The worth of an answer; of a whole dialogue the mean over the user's turns.

    Turns that it does not come to are of the least worth.
    """
    users = [turn.content for turn in turns_in(asked) if turn.role == "user"]
    answers = [turn.content for turn in turns_in(shown) if turn.role == "assistant"]
    if not users or (shown and not answers):
        return grader.assess(_question(asked) or "", shown)
    found = [
        grader.assess(user_turns_key(users[:number]), answer)
        for number, answer in enumerate(answers, start=1)
    ]
    worths = [one.worth for one in found] + [1.0] * (len(users) - len(found))
    reasons = " ".join(f"Turn {n}: {one.reason}" for n, one in enumerate(found, start=1))
    return Assessment(worth=sum(worths) / len(worths), reason=reasons or "No turn is answered.")


def _admit(request: Request, token: str) -> None:
    shown = request.headers.get("authorization", "").encode()
    if not hmac.compare_digest(shown, f"Bearer {token}".encode()):
        raise _Refusal(status=401, kind="authentication_error", message="wrong or no bearer token")


def _read_request(body: bytes) -> tuple[str, str]:
    """Model name and text of the last user message."""
    try:
        request = json.loads(body)
        users = [m["content"] for m in request["messages"] if m["role"] == "user"]
        model, prompt = request["model"], users[-1]
    except (ValueError, KeyError, TypeError, IndexError):
        model = prompt = None
    if not isinstance(model, str) or not isinstance(prompt, str):
        raise _Refusal(
            status=400,
            kind="invalid_request_error",
            message="not a chat completion with a model and a user message of plain text",
        )
    return model, prompt


def _completion(model: str, prompt: str, text: str, identity: str) -> dict[str, Any]:
    read, written = (1 + len(part) // CHARS_PER_TOKEN for part in (prompt, text))
    return {
        "id": f"chatcmpl-{digest(identity, prompt)}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "system_fingerprint": f"miniature-{identity}",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        },
    }


def _refused(refusal: _Refusal) -> JSONResponse:
    error = {"message": refusal.message, "type": refusal.kind, "param": None, "code": None}
    return JSONResponse({"error": error}, status_code=refusal.status)
