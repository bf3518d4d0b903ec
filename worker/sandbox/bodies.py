"""Ready-made answers for the fault `answer`: what goes wrong between a broker and its client."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from worker.sandbox import errors
from worker.sandbox.errors import ApiError
from worker.sandbox.values import Json, new_uuid, parse_json, to_json

JSON: Final = "application/json; charset=UTF-8"
HTML: Final = "text/html"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response but for the headers that every response gets."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    with_ratelimit: bool = True

    @classmethod
    def of_error(cls, error: ApiError) -> "Answer":
        """The answer that a refusal turns into."""
        return cls(error.status, error.body(), headers=tuple(error.headers.items()))


# Stands in for the true answer when a fault answers before there is one.
_NOTHING_YET: Final = Answer(200, b'{"status":"accepted"}')


def request_id() -> str:
    """X-Request-ID: 32 lower-case hex digits [D]."""
    return os.urandom(16).hex()


def _html(status: int, title: str, padding: int = 0) -> Answer:
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        f"<hr><center>nginx</center>\r\n{'<!-- padding -->' * padding}</body>\r\n</html>\r\n"
    )
    return Answer(status, page.encode(), HTML)


def _gateway(status: int, title: str) -> Callable[[Answer], Answer]:
    return lambda _truth: _html(status, f"{status} {title}")


def _error(error: ApiError) -> Callable[[Answer], Answer]:
    return lambda _truth: Answer.of_error(error)


def _insert_text(truth: Answer, raw: bytes) -> Answer:
    """Put a string member before the others of the true object."""
    rest = truth.body.removeprefix(b"{")
    return Answer(truth.status, b'{"subtag_note":"' + raw + b'",' + rest)


def _other_order(truth: Answer) -> Answer:
    """An order in every respect, but not the one that was asked for."""
    members = parse_json(truth.body)
    shown: dict[str, Json] = dict(members) if isinstance(members, dict) else {}
    shown["id"] = new_uuid()
    shown["client_order_id"] = new_uuid()
    return Answer(truth.status, to_json(shown))


BODIES: Final[dict[str, Callable[[Answer], Answer]]] = {
    # The true answer, whole or spoilt
    "truth": lambda truth: truth,
    "empty": lambda truth: Answer(truth.status, b""),
    "truncated": lambda truth: Answer(truth.status, truth.body[: len(truth.body) // 2]),
    "nul": lambda truth: _insert_text(truth, b"\\u0000"),
    "lone_surrogate": lambda truth: _insert_text(truth, b"\\ud800"),
    "raw_nul": lambda truth: _insert_text(truth, b"\x00"),
    "not_utf8": lambda truth: _insert_text(truth, b"\xff\xfe"),
    "other_order": _other_order,
    "html": lambda truth: _html(truth.status, "Something happened"),
    "huge_html": lambda truth: _html(truth.status, "Something happened", padding=65_536),
    # What a gateway says for itself
    "not_found_html": _gateway(404, "Not Found"),
    "request_timeout": _gateway(408, "Request Time-out"),
    "too_many_requests_html": _gateway(429, "Too Many Requests"),
    "bad_gateway": _gateway(502, "Bad Gateway"),
    "service_unavailable": _gateway(503, "Service Temporarily Unavailable"),
    "gateway_timeout": _gateway(504, "Gateway Time-out"),
    # What Alpaca says
    "malformed": _error(errors.malformed()),
    "unauthorized": _error(errors.unauthorized()),
    "unauthorized_with_code": _error(ApiError(401, 40110000, "request is not authorized")),
    "forbidden": _error(errors.forbidden()),
    "insufficient_buying_power": _error(
        errors.denied("insufficient buying power", buying_power="607.24", cost_basis="50007.2")
    ),
    "insufficient_qty": _error(
        errors.denied("insufficient qty available for order (requested: 1, available: 0)")
    ),
    "wash_trade": _error(
        errors.denied(
            "potential wash trade detected. use complex orders",
            reject_reason="opposite side market/stop order exists",
        )
    ),
    "order_not_found": _error(errors.order_not_found("00000000-0000-0000-0000-000000000000")),
    "endpoint_not_found": _error(errors.not_found("endpoint not found")),
    "duplicate": _error(errors.duplicate(422, 40010001)),
    "duplicate_42210000": _error(errors.duplicate(422, 42210000)),
    "duplicate_409": _error(errors.duplicate(409, 40910000)),
    "invalid_side": _error(errors.invalid("invalid side")),
    "sub_penny": _error(
        errors.unprocessable(
            "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria"
        )
    ),
    "rate_limited": _error(errors.rate_limited()),
    "rate_limited_without_code": _error(ApiError(429, None, "too many requests.")),
    "internal_error": _error(errors.internal_error()),
}


def spoilt(name: str, truth: Answer | None) -> Answer:
    """The ready-made answer of that name, given the true one if there is one yet."""
    return BODIES[name](truth or _NOTHING_YET)


_GARBAGE: Final[dict[str, Callable[[bytes], bytes]]] = {
    "not_json": lambda _truth: b"{stream: trade_updates",
    "truncated": lambda truth: truth[: len(truth) // 2],
    "empty": lambda _truth: b"",
    "scalar": lambda _truth: b"42",
    "html": lambda _truth: _html(502, "502 Bad Gateway").body,
    "not_utf8": lambda truth: truth[:20] + b"\xff\xfe" + truth[20:],
}


def garbage(name: str, text: str | None, truth: bytes) -> bytes:
    """What a stream should never send."""
    return _GARBAGE[name](truth) if text is None else text.encode(errors="surrogatepass")
