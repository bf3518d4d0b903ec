"""One simulation: what happens by itself, what is thrown in, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg.types.json import Jsonb

from tests.simulator import profile as profiles
from tests.simulator.base import Base
from tests.simulator.book import Book, number
from tests.simulator.carrier import Carrier
from tests.simulator.ceilings import Ceilings
from tests.simulator.desk import Desk
from tests.simulator.front import Front
from tests.simulator.oracle import Oracle
from tests.simulator.people import People
from tests.simulator.reckoning import Reckoning, raise_for
from tests.simulator.world import S, ViolationError, World

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

    from tests.support.servers import TestServer

CREATE = "select orderlatch.create_account(%s, %s, %s)"
# how often each is thrown in, of all that is thrown in
STIMULI = {
    "propose": 50,
    "repeat": 6,
    "withdraw": 3,
    "withdraw and cancel": 3,
    "halt": 1.5,
    "look around": 5,
    "limit": 1,
    "kill": 1.5,
    "freeze": 1.5,
    "start": 1,
    "release": 1,
    "weather": 2.5,
    "by hand": 1.5,
    "replace by hand": 1,
    "cancel": 2,
    "bust": 1,
    "move": 0.3,
    "revoke": 0.4,
    "reconcile": 0.5,
    "drop streams": 0.7,
    "follow": 4,
    "keep state": 3,
    "fail over": 2,
}
# what mixed seeds have besides
ALSO = {
    "settings": 4,
    "engine": 10,
    "adjust": 0.4,
    "halt for a moment": 1.5,
    "keep a head": 2,
    "preview": 6,
    "ensure": 4,
    "evaluate": 3,
    "watch": 3,
    "by hand beside": 1,
    "adopt": 1,
    "week off": 0.6,
    "archive": 3,
}
LOOK_CLOSER_EVERY = 60
WEEK_S = 8 * 24 * 3600
SETTLE_S = 4 * 3600
"""Longer than a decision lives, every back-off and every proof of absence, one after the other."""


READINGS = 5
"""So many complete reads after everything has settled, and the database is the truth."""


@dataclass(frozen=True, slots=True)
class Stimulus:
    """Something that is thrown in."""

    no: int
    at: int
    kind: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a simulation came to."""

    seed: int
    steps: int
    decisions: int
    hours: float
    digest: str
    trace: list[str]
    violation: str | None
    failed_at: int
    orders: int
    calls: int


def plan(world: World, steps: int, profile: profiles.Profile) -> list[Stimulus]:
    """What is thrown in when; each is a thing of its own, so that any may be left out."""
    dice = world.dice("plan")
    at, stimuli = 20 * S, []
    known = STIMULI | (ALSO if profile.scale.mixed else {})
    kinds = [kind for kind in known if profile.fails_over or kind not in ("keep state", "fail over")]
    weights = [known[kind] * profile.scale.likelier.get(kind, 1) for kind in kinds]
    for no in range(steps):
        # everything comes in heaps
        at += round(dice.expovariate(1 / (profile.stimulus_every_s * dice.choice((0.05, 0.5, 2.45)))) * S)
        stimuli.append(Stimulus(no, at, dice.choices(kinds, weights)[0]))
    return stimuli


class Simulation:
    """A seed at work."""

    def __init__(self, server: TestServer, template: str, name: str, seed: int, steps: int) -> None:
        self._world = World(seed)
        self._steps = steps
        self._profile = profiles.of_seed(self._world)
        self._base = Base(server, template, name, self._world)
        self._books = {account.name: Book(self._world, account) for account in self._profile.accounts}
        self._oracle = Oracle(self._world, self._base, self._profile, self._books)
        if not self._profile.fails_over:
            # what was lost counts again only when it has been read
            for book in self._books.values():
                book.judge = Ceilings(book, self._oracle).judge
        front = Front(self._world, self._books)
        self._carrier = Carrier(self._world, self._base, front, self._profile, self._oracle)
        self._people = People(
            self._world, self._base, self._profile, self._books, self._oracle, self._carrier
        )
        self._desk = Desk(self._world, self._base, self._profile, self._books, self._oracle, self._people)
        self._reckoning = Reckoning(self._base, self._books, self._oracle, self._people, lost=False)
        self._kept_at: int | None = None
        self._away = 0
        """So much later is what comes after weeks in which nobody was there."""
        self._done = 0
        self._analyze_at = 50

    def run(self, only: Collection[int] | None = None) -> Result:
        """Run to the end, or to the first broken promise. `only`: what is thrown in, by number."""
        violation = None
        try:
            self._play(only)
        except ViolationError as error:
            violation = str(error)
        except psycopg.Error as error:
            violation = f"the database raised {error.sqlstate}: {error}"
        finally:
            self._base.close()
        return Result(
            seed=self._world.seed,
            steps=self._steps,
            decisions=len(self._oracle.decisions),
            hours=self._world.now / S / 3600,
            digest=self._world.digest(),
            trace=self._world.trace,
            violation=violation,
            failed_at=self._done,
            orders=sum(len(book.orders) for book in self._books.values()),
            calls=len(self._oracle.calls),
        )

    def _play(self, only: Collection[int] | None) -> None:
        for account in self._profile.accounts:
            environment = "live" if account.live else "paper"
            self._base.rows("operator", CREATE, account.name, environment, Jsonb(account.settings))
            if account.live:
                self._people.grant(account.name, 1800)
            self._desk.bound(account)
        for _ in range(self._profile.workers):
            self._carrier.start()
        for stimulus in plan(self._world, self._steps, self._profile):
            self._done = stimulus.no
            self._world.run_until(stimulus.at + self._away)
            if only is None or stimulus.no in only:
                self._throw_in(stimulus)
            if stimulus.no % LOOK_CLOSER_EVERY == LOOK_CLOSER_EVERY - 1:
                self._oracle.look_closer()
        self._settle()

    def _throw_in(self, stimulus: Stimulus) -> None:
        dice = self._world.dice("stimulus", stimulus.no, stimulus.kind)
        people, carrier = self._people, self._carrier
        match stimulus.kind:
            case "propose":
                people.propose(dice)
                self._analyze()
                if self._profile.scale.mixed:
                    self._world.after(dice.uniform(1, 200), lambda: self._desk.act("engine", dice))
            case "repeat":
                people.repeat(dice)
            case "withdraw":
                people.withdraw(dice, cancel=False)
            case "withdraw and cancel":
                people.withdraw(dice, cancel=True)
            case "halt":
                people.halt(dice)
            case "look around":
                people.look_around()
            case "limit":
                people.limit(dice)
            case "cancel":
                people.cancel(dice)
            case "revoke":
                people.revoke()
            case "reconcile":
                people.reconcile()
            case "follow":
                people.follow()
            case "drop streams":
                carrier.drop_streams()
            case "weather":
                self._weather(dice)
            case "keep state":
                self._base.keep_state()
                self._kept_at = self._world.now
                self._world.say("database", "is backed up")
            case "fail over":
                self._fail_over()
            case "kill" | "freeze" | "start" | "release":
                self._staff(stimulus.kind, dice)
            case "week off":
                self._go_away()
            case kind if kind in ALSO and kind != "by hand beside":
                self._desk.act(kind, dice)
            case _:
                self._by_hand(stimulus.kind, dice)

    def _analyze(self) -> None:
        if len(self._oracle.decisions) >= self._analyze_at:
            self._base.analyze()
            self._analyze_at = 3 * len(self._oracle.decisions)

    def _staff(self, kind: str, dice: Random) -> None:
        workers = self._carrier.workers
        if kind == "start":
            if len(workers) < 4:
                self._carrier.start()
        elif workers:
            worker = dice.choice(workers)
            match kind:
                case "kill":
                    self._carrier.kill(worker)
                case "release":
                    self._carrier.release(worker)
                case _:
                    self._carrier.freeze(worker, dice.choice((3, 12, 40, 400)))
        if not workers:
            self._world.after(dice.uniform(0.5, 60), self._replace_all)

    def _replace_all(self) -> None:
        self._carrier.start()

    def _weather(self, dice: Random) -> None:
        """The broker is away, slow or strict for a while."""
        fate = dice.choice(("unsent", "lost", "answer lost", "gateway", "500", "429", "reset", "slow"))
        chance = dice.uniform(0.3, 1) * min(1, 4 * self._profile.roughness)
        self._carrier.weather = {fate: chance}
        seconds = dice.choice((20, 90, 300, 600))
        self._world.say("broker", f"{fate} for {seconds} s, {chance:.0%}")

        def clear_up() -> None:
            self._carrier.weather.pop(fate, None)

        self._world.after(seconds, clear_up)

    def _by_hand(self, kind: str, dice: Random) -> None:
        """Somebody does something at the broker, past everything."""
        book = self._books[dice.choice(self._profile.accounts).name]
        match kind:
            case "by hand":
                body: dict[str, object] = {
                    "client_order_id": f"hand-{self._world.now}",
                    "symbol": "F",
                    "side": "buy",
                }
                book.place(body | {"qty": "3", "type": "market", "time_in_force": "day"}, by_hand=True)
            case "replace by hand":
                orders = [order for order in list(book.orders.values())[-20:] if order.now["qty"]]
                orders = [order for order in orders if order.now["status"] in ("new", "partially_filled")]
                if orders := [order for order in orders if not order.legs]:
                    book.replace_by_hand(dice.choice(orders))
            case "bust":
                trades = [trade for trade in book.trades[-30:] if not trade.undone]
                if trades:
                    book.take_back(dice.choice(trades), dice)
            case "move":
                book.moved["KO"] = book.moved.get("KO", number(0)) + 10
                book.disturbed.add("KO")
            case "by hand beside":
                kind = dice.choice(("market", "limit"))
                body = {
                    "client_order_id": f"hand-{self._world.now}",
                    "symbol": dice.choice(self._profile.scale.symbols),
                    "side": dice.choice(("buy", "sell")),
                    "qty": str(dice.randint(1, 9)),
                    "type": kind,
                    "limit_price": "101" if kind == "limit" else None,
                    "time_in_force": "gtc",
                }
                book.place(body, by_hand=True)
            case _:
                raise AssertionError(kind)

    def _go_away(self) -> None:
        """For a week no worker runs, and the broker's world goes on."""
        self._world.say("everybody", "goes away for a week")
        for worker in [*self._carrier.workers]:
            self._carrier.kill(worker)
        self._away += WEEK_S * S
        self._world.run_until(self._world.now + WEEK_S * S)
        self._carrier.start()

    def _fail_over(self) -> None:
        if self._kept_at is None or not self._base.fail_over():
            return
        since, self._kept_at = self._kept_at, None
        self._world.say("database", f"fails over and loses {(self._world.now - since) / S:.0f} s")
        self._oracle.forget_since(since)
        self._desk.forget()
        self._people.learn_halts()
        self._carrier.lose_sessions()
        self._reckoning = Reckoning(self._base, self._books, self._oracle, self._people, lost=True)
        self._people.deliver_all_again(since)

    def _settle(self) -> None:
        """Faults stop, time goes on: everything must settle in bounded time, and be the truth."""
        world = self._world
        world.calm = True
        self._carrier.weather.clear()
        world.say("everybody", "calms down")
        if not self._carrier.workers:
            self._carrier.start()
        if all(
            worker.swapped_keys or len(worker.accounts) < len(self._books) for worker in self._carrier.workers
        ):
            self._carrier.start()
        until = world.now + SETTLE_S * S
        while world.now < until:
            self._people.look_around(everything=True)
            world.run_until(world.now + 120 * S)
            if self._reckoning.is_settled() and not self._moves():
                break
        self._reckoning.insist()
        differences: list[str] = []
        cadence = max(account.seconds("reconcile_every") for account in self._profile.accounts)
        self._people.reconcile()
        for reading in range(READINGS):
            world.run_until(world.now + round((cadence + 60 if reading else 100) * S))
            self._people.look_around(everything=True)
            self._people.follow()
            differences = self._reckoning.differences()
            if not differences:
                break
        self._oracle.look_closer()
        raise_for(differences)
        self._desk.audit()

    def _moves(self) -> bool:
        return any(order.is_open for book in self._books.values() for order in book.orders.values())
