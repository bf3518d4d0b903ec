"""Arguments for every public function: what belongs there, what nearly does, and anything else."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from tests.fuzz.edges import DECIMALS, HEADERS, INTERVALS, MOMENTS, NUMERICS, PRICES, SETTINGS, TIMES

if TYPE_CHECKING:
    from collections.abc import Mapping

Document = dict[str, object]

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10**20),
    TEXTS,
    st.floats(allow_nan=False, allow_infinity=False),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=10,
)

OPTIONAL = ("p_cursor", "p_strategy_id", "p_from_at")
SOUND: dict[str, object] = {
    "p_account": "paper",
    "p_accounts": ["paper"],
    "p_reason": "why not",
    "p_resolution": "looked at",
    "p_evidence": Jsonb({"broker_order_id": "o-new"}),
    "p_how_many": 5,
    "p_qty": "3",
    "p_ceiling": "3",
    "p_kind": "split",
    "p_limit_kind": "order_quantity",
    "p_login": "postgres",
    "p_settings": Jsonb({"max_in_doubt": 5}),
    "p_connected": True,
    "p_symbol": "GOOG",
    "p_before": "2026-02-01T00:00:00Z",
    "p_calls": 100,
}


@dataclass(frozen=True, slots=True)
class Pools:
    """What is there to be named: a caller who is nearly right is more dangerous than one who is not."""

    accounts: list[str]
    hashes: list[str]
    requests: list[str]
    orders: list[str]
    worker: int

    def order(self) -> st.SearchStrategy[Document]:
        """An order as the broker shows it, more or less."""
        sound: dict[str, st.SearchStrategy[object]] = {
            "id": st.sampled_from([*self.orders, "o-new", ""]),
            "client_order_id": st.sampled_from([*self.hashes, "by-hand", "0" * 64]),
            "status": st.sampled_from(["new", "filled", "canceled", "replaced", "unheard of", ""]),
        }
        more: dict[str, st.SearchStrategy[object]] = {
            "symbol": st.sampled_from(["GOOG", "BTC/USD", ""]),
            "side": st.sampled_from(["buy", "sell", "neither"]),
            "type": st.sampled_from(["market", "limit"]),
            "time_in_force": st.just("day"),
            **dict.fromkeys(PRICES, DECIMALS),
            "qty": DECIMALS,
            "filled_qty": DECIMALS,
            "filled_avg_price": DECIMALS,
            "submitted_at": TIMES,
            "updated_at": TIMES,
            "replaces": st.sampled_from([None, *self.orders]),
            "replaced_by": st.sampled_from([None, *self.orders]),
            "legs": st.one_of(st.none(), st.just([]), st.just([{"id": "leg"}]), ANYTHING),
        }
        return st.fixed_dictionaries(sound, optional=more)

    def body(self) -> st.SearchStrategy[bytes]:
        """The body of a response, or a message of the stream."""
        fill = st.fixed_dictionaries(
            {
                "id": st.sampled_from(["1::a", "2::b"]),
                "type": st.sampled_from(["fill", "trade_bust", "other"]),
            },
            optional={
                "order_id": st.sampled_from(self.orders),
                "symbol": st.just("GOOG"),
                "side": st.sampled_from(["buy", "sell_short"]),
                "qty": DECIMALS,
                "price": DECIMALS,
                "transaction_time": TIMES,
                "previous_execution_id": st.just("a"),
            },
        )
        position = st.fixed_dictionaries(
            {"symbol": st.sampled_from(["GOOG", "BTC/USD", "BTCUSD"]), "qty": DECIMALS},
            optional={
                "side": st.sampled_from(["long", "short"]),
                "avg_entry_price": DECIMALS,
                "current_price": DECIMALS,
            },
        )
        refusal = st.fixed_dictionaries(
            {
                "code": st.sampled_from([40310000, 40410000, 42210000, 42910000, "x"]),
                "message": st.sampled_from(
                    ["order not found", "client_order_id must be unique", "rate limit"]
                ),
            }
        )
        update = self.order().map(
            lambda order: {"stream": "trade_updates", "data": {"event": "fill", "order": order}}
        )
        documents = st.one_of(
            self.order(),
            st.lists(self.order(), max_size=3),
            st.lists(fill, max_size=3),
            st.lists(position, max_size=3),
            refusal,
            update,
            ANYTHING,
        )
        return st.one_of(
            documents.map(lambda document: json.dumps(document).encode()), st.binary(max_size=30)
        )

    def answers(self) -> st.SearchStrategy[list[object]]:
        """Answers as a worker might report them, and as none would."""
        report = st.fixed_dictionaries(
            {"request_id": st.sampled_from([*self.requests, "00000000-0000-4000-8000-000000000000", "x"])},
            optional={
                "sent": st.sampled_from(["yes", "yes", "no", "maybe", "perhaps"]),
                "status": st.sampled_from([200, 204, 401, 403, 404, 422, 429, 500, 0, "x"]),
                "headers": st.one_of(HEADERS, ANYTHING),
                "body": st.one_of(self.body().map(lambda body: base64.b64encode(body).decode()), TEXTS),
                "error": TEXTS,
                "elapsed_ms": st.sampled_from([5, -1, 10**12, "x"]),
            },
        )
        return st.lists(st.one_of(report, ANYTHING) if self.worker % 2 else report, max_size=4)

    def decision(self) -> st.SearchStrategy[object]:
        """A decision, more or less."""
        members: Mapping[str, st.SearchStrategy[object]] = {
            "strategy_id": st.sampled_from(["fuzz", "", "x" * 200]),
            "symbol": st.sampled_from(["GOOG", "btc/usd", " ", "\n"]),
            "event_ts": st.one_of(st.just("2026-03-02T14:30:00Z"), TIMES),
            "timeframe": st.sampled_from(["1m", ""]),
            "action": st.sampled_from(["buy", "SELL", "hold"]),
            "qty": st.one_of(st.just("1"), DECIMALS),
        }
        more: dict[str, st.SearchStrategy[object]] = {
            **dict.fromkeys(PRICES, DECIMALS),
            "trail_percent": DECIMALS,
            "reference_price": DECIMALS,
            "take_profit": st.fixed_dictionaries({}, optional={"limit_price": DECIMALS}),
            "stop_loss": st.fixed_dictionaries({}, optional=dict.fromkeys(PRICES, DECIMALS)),
            "order_type": st.sampled_from(["limit", "market", "guess"]),
            "params": ANYTHING,
            "metadata": ANYTHING,
            "decision_hash": st.sampled_from(self.hashes),
            "valid_until": TIMES,
            "limit_prize": st.just(1),
        }
        return st.one_of(st.fixed_dictionaries(dict(members), optional=more), ANYTHING)

    def of(self, function: str, name: str, kind: str, *, sound: bool) -> st.SearchStrategy[object]:
        """Values for an argument of a function. `sound`: as a caller would pass who has read the comment."""
        usual = self._usual(function, name, kind)
        if not sound:
            return st.integers(0, 9).flatmap(lambda chance: usual if chance else st.none())
        if name in OPTIONAL:
            return st.none()
        if name == "p_decision_hash":
            return st.sampled_from(self.hashes)
        if name in ("p_worker_id", "p_broker_order_id"):
            return st.just(self.worker if name == "p_worker_id" else self.orders[0])
        if name == "p_accounts" and kind == "jsonb":
            return usual
        return st.just(SOUND[name]) if name in SOUND else usual

    def _usual(self, function: str, name: str, kind: str) -> st.SearchStrategy[object]:
        match kind, name:
            case "text", "p_account":
                return st.sampled_from([*self.accounts, "nobody", ""])
            case "text", "p_decision_hash":
                return st.sampled_from([*self.hashes, "0" * 64, "x"])
            case "text", "p_broker_order_id":
                return st.sampled_from([*self.orders, "../etc"])
            case "text", "p_verdict":
                return st.sampled_from(["absent", "adopt", "perhaps"])
            case "text", "p_limit_kind":
                return st.sampled_from(["order_quantity", "denied_symbols", "nothing"])
            case "text", "p_kind":
                return st.sampled_from(["split", "opening", "gift"])
            case "text", "p_environment":
                return st.sampled_from(["paper", "live", "moon"])
            case "text", _:
                return st.one_of(st.just("why-not"), TEXTS, st.just("x" * 5000))
            case "jsonb", "p_answers":
                return self.answers().map(Jsonb)
            case "jsonb", "p_decision":
                return self.decision().map(Jsonb)
            case "jsonb", "p_decisions":
                return st.lists(self.decision(), max_size=4).map(Jsonb)
            case "jsonb", "p_evidence":
                named = st.sampled_from(
                    [{"seen": "it"}, {"broker_order_id": "o-new"}, {"broker_order_id": self.orders[0]}]
                )
                return st.one_of(named, ANYTHING).map(Jsonb)
            case "jsonb", "p_settings":
                return st.one_of(SETTINGS, ANYTHING).map(Jsonb)
            case "jsonb", "p_accounts":
                carried = {"account": "paper", "environment": "paper"}
                return st.one_of(st.just([carried]), st.just([carried, {}]), ANYTHING).map(Jsonb)
            case "jsonb", _:
                return ANYTHING.map(Jsonb)
            case "bytea", _:
                return self.body()
            case "uuid[]", _:
                known = st.sampled_from([*self.requests, "00000000-0000-4000-8000-000000000000"])
                return st.lists(known, max_size=3).map(list)
            case "text[]", _:
                return st.lists(st.sampled_from([*self.accounts, "GOOG", ""]), max_size=3)
            case (("integer" | "bigint"), "p_worker_id"):
                return st.sampled_from([self.worker, self.worker, 0])
            case "integer", _:
                return st.sampled_from([1, 5, 0, -1, 2**31 - 1])
            case "bigint", _:
                return st.sampled_from([1, 2, 0, 2**62])
            case "numeric", _:
                return st.sampled_from(NUMERICS)
            case "boolean", _:
                return st.booleans()
            case "interval", _:
                return st.sampled_from(INTERVALS)
            case "timestamp with time zone", _:
                return st.sampled_from(MOMENTS)
            case _:
                raise AssertionError(f"{function}: no values for {name} of type {kind}")
