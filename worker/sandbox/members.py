"""Reads the JSON of admin calls strictly: wrong types and unknown members are refused, by name."""

from collections.abc import Collection, Mapping
from decimal import Decimal

from worker.sandbox.values import Json, decimal_of


class BadRequestError(Exception):
    """An admin call that makes no sense; the message says why."""


class Members:
    """The members of one JSON object; `finish` refuses those that nobody asked for."""

    def __init__(self, value: Json, what: str) -> None:
        if not isinstance(value, Mapping):
            raise BadRequestError(f"{what} must be a JSON object")
        self._left = dict(value)
        self._what = what

    def has(self, name: str) -> bool:
        """Whether a member is there and not yet taken."""
        return name in self._left

    def names(self) -> list[str]:
        """The members that were not taken yet."""
        return list(self._left)

    def json(self, name: str) -> Json:
        """Any JSON; null when absent."""
        return self._left.pop(name, None)

    def text(self, name: str, default: str | None = None, *, among: Collection[str] | None = None) -> str:
        """A string, perhaps one of a few."""
        value = self._left.pop(name, default)
        if not isinstance(value, str):
            raise self._bad(name, "must be a string")
        if among is not None and value not in among:
            raise self._bad(name, f"must be one of {', '.join(sorted(among))}")
        return value

    def text_or_none(self, name: str) -> str | None:
        """A string, or None when absent or null."""
        return None if self._left.get(name) is None and self._drop(name) else self.text(name)

    def integer(self, name: str, default: int | None = None, *, least: int = 0) -> int:
        """A whole number."""
        value = self._left.pop(name, default)
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self._bad(name, f"must be a whole number of at least {least}")
        return value

    def integer_or_none(self, name: str, *, least: int = 0) -> int | None:
        """A whole number, or None when absent or null."""
        return None if self._left.get(name) is None and self._drop(name) else self.integer(name, least=least)

    def seconds(self, name: str, default: float | None = None) -> float:
        """A duration."""
        value = self._left.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not 0 <= value <= 10**9:
            raise self._bad(name, "must be a number of seconds")
        return float(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._left.pop(name, default)
        if not isinstance(value, bool):
            raise self._bad(name, "must be true or false")
        return value

    def decimal(self, name: str) -> Decimal:
        """A decimal, as a string or a number."""
        try:
            return decimal_of(self._left.pop(name, None))
        except ValueError:
            raise self._bad(name, "must be a decimal") from None

    def decimal_or_none(self, name: str) -> Decimal | None:
        """A decimal, or None when absent or null."""
        return None if self._left.get(name) is None and self._drop(name) else self.decimal(name)

    def finish(self) -> None:
        """Refuse what is left over."""
        if self._left:
            raise BadRequestError(f"{self._what} has no member {', '.join(sorted(self._left))}")

    def _drop(self, name: str) -> bool:
        self._left.pop(name, None)
        return True

    def _bad(self, name: str, rule: str) -> BadRequestError:
        return BadRequestError(f"{self._what}.{name} {rule}")
