"""What is checked: which promises hold in which worlds, which are lost, and which bugs spin must find."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.model.spin import check_always, check_eventually

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.model.spin import Checked

PAGE = (Path(__file__).parents[2] / "docs" / "model.md").read_text()

ALWAYS = {
    "one_order": "there is never more than one order",
    "submitted_is_true": "when the decision is submitted, there is an order",
    "no_is_true": "when it is refused, lapsed or withdrawn, there is no order and none comes into being",
    "clean_no_is_true": "the same of a decision that is clean",
    "answered_no_is_true": "the same of a decision whose submits were all answered, none lost",
    "order_is_not_forgotten": "once an order was reported, by whomever, the decision is submitted for good",
    "taken_is_not_denied": "once the broker's word that the id is taken counted, the answer is never no",
    "own_refusal_is_not_believed": "a refusal given when there was an order already is never the verdict",
}
EVENTUALLY = {
    "doubt_ends": "once faults stop, the decision settles",
    "doubt_ends_unless_taken": "the same, unless the broker says that the id is taken and shows no order",
    "order_is_noticed": "once faults stop, an order that exists makes the decision submitted",
}

ALL = tuple(ALWAYS)
COME_WHAT_MAY = ("submitted_is_true", "clean_no_is_true", "order_is_not_forgotten", "taken_is_not_denied")

ANYTHING = ("FREEZES", "DAWDLES", "STALE_READS", "LIES_429")
FORGETFUL_SETTING = "BROKER_REMEMBERS_IDS=false"


@dataclass(frozen=True, slots=True)
class Run:
    """One check: these promises in this world hold, or, when `lost`, the one of them does not."""

    name: str
    world: tuple[str, ...]
    promises: tuple[str, ...]
    lost: bool = False

    @property
    def defines(self) -> Mapping[str, str]:
        """The world as the model is told of it."""
        return {name: value for name, _, value in (given.partition("=") for given in self.world)}

    @property
    def promised(self) -> str:
        """The promises as the page names them."""
        missing = [promise for promise in ALL if promise not in self.promises]
        if len(missing) <= 1:
            return " but ".join(("the first eight", *missing))
        return ", ".join(self.promises)

    def check(self, *, workers: int = 2) -> Checked:
        """Have spin check it, with two workers or three."""
        world = {**self.defines, "WORKERS": str(workers)}
        if self.promises[0] in EVENTUALLY:
            return check_eventually(world, self.promises[0])
        return check_always(world, self.promises, shortest=self.lost)


PROOFS = (
    Run("whatever_happens", ANYTHING, ("one_order", *COME_WHAT_MAY)),
    Run("own_refusals", ("FREEZES", "DAWDLES", "LIES_429"), ("own_refusal_is_not_believed",)),
    Run("forgetful", ("FORGETS",), ALL),
    Run(
        "forgetful_and_frozen",
        ("FORGETS", "FREEZES", FORGETFUL_SETTING),
        tuple(promise for promise in ALL if promise != "no_is_true"),
    ),
    Run("forgetful_whatever_happens", ("FORGETS", *ANYTHING), COME_WHAT_MAY),
    Run("lying_429", ("FORGETS", "LIES_429", "PROMPT_READS"), ALL),
    Run("settles", ("FREEZES", "CALMS"), ("doubt_ends",)),
    Run("settles_blindly", ("BLIND_READS", "CALMS"), ("doubt_ends_unless_taken",)),
    Run("reconciled", ("FREEZES", "RECONCILES", "CALMS"), ("order_is_noticed",)),
)

LOST = (
    Run("frozen_and_sent_again", ("FORGETS", "FREEZES", "PROMPT_READS"), ("one_order",), lost=True),
    Run(
        "sent_long_before",
        ("FORGETS", "DAWDLES", "PROMPT_READS", FORGETFUL_SETTING),
        ("one_order",),
        lost=True,
    ),
    Run("blind_both_ways", ("FORGETS", "STALE_READS", FORGETFUL_SETTING), ("one_order",), lost=True),
    Run("lying_429_and_slow_reads", ("FORGETS", "LIES_429", FORGETFUL_SETTING), ("one_order",), lost=True),
    Run("frozen_and_given_up", ("FREEZES", "PROMPT_READS", FORGETFUL_SETTING), ("no_is_true",), lost=True),
    Run("sent_long_before_and_given_up", ("DAWDLES", "PROMPT_READS"), ("no_is_true",), lost=True),
    Run("blind_and_given_up", ("STALE_READS",), ("no_is_true",), lost=True),
    Run("lying_429_and_given_up", ("LIES_429",), ("no_is_true",), lost=True),
    Run("not_reconciled", ("FREEZES", "CALMS"), ("order_is_noticed",), lost=True),
    Run("taken_and_never_shown", ("BLIND_READS", "CALMS"), ("doubt_ends",), lost=True),
)


def _bug(name: str, promise: str, *world: str) -> Run:
    return Run(name.lower(), (*world, f"BUG_{name}"), (promise,), lost=True)


BUGS = (
    _bug("NO_FENCE", "one_order", "FORGETS"),
    _bug("CLAIM_TAKES_NOTHING", "one_order", "FORGETS"),
    _bug("DEADLINE_UNCHECKED", "one_order", "FORGETS"),
    _bug("TIMEOUT_IS_FAILURE", "one_order", "FORGETS"),
    _bug("LOST_IS_UNSENT", "one_order", "FORGETS"),
    _bug("NO_QUIET", "one_order", "FORGETS"),
    _bug("ONE_404", "one_order", "FORGETS"),
    _bug("NO_LIST", "one_order", "FORGETS"),
    _bug("ERROR_IS_ABSENCE", "one_order", "FORGETS"),
    _bug("WITHDRAWN_IN_DOUBT", "no_is_true", "FORGETS"),
    _bug("PROOF_GOES_ON", "one_order", "FORGETS", "FREEZES", FORGETFUL_SETTING),
    _bug("QUIET_SINCE_GRANT", "one_order", "FORGETS", "FREEZES", FORGETFUL_SETTING),
    _bug("CLEAN_IGNORED", "own_refusal_is_not_believed", "FREEZES", "DAWDLES", "LIES_429"),
    _bug("CLEAN_AGAIN", "clean_no_is_true", *ANYTHING),
    _bug("CLEAN_AFTER_429", "clean_no_is_true", *ANYTHING),
    _bug("TAKEN_IS_REFUSED", "taken_is_not_denied", *ANYTHING),
    _bug("LATE_ORDER_DROPPED", "order_is_not_forgotten", *ANYTHING),
    _bug("NO_LOOKUP_AFTER_429", "one_order", "FORGETS", "LIES_429", "PROMPT_READS"),
    _bug("NEVER_SWEPT", "doubt_ends", "FREEZES", "CALMS"),
)

RUNS = (*PROOFS, *LOST, *BUGS)
