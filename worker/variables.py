"""Every environment variable of the worker, told from the fields of its settings: for help and reference."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args, get_origin

from worker.settings import AccountVariables, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

_COLUMN = 36


class Variable(NamedTuple):
    """A variable, what it is for, what it may be, and what it is when unset."""

    name: str
    meaning: str
    accepts: str
    default: str


def variables() -> Iterator[Variable]:
    """Every variable that a worker reads.

    <ACCOUNT> is the name of an account in upper case, with _ for all that is neither letter nor digit.
    """
    yield Variable("DATABASE_URL", "the database; unset: the embedded one", "a Postgres connection URL", "")
    for prefix, settings in (
        ("ORDERLATCH_", Settings),
        ("ORDERLATCH_<ACCOUNT>_", AccountVariables),
    ):
        for name, told in settings.model_fields.items():
            assert told.description is not None, name
            yield Variable(f"{prefix}{name.upper()}", told.description, _accepts(told), _default(told))


def help_text() -> str:
    """The variables as `orderlatch worker --help` shows them."""
    lines = ["Carry requests to the broker and answers back, until SIGTERM or Ctrl-C.", "", "\b"]
    for each in variables():
        default = f" ({each.default})" if each.default else ""
        first, *rest = textwrap.wrap(each.meaning + default, 78 - _COLUMN)
        lines.append(f"{each.name:<{_COLUMN}}{first}")
        lines.extend(" " * _COLUMN + line for line in rest)
    return "\n".join(lines)


def _accepts(told: FieldInfo) -> str:
    """What the type and its bounds let through, as far as a few words say it."""
    bounds = [getattr(each, side) for side in ("ge", "le") for each in told.metadata if hasattr(each, side)]
    if bounds:
        return " to ".join(map(str, bounds))
    for each in (told.annotation, *get_args(told.annotation)):
        if get_origin(each) is Literal:
            return " or ".join(get_args(each))
    return ""


def _default(told: FieldInfo) -> str:
    return str(told.default) if told.default_factory is None and told.default not in (None, ()) else ""
