"""The rate limit of each key, and an exact count of what came in."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from worker.sandbox.clock import NS
from worker.sandbox.settings import Settings
from worker.sandbox.values import Json, time_text


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of a window, as the X-Ratelimit headers tell it."""

    limit: int
    remaining: int
    reset_at_s: int
    exceeded: bool


@dataclass(slots=True)
class _Key:
    """The requests of one key. `recent` holds no more than what one window saw."""

    requests: int = 0
    throttled: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    window: int = -1  # number of the current fixed window
    in_window: int = 0
    most_in_window: int = 0
    recent: deque[int] = field(default_factory=deque)
    most_recent: int = 0
    most_recent_at_ns: int = 0


class Rates:
    """One window for each key: fixed or sliding; every request counts, refused ones too [D/I]."""

    def __init__(self) -> None:
        self._keys: dict[str, _Key] = {}

    def spend(self, name: str, kind: str, now_ns: int, settings: Settings) -> Budget:
        """Count a request of a key, and say what is left of its window."""
        key = self._keys.get(name)
        if key is None:
            key = self._keys[name] = _Key()
        window_ns = settings.rate_window_s * NS
        key.requests += 1
        key.kinds[kind] = key.kinds.get(kind, 0) + 1
        _count_fixed(key, now_ns // window_ns)
        _count_sliding(key, now_ns, window_ns)
        limit = settings.rate_limit
        if settings.rate_window == "fixed":
            spent, reset_ns = key.in_window, (key.window + 1) * window_ns
        else:
            spent = len(key.recent)
            reset_ns = key.recent[min(spent - 1, max(0, spent - limit))] + window_ns
        exceeded = bool(limit) and spent > limit
        key.throttled += exceeded
        return Budget(limit, max(0, limit - spent), -(-reset_ns // NS), exceeded)

    def shown(self) -> dict[str, Json]:
        """For each account that a key was made for: what came in, and the fullest windows."""
        return {
            name: {
                "requests": key.requests,
                "throttled": key.throttled,
                "most_in_a_fixed_window": key.most_in_window,
                "most_in_a_sliding_window": key.most_recent,
                "fullest_sliding_window_ended_at": time_text(key.most_recent_at_ns),
                "kinds": dict(sorted(key.kinds.items())),
            }
            for name, key in sorted(self._keys.items())
        }

    def forget_everything(self) -> None:
        """Give every key a fresh window, and begin to count anew."""
        self._keys.clear()


def _count_fixed(key: _Key, window: int) -> None:
    if key.window != window:
        key.window, key.in_window = window, 0
    key.in_window += 1
    key.most_in_window = max(key.most_in_window, key.in_window)


def _count_sliding(key: _Key, now_ns: int, window_ns: int) -> None:
    """The fullest window of all ends with a request, so looking at each request finds it."""
    recent = key.recent
    recent.append(now_ns)
    while recent[0] <= now_ns - window_ns:
        recent.popleft()
    if len(recent) > key.most_recent:
        key.most_recent, key.most_recent_at_ns = len(recent), now_ns


_PATHS: Final = frozenset(
    {
        "orders", "orders:by_client_order_id", "account", "account/activities", "account/activities/FILL",
        "positions", "assets", "clock", "calendar",
    }
)  # fmt: skip


def kind_of(method: str, path: str) -> str:
    """What sort of call it is: ids and symbols left out, and of what nobody knows only that."""
    rest = path.removeprefix("/v2/")
    if rest in _PATHS:
        return f"{method} {path}"
    head = rest.partition("/")[0]
    return f"{method} /v2/{head}/*" if head in ("orders", "positions", "assets") else "other"
