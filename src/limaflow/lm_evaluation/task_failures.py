"""What went wrong inside lm-eval, a task's own code or its data, as one clear error."""

import re
from importlib.metadata import PackageNotFoundError, requires

from limaflow.errors import InputError
from limaflow.unreachable import causes, first_line, is_network


def failure(doing: str, error: Exception) -> InputError:
    """The error for a user; `doing` names the task and what was to be done with it."""
    if isinstance(error, InputError):
        return error
    if is_network(error):
        return InputError(
            f"{doing}: the network was not reached: {first_line(error)}",
            fix="fetch the data where there is a network (`prefetch`), then run again",
        )
    for cause in causes(error):
        if isinstance(cause, ImportError):
            missing = (cause.name or "").partition(".")[0]
            extra = _extra_with(missing) if missing else ""
            package = f"the Python package '{missing}' is missing" if missing else first_line(cause)
            install = f"pip install 'lm-eval[{extra}]'" if extra else f"pip install {missing}"
            return InputError(f"{doing}: {package}", fix=install if missing else "")
    if isinstance(error, KeyError):
        return InputError(f"{doing}: it names {first_line(error)}, which its data do not have")
    return InputError(f"{doing}: {type(error).__name__}: {first_line(error)}")


def _extra_with(package: str) -> str:
    """The extra of lm-eval that brings a package; "" if none does."""
    try:
        lines = requires("lm-eval") or []
    except PackageNotFoundError:
        return ""
    wanted = re.sub(r"[-_.]+", "-", package).lower()
    for line in lines:
        name = re.match(r"[A-Za-z0-9._-]+", line)
        extra = re.search(r"extra == ['\"]([^'\"]+)['\"]", line)
        if name and extra and extra[1] not in ("dev", "testing", "all"):
            known = re.sub(r"[-_.]+", "-", name[0]).lower()
            if known == wanted or known.startswith(f"{wanted}-python"):
                return extra[1]
    return ""
