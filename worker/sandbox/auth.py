"""Who calls: keys lead to accounts."""

import base64
import binascii
import hmac
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from worker.sandbox import errors


@dataclass(frozen=True, slots=True)
class AccountKey:
    """An account as it is given at the start. The key and the secret never reach disk, log or answer."""

    name: str
    key: str
    secret: str = field(repr=False)
    broker_account_id: str | None = None

    @classmethod
    def parse(cls, text: str) -> "AccountKey":
        """Read NAME:KEY:SECRET[:broker-account-uuid]. Raises ValueError without repeating the secret."""
        match text.split(":"):
            case [name, key, secret] if name and key and secret:
                return cls(name, key, secret)
            case [name, key, secret, account_id] if name and key and secret:
                with suppress(ValueError):
                    return cls(name, key, secret, str(uuid.UUID(account_id)))
        raise ValueError("an account is NAME:KEY:SECRET[:UUID], the UUID that of the broker account")


class KeyRing:
    """Which key opens which account."""

    def __init__(self, keys: Iterable[AccountKey]) -> None:
        self._keys = {key.key: key for key in keys}
        self._leads_to = {key.key: key.name for key in self._keys.values()}

    def caller(self, headers: Mapping[bytes, bytes]) -> tuple[str, str]:
        """Return the account that the key was made for and the one that it opens, or raise the 401.

        APCA headers or HTTP Basic [D/S OAS26, PY]; bearer tokens are not offered.
        """
        key, secret = headers.get(b"apca-api-key-id"), headers.get(b"apca-api-secret-key")
        if key is None or secret is None:
            key, secret = _basic(headers.get(b"authorization", b""))
        return self.open(key, secret)

    def open(self, key: bytes, secret: bytes) -> tuple[str, str]:
        """The same for a key and its secret."""
        known = self._keys.get(key.decode("latin-1"))
        if known is None or not hmac.compare_digest(known.secret.encode(), secret):
            raise errors.unauthorized()
        return known.name, self._leads_to[known.key]

    def swap(self, one: str, other: str) -> None:
        """Let the keys of two accounts open each other's account from now on. Raises KeyError."""
        by_name = {key.name: key.key for key in self._keys.values()}
        one_key, other_key = by_name[one], by_name[other]
        leads_to = self._leads_to
        leads_to[one_key], leads_to[other_key] = leads_to[other_key], leads_to[one_key]

    def unswap(self) -> None:
        """Let every key open its own account again."""
        self._leads_to = {key.key: key.name for key in self._keys.values()}


def _basic(header: bytes) -> tuple[bytes, bytes]:
    scheme, _, rest = header.partition(b" ")
    if scheme.lower() != b"basic":
        return b"", b""
    try:
        key, _, secret = base64.b64decode(rest, validate=True).partition(b":")
    except binascii.Error:
        return b"", b""
    return key, secret
