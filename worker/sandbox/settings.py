"""How this Alpaca behaves where the sources are silent or contradict each other."""

from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Final

from worker.sandbox.members import BadRequestError, Members
from worker.sandbox.values import Json, decimal_text

CHECKS: Final = ("buying_power", "quantity", "wash_trade", "uniqueness")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every switch, with the best known behaviour as its default."""

    # Which checks of the account run, in this order. Recorded behaviour suggests uniqueness last [X]; what is
    # left out is not checked (without 'uniqueness' the venue forgets ids at once).
    checks: tuple[str, ...] = CHECKS
    uniqueness: str = "forever"  # or 'active': only ids of open orders are taken (LEARN's claim, unmeasured)
    duplicate_status: int = 422  # [M REC]; 409 is a third-party claim
    duplicate_code: int = 40010001  # [M REC, LEARN]; 42210000 was recorded too
    rewrite_buy_stop: bool = True  # a buy stop becomes a stop limit [D]
    market: str = "open"  # closed: orders queue as accepted [D/M]
    # What happens after an answer; null: it never does.
    accept_after_ms: int | None = 4  # pending_new becomes new [M REC]; 0: it is new in the answer already
    cancel_after_ms: int | None = 4  # pending_cancel becomes canceled
    replace_after_ms: int | None = 4  # pending_replace becomes replaced
    shift_submitted_at: bool = True  # submitted_at moves at acceptance [M REC]
    repeat_cancel_status: int = 204  # a DELETE of a canceled order [M]; the documents say 422
    replace_client_order_id: str = "new"  # without one in the PATCH [OAS26]; or 'kept' from the old order
    replace_filled: str = "anew"  # the whole qty is to be filled [I Alpaca-API#165]; or 'carried' over
    stop_leg: str = "held"  # a stop loss beside a take profit, until its price comes [I]; or 'new'
    # Fills and positions
    fill_delay_ms: int = 0  # how much later than the order an activity shows
    activity_busts: str = "shown"  # as activities of their own [X]; or 'hidden'
    crypto_fee: Decimal = Decimal(0)  # the part of each bought coin that is taken as a fee [D/M]
    # The stream, the rate limit
    stream_frames: str = "binary"  # as paper sends them; live sends 'text' [D WS]
    rate_limit: int = 200  # requests a window and key [D/I]; 0: no limit and no headers
    rate_window_s: int = 60
    rate_window: str = "fixed"  # or 'sliding'


def read_settings(now: Settings, members: Members) -> Settings:
    """The settings with those changed that are named. Raises BadRequestError."""
    take, number = members.text, members.integer
    settings = replace(
        now,
        checks=_checks(members.json("checks")) if members.has("checks") else now.checks,
        uniqueness=take("uniqueness", now.uniqueness, among=("forever", "active")),
        duplicate_status=number("duplicate_status", now.duplicate_status, least=400),
        duplicate_code=number("duplicate_code", now.duplicate_code),
        rewrite_buy_stop=members.flag("rewrite_buy_stop", default=now.rewrite_buy_stop),
        market=take("market", now.market, among=("open", "closed")),
        accept_after_ms=_delay(members, "accept_after_ms", now.accept_after_ms),
        cancel_after_ms=_delay(members, "cancel_after_ms", now.cancel_after_ms),
        replace_after_ms=_delay(members, "replace_after_ms", now.replace_after_ms),
        shift_submitted_at=members.flag("shift_submitted_at", default=now.shift_submitted_at),
        repeat_cancel_status=number("repeat_cancel_status", now.repeat_cancel_status, least=200),
        replace_client_order_id=take(
            "replace_client_order_id", now.replace_client_order_id, among=("new", "kept")
        ),
        replace_filled=take("replace_filled", now.replace_filled, among=("anew", "carried")),
        stop_leg=take("stop_leg", now.stop_leg, among=("held", "new")),
        fill_delay_ms=number("fill_delay_ms", now.fill_delay_ms),
        activity_busts=take("activity_busts", now.activity_busts, among=("shown", "hidden")),
        crypto_fee=_fraction(members.decimal("crypto_fee")) if members.has("crypto_fee") else now.crypto_fee,
        stream_frames=take("stream_frames", now.stream_frames, among=("binary", "text")),
        rate_limit=number("rate_limit", now.rate_limit),
        rate_window_s=number("rate_window_s", now.rate_window_s, least=1),
        rate_window=take("rate_window", now.rate_window, among=("fixed", "sliding")),
    )
    members.finish()
    return settings


def settings_json(settings: Settings) -> dict[str, Json]:
    """Every setting by its name."""
    shown: dict[str, Json] = dict(asdict(settings))
    shown["checks"] = list(settings.checks)
    shown["crypto_fee"] = decimal_text(settings.crypto_fee)
    return shown


def stored_settings(stored: dict[str, Json]) -> Settings:
    """The settings of an earlier life, over the defaults."""
    return read_settings(Settings(), Members(stored, "settings"))


def _checks(value: Json) -> tuple[str, ...]:
    names = tuple(str(name) for name in value) if isinstance(value, list) else ("",)
    if not set(names) <= set(CHECKS) or len(set(names)) != len(names):
        raise BadRequestError(f"settings.checks must be a list of some of {', '.join(CHECKS)}, each once")
    return names


def _delay(members: Members, name: str, now: int | None) -> int | None:
    return members.integer_or_none(name) if members.has(name) else now


def _fraction(value: Decimal) -> Decimal:
    if not 0 <= value < 1:
        raise BadRequestError("settings.crypto_fee must be a fraction of one")
    return value
