"""What a seed decides once: the accounts with their brokers, how bad things get, and how people are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulator.world import World

Settings = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a broker keeps of a client_order_id, and what its account believes of that."""

    name: str
    unique: str
    """forever, active (while its order is open) or never."""
    believed: bool
    """The account's broker_remembers_ids."""
    longest_lag_s: float
    """For so long a read may not show what has been written."""
    latest_arrival_s: float
    """After the claim: a call that was given up may still arrive."""
    latest_lost_arrival_s: float
    """The same for a call whose worker froze or died, and that nobody has answered."""

    @property
    def doubles(self) -> bool:
        """Whether a second order of a decision can happen: then it must be found and halt the account."""
        return self.unique != "forever" and self.believed


REMEMBERS = Memory(
    name="remembers",
    unique="forever",
    believed=True,
    longest_lag_s=240,
    latest_arrival_s=300,
    latest_lost_arrival_s=1800,
)
FORGETS = Memory(
    name="forgets",
    unique="never",
    believed=False,
    longest_lag_s=40,
    latest_arrival_s=70,
    latest_lost_arrival_s=1800,
)
FORGETS_WHEN_CLOSED = Memory(
    name="forgets when closed",
    unique="active",
    believed=False,
    longest_lag_s=40,
    latest_arrival_s=70,
    latest_lost_arrival_s=1800,
)
FORGETS_UNKNOWN = Memory(
    name="forgets, and nobody knows",
    unique="never",
    believed=True,
    longest_lag_s=40,
    latest_arrival_s=70,
    latest_lost_arrival_s=600,
)
MEMORIES = (REMEMBERS, REMEMBERS, REMEMBERS, FORGETS, FORGETS_WHEN_CLOSED, FORGETS_UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountProfile:
    """An account, its settings, and the broker behind it."""

    name: str
    live: bool
    memory: Memory
    checks_come_first: bool
    """Whether the broker looks at buying power before it looks at the id."""
    says_limits: bool
    """Whether answers carry the rate-limit headers."""
    skew_s: float
    rests_s: float
    settings: Settings
    ceiling: int | None = None
    """The largest position in a symbol; it stands from the beginning to the end."""
    ceiling_of_strategy: int | None = None
    """The largest position of each strategy in a symbol, likewise."""
    exposure: int | None = None
    """The most dollars in all symbols together, likewise."""
    sells_short: bool = True
    odd: bool = False
    """Whether orders live through rare statuses, and trade once more after they were canceled."""
    before: dict[str, list[object]] = field(default_factory=dict)
    """What settings were before they were changed."""

    @property
    def broker_account_id(self) -> str:
        """What the broker calls the account."""
        return f"broker-{self.name}"

    def seconds(self, setting: str) -> float:
        """A setting that is a time."""
        return float(str(self.settings[setting]).removesuffix(" seconds"))

    def number(self, setting: str) -> int:
        """A setting that is a number."""
        return int(str(self.settings[setting]))

    def change(self, setting: str, value: object) -> None:
        """An operator changes a setting."""
        self.before.setdefault(setting, []).append(self.settings[setting])
        self.settings[setting] = value

    def ever(self, setting: str) -> list[float]:
        """What a setting is and was."""
        values = [self.settings[setting], *self.before.get(setting, [])]
        return [float(str(value).removesuffix(" seconds")) for value in values]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many do how much at a time."""

    batches: tuple[int, ...]
    """Decisions that a strategy delivers together."""
    symbols: tuple[str, ...]
    slots: int
    gathers_s: tuple[float, float]
    """For so long a worker lets answers gather."""
    poll_s: float
    """A worker that nothing wakes looks for work at the latest then."""
    roughness: tuple[float, ...]
    stimulus_every_s: tuple[float, ...]
    rests_s: float
    """How long an order with a limit waits for a trade, on average."""
    unheard: float
    """How many messages of a stream get lost at least."""
    likelier: dict[str, float]
    """What is thrown in more often, or less, than usual."""
    limits: tuple[tuple[str, int], ...]
    """Ceilings that operators set."""
    settings: dict[str, tuple[int, ...]]
    mixed: bool = False
    """Orders of every kind, settings that change, limits that must hold."""


SYMBOLS = ("AAPL", "AMD", "AMZN", "COST", "GOOG", "IBM", "INTC", "JPM", "KO", "META", "MSFT", "NVDA", "ORCL",
           "PEP", "TSLA", "XOM", "BTC/USD", "ETH/USD")  # fmt: skip
DENSE = Scale(
    batches=(1, 2, 4, 8, 12),
    symbols=SYMBOLS,
    slots=16,
    gathers_s=(0.01, 1.5),
    poll_s=30,
    roughness=(0.03, 0.1, 0.2, 0.4),
    stimulus_every_s=(60, 120, 240),
    rests_s=240,
    unheard=0.6,
    likelier={},
    limits=(("order_quantity", 15), ("open_orders", 6), ("orders_a_day", 400)),
    settings={
        "max_in_doubt": (3, 10, 20),
        "reconcile_every": (180, 600, 1200, 1800),
        "positions_every": (1700, 3700),
        "rate_limit": (30, 60, 200),
    },
)
"""Something happens all the time, and little at once."""
WIDE = Scale(
    batches=(50, 100, 150, 200, 300),
    symbols=(*SYMBOLS, *(f"W{a}{b}" for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in "ABCDEFGHIJKLMNOP")),
    slots=256,
    gathers_s=(1, 3),
    poll_s=600,
    roughness=(0.003, 0.01, 0.03),
    stimulus_every_s=(600,),
    rests_s=8,
    unheard=0.97,
    likelier={"propose": 0.12, "look around": 4},
    limits=(("order_quantity", 18), ("open_orders", 200), ("orders_a_day", 4000)),
    settings={
        "max_in_doubt": (50, 200, 300),
        "reconcile_every": (3600, 7200),
        "positions_every": (7300, 14500),
        "rate_limit": (1000, 3000, 6000),
    },
)
"""Many at once, between long stretches in which little happens."""
FIRST_WIDE = 1000
"""Seeds from here on are wide."""
MIXED = replace(
    DENSE,
    batches=(2, 4, 8, 16),
    symbols=("AAPL", "GOOG", "KO", "MSFT", "BTC/USD"),
    roughness=(0.01, 0.03, 0.1, 0.2),
    limits=(("order_quantity", 15), ("open_orders", 40), ("orders_a_day", 400)),
    mixed=True,
)
"""Few symbols, and orders of every kind in each; settings change and limits must hold."""
FIRST_MIXED = 5000
"""Seeds from here on are mixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A seed."""

    scale: Scale
    accounts: tuple[AccountProfile, ...]
    workers: int
    roughness: float
    """How often something goes wrong, from 0 to 1."""
    fails_over: bool
    streams: bool
    stimulus_every_s: float


def of_seed(world: World) -> Profile:
    """Throw the dice of a seed."""
    dice = world.dice("profile")
    scale = MIXED if world.seed >= FIRST_MIXED else WIDE if world.seed >= FIRST_WIDE else DENSE
    fails_over = dice.random() < 0.25
    names = ("alpha", "beta")[: 1 + (dice.random() < 0.4)]
    return Profile(
        scale=scale,
        accounts=tuple(_account(world, name, scale, fails_over=fails_over) for name in names),
        workers=dice.choice((1, 2, 2, 3)),
        roughness=dice.choice(scale.roughness),
        fails_over=fails_over,
        streams=dice.random() < 0.5,
        stimulus_every_s=dice.choice(scale.stimulus_every_s),
    )


def _account(world: World, name: str, scale: Scale, *, fails_over: bool) -> AccountProfile:
    dice = world.dice("account", name)
    # what a failover loses, only a broker that remembers can make good
    memory = REMEMBERS if fails_over else dice.choice(MEMORIES)
    live = name == "beta"
    settings: Settings = {
        "send_within": "5 seconds",
        "call_timeout": "10 seconds",
        "answer_grace": "5 seconds",
        "absence_quiet": "60 seconds",
        "absence_spacing": "30 seconds",
        "max_decision_age": f"{dice.choice((300, 900, 900, 2400))} seconds",
        "max_in_doubt": dice.choice(scale.settings["max_in_doubt"]),
        "max_submits": dice.choice((2, 3)),
        "on_absent": dice.choice(("resubmit", "resubmit", "lapse")),
        "broker_remembers_ids": memory.believed,
        "crowd_size": dice.choice((2, 10)),
        "crowd_lookup_wait": "60 seconds",
        "reconcile_every": f"{dice.choice(scale.settings['reconcile_every'])} seconds",
        "positions_every": f"{dice.choice(scale.settings['positions_every'])} seconds",
        "on_foreign_order": dice.choice(("ignore", "warn", "halt")),
        "rate_limit": dice.choice(scale.settings["rate_limit"]),
    }
    if scale is WIDE:
        settings["burst"] = int(str(settings["rate_limit"])) // 3
    if scale.mixed:
        settings |= {
            "one_decision_per_signal": True,
            "risk_engine": dice.choice(("builtin", "builtin", "external")),
        }
    if live:
        settings["broker_account_id"] = f"broker-{name}"
    return AccountProfile(
        name=name,
        live=live,
        memory=memory,
        checks_come_first=dice.random() < 0.5,
        says_limits=dice.random() < 0.5,
        skew_s=dice.uniform(-0.5, 0.5),
        rests_s=scale.rests_s,
        settings=settings,
        ceiling=dice.choice((None, 20, 50)) if scale.mixed else None,
        ceiling_of_strategy=dice.choice((None, None, 15)) if scale.mixed else None,
        exposure=dice.choice((None, 4000, 10000)) if scale.mixed else None,
        odd=scale.mixed,
        sells_short=not scale.mixed or dice.random() < 0.5,
    )
