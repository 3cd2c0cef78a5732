"""Attacks as the configuration names them."""

from typing import Annotated

from pydantic import AfterValidator

from limaflow.attacks.wrapping import known_attack

AttackName = Annotated[str, AfterValidator(known_attack)]
