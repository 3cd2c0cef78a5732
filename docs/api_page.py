"""Write docs/api.md from the docstrings of `limaflow.api`: `python docs/api_page.py`."""

import inspect
from pathlib import Path

from limaflow import api

PAGE = Path(__file__).with_name("api.md")
HEAD = """# Python interface

What `limaflow` offers without the workflow: `pip install` the checkout and import from
`limaflow.api`. `python docs/api_page.py` makes this page from the docstrings; a test holds it to
them.

```python
from pathlib import Path
from limaflow.api import Resampling, preferences, read_verdicts

verdicts = read_verdicts(Path("verdicts.csv"))
resampling = Resampling(rounds=2000, confidence=0.95, seed=1)
for p in preferences(verdicts, rule="strict", resampling=resampling):
    print(p.comparison, p.judge, p.win, p.tie, p.lose)
```
"""


def page() -> str:
    """The whole page: functions first, then the records that they take and give."""
    named = {name: getattr(api, name) for name in api.__all__}
    functions = {name: value for name, value in named.items() if inspect.isfunction(value)}
    classes = {name: value for name, value in named.items() if inspect.isclass(value)}
    parts = [HEAD, "## Functions\n", *map(entry, functions.values())]
    parts += ["## Records\n", *map(entry, classes.values())]
    return "\n".join(parts)


def entry(value: type | object) -> str:
    """One heading with the signature and the docstring."""
    name = getattr(value, "__name__", "")
    where = f"`{getattr(value, '__module__', '')}`"
    text = inspect.getdoc(value) or ""
    shown = "" if inspect.isclass(value) else f"```python\n{name}{signature(value)}\n```\n\n"
    return f"### {name}\n\n{shown}{text}\n\nIn {where}.\n"


def signature(value: object) -> str:
    """The parameters, one a line."""
    found = inspect.signature(value)  # type: ignore[arg-type]
    lines, keyword = [], False
    for parameter in found.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword:
            lines.append("*")
            keyword = True
        lines.append(str(parameter))
    result = found.return_annotation
    shown = result if isinstance(result, str) else inspect.formatannotation(result)
    return "(\n" + "".join(f"    {line},\n" for line in lines) + f") -> {shown}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
