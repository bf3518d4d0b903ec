"""Gates hold calls until someone lets them go, for forced interleavings."""

import asyncio
from dataclasses import dataclass, field

from worker.sandbox.faults import Call, Gate, When
from worker.sandbox.traps import Bell
from worker.sandbox.values import Json, time_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A call that stands at a gate."""

    gate: str
    when: When
    since_ns: int
    call: Call
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def shown(self) -> dict[str, Json]:
        """Who is held, where, and since when."""
        return {
            "gate": self.gate,
            "when": self.when,
            "since": time_text(self.since_ns),
            "call_no": self.call.call_no,
            "method": self.call.method,
            "path": self.call.path,
            "account": self.call.account,
            "client_order_id": self.call.client_order_id,
        }


class Gates:
    """Calls that are held until someone lets them go, for forced interleavings."""

    def __init__(self) -> None:
        self._held: list[Held] = []
        self.bell = Bell()

    def held(self, gate: str | None = None) -> list[Held]:
        """Who is held, first come first; at one gate or at any."""
        return [held for held in self._held if gate in (None, held.gate)]

    async def hold(self, gate: Gate, call: Call, now_ns: int) -> None:
        """Stand at a gate until released. The call stays held when its client leaves."""
        held = Held(gate=gate.name, when=gate.when, since_ns=now_ns, call=call)
        self._held.append(held)
        self.bell.ring()
        try:
            await held.released.wait()
        finally:
            if held in self._held:
                self._held.remove(held)

    def release(self, gate: str | None, call_no: int | None) -> int:
        """Let go those who are held now: at one gate, of one call, or all. Returns how many."""
        freed = [held for held in self.held(gate) if call_no in (None, held.call.call_no)]
        for held in freed:
            held.released.set()
            self._held.remove(held)
        self.bell.ring()
        return len(freed)
