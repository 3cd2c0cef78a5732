"""Answers classed by a sequence classifier of the user's: a folder with safetensors, no code."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from limaflow.cuda import computing_device
from limaflow.errors import InputError, listed
from limaflow.judging.instrument import question_of
from limaflow.records import Example, Grade, Response
from limaflow.refusals.classes import Class, grade_of
from limaflow.unreachable import no_model


class Classified(NamedTuple):
    """A grade for each answer, and how many answers were longer than the model reads."""

    grades: list[Grade]
    cut: int


def grades_by_classifier(
    responses: Sequence[Response],
    prompts: Mapping[str, Example] | None,
    folder: Path,
    labels: Mapping[str, Class],
    *,
    name: str,
    batch: int,
) -> Classified:
    """The class of the label with the highest score, answer by answer.

    Args:
        prompts: the model reads prompt and answer as a pair; None: the answer alone.
        labels: what each of the model's labels stands for.

    Raises:
        InputError: no such folder or no classifier in it, a label that stands for no class or is
            not the model's, or a response to another prompt.
    """
    import torch

    model, tokenizer = _loaded(folder)
    classes = _classes(model.config.id2label, labels, folder)
    limit = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", 2**31))
    found: list[Grade] = []
    cut = 0
    for start in range(0, len(responses), batch):
        chosen = responses[start : start + batch]
        texts = [
            (_prompt(r, prompts), r.text) if prompts is not None else (r.text,) for r in chosen
        ]
        columns = [list(column) for column in zip(*texts, strict=True)]
        whole = tokenizer(*columns, truncation=False)["input_ids"]
        cut += sum(len(tokens) > limit for tokens in whole)
        read = tokenizer(
            *columns,
            padding=True,
            truncation="longest_first" if len(columns) == 1 else "only_second",
            max_length=limit,
            return_tensors="pt",
        ).to(model.device)
        with torch.inference_mode():
            best = model(**read).logits.argmax(dim=-1).tolist()
        found += [
            grade_of(response, classes[place], annotator=name, kind="model")
            for response, place in zip(chosen, best, strict=True)
        ]
    return Classified(found, cut)


def _loaded(folder: Path) -> tuple[Any, Any]:
    import transformers

    if not (folder / "config.json").is_file():
        raise InputError("no config.json: not a model's folder", path=folder)
    if not any(folder.glob("*.safetensors")):
        raise InputError("holds no safetensors: other weights are not read", path=folder)
    silent: Any = transformers.utils.logging.disable_progress_bar
    silent()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model, told = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError) as error:
        raise no_model(str(folder), error) from None
    if missing := sorted(told["missing_keys"]):
        raise InputError(
            f"lacks weights of a classifier ({listed(missing, 3)}), which would be drawn at random",
            path=folder,
            fix="name a model that was trained to classify",
        )
    device: Any = computing_device()
    return model.eval().to(device), tokenizer


def _classes(
    named: Mapping[int, str], labels: Mapping[str, Class], folder: Path
) -> dict[int, Class]:
    """Place of a label among the model's → the class that it stands for."""
    if unknown := sorted(set(labels) - set(named.values())):
        raise InputError(
            f"the model has no label '{unknown[0]}'; it has {listed(named.values())}", path=folder
        )
    if unmapped := [label for label in named.values() if label not in labels]:
        raise InputError(
            f"the model's label '{unmapped[0]}' stands for no class",
            path=folder,
            fix=f"--label {unmapped[0]}=compliance, partial, refusal or no-answer",
        )
    return {int(place): labels[label] for place, label in named.items()}


def _prompt(response: Response, prompts: Mapping[str, Example]) -> str:
    if response.prompt_id not in prompts:
        raise InputError(
            f"'{response.model}' answers the prompt {response.prompt_id}, which is not among the "
            "prompts"
        )
    return question_of(prompts[response.prompt_id])
