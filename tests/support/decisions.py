"""Decisions for tests that count or measure many lives: alike but for what tells them apart."""

from __future__ import annotations


def a_limit_order(
    number: int, *, strategy_id: str, symbol: str, event_ts: str, limit_price: str, **others: object
) -> dict[str, object]:
    """A plain limit order for ten shares; `number` makes it a decision of its own. others: more members."""
    return {
        "strategy_id": strategy_id,
        "symbol": symbol,
        "event_ts": event_ts,
        "timeframe": "1Min",
        "leg": str(number),
        "action": "buy",
        "qty": "10",
        "order_type": "limit",
        "limit_price": limit_price,
        **others,
    }
