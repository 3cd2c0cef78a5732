"""What the calls of this process to endpoints cost: each is paid in one place, and summed here."""

_paid: list[float] = []


def add(cost: float) -> None:
    """Count one call, in the currency of the endpoint's prices."""
    _paid.append(cost)


def total() -> float | None:
    """The sum; None where no call was made."""
    return sum(_paid) if _paid else None
