"""What an endpoint sent back, read strictly: the SDK builds its objects without checking them.

A body is a chat completion, an object of the Responses API, or an error that came with status 200.
Protocols: https://platform.openai.com/docs/api-reference/chat and …/responses.
"""

from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, WrapValidator
from pydantic.functional_validators import ModelWrapValidatorHandler

NAME_LENGTH = 200
MOST_TOKENS = 10**9
"""No reply is as long; what says so is no count."""
PASSING = (408, 409, 429)
"""Codes of errors that another call need not meet, besides those of 500 and more."""
CUT_BY_RESPONSES = {"max_output_tokens": "length", "content_filter": "content_filter"}


@dataclass(frozen=True)
class Usage:
    """How many tokens a call took, as the endpoint counted them."""

    prompt_tokens: int
    completion_tokens: int
    """With those of hidden reasoning, which some endpoints count in the total alone."""


@dataclass(frozen=True, kw_only=True)
class Completion:
    """One reply of a model."""

    text: str | None
    """None where the endpoint sent none."""
    refusal: str | None
    """What the model said in place of an answer, where the endpoint tells a refusal apart."""
    finish_reason: str | None
    """`stop`, `length`, `content_filter`, `error`; or as the endpoint says it."""
    answered_by: str
    """Model name and system fingerprint, fit to be printed."""
    usage: Usage | None
    """None where the endpoint's counts are missing or make no sense."""


@dataclass(frozen=True)
class Failure:
    """An error that came in place of a reply, with status 200."""

    message: str
    passing: bool
    """Whether another call may succeed."""


def completion_in(body: bytes) -> Completion | Failure | None:
    """What a response's body holds; None where it is nothing of the protocol."""
    body = body.removeprefix(BOM_UTF8)
    for form in (_ChatCompletion, _ResponseObject, _ErrorBody):
        try:
            return form.model_validate_json(body).read()
        except ValidationError:
            continue
    return None


def _joined(content: Any) -> Any:
    """A content as text: of a list of parts, that of the parts that hold text."""
    if not isinstance(content, list):
        return content
    return "".join(_texts(content, "text")) if content else None


def _texts(parts: list[Any], key: Literal["text", "refusal"]) -> list[str]:
    """Parts of other types, such as reasoning, are no part of the reply."""
    kinds = {"text": ("text", "output_text"), "refusal": ("refusal",)}[key]
    found = (part for part in parts if isinstance(part, dict) and part.get("type") in kinds)
    return [part[key] for part in found if isinstance(part.get(key), str)]


def _or_none(value: Any, read: ModelWrapValidatorHandler[Any]) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


Count = Annotated[int, Field(ge=0, le=MOST_TOKENS)]


class _ChatUsage(BaseModel):
    prompt_tokens: Count
    completion_tokens: Count
    total_tokens: Annotated[Count | None, WrapValidator(_or_none)] = None

    def read(self) -> Usage:
        hidden = (self.total_tokens or 0) - self.prompt_tokens
        return Usage(self.prompt_tokens, max(self.completion_tokens, hidden))


class _ResponsesUsage(BaseModel):
    input_tokens: Count
    output_tokens: Count

    def read(self) -> Usage:
        return Usage(self.input_tokens, self.output_tokens)


class _Message(BaseModel):
    content: Annotated[str | None, BeforeValidator(_joined)] = None
    refusal: Annotated[str | None, WrapValidator(_or_none)] = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _ChatCompletion(BaseModel):
    model: str | None = None
    system_fingerprint: str | None = None
    choices: list[_Choice] = Field(min_length=1)
    usage: Annotated[_ChatUsage | None, WrapValidator(_or_none)] = None

    def read(self) -> Completion:
        choice = self.choices[0]
        return Completion(
            text=choice.message.content,
            refusal=choice.message.refusal or None,
            finish_reason=choice.finish_reason,
            answered_by=_printable(self.model, self.system_fingerprint),
            usage=self.usage.read() if self.usage else None,
        )


class _Reason(BaseModel):
    reason: str | None = None


class _Output(BaseModel):
    type: str
    content: list[Any] | None = None


class _ResponseObject(BaseModel):
    object: Literal["response"]
    model: str | None = None
    status: str | None = None
    incomplete_details: _Reason | None = None
    output: list[_Output]
    usage: Annotated[_ResponsesUsage | None, WrapValidator(_or_none)] = None

    def read(self) -> Completion:
        messages = [one.content or [] for one in self.output if one.type == "message"]
        parts = [part for message in messages for part in message]
        reason = self.incomplete_details and self.incomplete_details.reason
        finish = "error" if self.status in ("failed", "cancelled") else "stop"
        return Completion(
            text="".join(_texts(parts, "text")) if parts else None,
            refusal="".join(_texts(parts, "refusal")) or None,
            finish_reason=CUT_BY_RESPONSES.get(reason, reason) if reason else finish,
            answered_by=_printable(self.model),
            usage=self.usage.read() if self.usage else None,
        )


class _Error(BaseModel):
    message: str = "it gave no reason"
    code: Any = None


class _ErrorBody(BaseModel):
    error: _Error | str

    def read(self) -> Failure:
        if isinstance(self.error, str):
            return Failure(self.error, passing=True)
        code = self.error.code
        passing = code in PASSING or code is None or (isinstance(code, int) and code >= 500)
        shown = "" if code is None else f" ({code})"
        return Failure(f"{self.error.message}{shown}", passing)


def _printable(*names: str | None) -> str:
    named = " ".join(name for name in names if name)
    return "".join(sign for sign in named if sign.isprintable())[:NAME_LENGTH]
