"""Alpaca's error answers, word for word.

The code is the HTTP status times 100,000 plus a sub-code [S convention]; 422 uses both 40010001 and 42210000.
"""

from collections.abc import Mapping

from worker.sandbox.values import Json, to_json


class ApiError(Exception):
    """A refusal: status, optional code, message, and members that ride along in the body."""

    def __init__(
        self,
        status: int,
        code: int | None,
        message: str,
        extras: Mapping[str, Json] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.extras = dict(extras or {})
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        """The JSON text. Bodies without a code are spaced and end with a newline, as measured [M]."""
        if self.code is None:
            return b'{"message": "' + self.message.encode() + b'"}\n'
        return to_json({"code": self.code, "message": self.message, **self.extras})


def malformed() -> ApiError:
    """JSON that cannot be read, or a member of a wrong type [ccxt]."""
    return ApiError(400, 40010000, "request body format is invalid")


def unauthorized() -> ApiError:
    """A bad or missing key: no code, a newline at the end [M; D]."""
    challenge = {"WWW-Authenticate": 'Bearer, Basic realm="alpaca.markets"'}
    return ApiError(401, None, "unauthorized.", headers=challenge)


def forbidden() -> ApiError:
    """A revoked key or one of another environment: 26 bytes, no code [D]."""
    return ApiError(403, None, "forbidden.")


def denied(message: str, **extras: Json) -> ApiError:
    """403 40310000: buying power, quantity, wash trade, account state [M REC, LEARN]."""
    return ApiError(403, 40310000, message, extras)


def not_found(what: str) -> ApiError:
    """404 40410000, for an unknown order as for an unknown endpoint [M]."""
    return ApiError(404, 40410000, what)


def order_not_found(reference: str) -> ApiError:
    """The one 404 that says that there is no such order [M REC]."""
    return not_found(f"order not found for {reference}")


def invalid(message: str, **extras: Json) -> ApiError:
    """422 40010001: a parameter that is missing or out of its domain [M/LEARN/ccxt/I]."""
    return ApiError(422, 40010001, message, extras)


def unprocessable(message: str, **extras: Json) -> ApiError:
    """422 42210000: parameters that do not go together or break a rule of the market [M/LEARN/OPT]."""
    return ApiError(422, 42210000, message, extras)


def duplicate(status: int, code: int) -> ApiError:
    """The id was used before. Seen as 422 with two codes [M REC, LEARN]; 409 is a third-party claim."""
    return ApiError(status, code, "client_order_id must be unique")


def rate_limited() -> ApiError:
    """429 as the trading client shows it [M]."""
    return ApiError(429, 42910000, "rate limit exceeded")


def internal_error() -> ApiError:
    """500 with Alpaca's JSON, measured on paper [M]."""
    return ApiError(500, 50010000, "internal server error occurred")
