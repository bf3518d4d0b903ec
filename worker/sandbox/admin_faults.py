"""The admin API: faults of calls and of the stream, gates, the door, reads that lag, the clock."""

from dataclasses import dataclass

from starlette.requests import Request

from worker.sandbox.admin_tools import (
    NotHereError,
    Routes,
    account_named,
    number,
    read_json,
    read_object,
    until,
)
from worker.sandbox.book import Book
from worker.sandbox.faults import Action, Call
from worker.sandbox.gates import Gates
from worker.sandbox.hub import Cut, Frame, Hub
from worker.sandbox.members import BadRequestError
from worker.sandbox.model import Update
from worker.sandbox.reads import Reads
from worker.sandbox.shown import update_json
from worker.sandbox.transport import Door
from worker.sandbox.traps import Deed, Fault, Faults, Thing
from worker.sandbox.values import Json, time_text, to_json


@dataclass(frozen=True, slots=True)
class AdminFaults:
    """Handlers for faults of calls."""

    book: Book
    reads: Reads
    faults: Faults[Call, Action]
    gates: Gates

    def routes(self) -> Routes:
        """Which path leads to which."""
        return (
            ("GET", "/admin/faults", self.get_faults),
            ("POST", "/admin/faults", self.post_fault),
            ("DELETE", "/admin/faults", self.delete_faults),
            ("GET", "/admin/faults/{fault_id:int}", self.get_fault),
            ("DELETE", "/admin/faults/{fault_id:int}", self.delete_fault),
            ("GET", "/admin/gates", self.get_gates),
            ("POST", "/admin/release", self.post_release),
            ("PUT", "/admin/door", self.put_door),
            ("PUT", "/admin/reads", self.put_reads),
            ("GET", "/admin/clock", self.get_clock),
            ("POST", "/admin/clock", self.post_clock),
        )

    async def get_faults(self, _request: Request) -> Json:
        """Every fault with how often it matched and fired."""
        return [fault.shown() for fault in self.faults.all()]

    async def post_fault(self, request: Request) -> Json:
        """Set a fault."""
        return self.faults.add(await read_json(request)).shown()

    async def delete_faults(self, _request: Request) -> Json:
        """Clear all faults. Calls that suffer one already go on suffering."""
        self.faults.clear()
        return {"cleared": True}

    async def get_fault(self, request: Request) -> Json:
        """One fault; ?fired=n waits until it has fired that often, at most ?wait_s=."""
        return await _when_fired(self.faults, request)

    async def delete_fault(self, request: Request) -> Json:
        """Clear one fault."""
        return _removed(self.faults, request)

    async def get_gates(self, request: Request) -> Json:
        """Who is held, at ?gate= or at any; ?held=n waits until that many are, at most ?wait_s=."""
        gate, wanted = request.query_params.get("gate"), number(request, "held", 0)
        await until(lambda: len(self.gates.held(gate)) >= wanted, self.gates.bell, request)
        return [held.shown() for held in self.gates.held(gate)]

    async def post_release(self, request: Request) -> Json:
        """Let held calls go: all, those at a gate, or one."""
        members = await read_object(request, "release")
        gate, call_no = members.text_or_none("gate"), members.integer_or_none("call_no")
        members.finish()
        return {"released": self.gates.release(gate, call_no)}

    async def put_door(self, request: Request) -> Json:
        """Refuse connections, or hang up on them, for some seconds; or open at once."""
        members = await read_object(request, "door")
        state = members.text("state", among=("open", "refuse", "hang_up"))
        seconds = 0.0 if state == "open" else members.seconds("seconds")
        members.finish()
        surroundings = request.scope.get("state", {})
        door, own = surroundings.get("door"), surroundings.get("transport")
        if not isinstance(door, Door):
            raise BadRequestError("there is no door without a server")
        match state:
            case "refuse":
                await door.refuse(seconds, spare=own)
            case "hang_up":
                await door.hang_up(seconds, spare=own)
            case _:
                await door.open()
        return {"state": state, "seconds": seconds}

    async def put_reads(self, request: Request) -> Json:
        """Let every GET see the world as it is now for some seconds, or the truth again."""
        members = await read_object(request, "reads")
        state = members.text("state", among=("frozen", "current"))
        seconds = members.seconds("seconds") if state == "frozen" else 0.0
        members.finish()
        self.book.settle()
        if state == "frozen":
            self.reads.freeze(seconds)
        else:
            self.reads.thaw()
        return {"state": state, "seconds": seconds}

    async def get_clock(self, _request: Request) -> Json:
        """The sandbox's time."""
        return {"now": time_text(self.book.clock.now_ns())}

    async def post_clock(self, request: Request) -> Json:
        """Push the sandbox's time forward."""
        members = await read_object(request, "clock")
        seconds = members.seconds("advance_s")
        members.finish()
        self.book.clock.advance(seconds)
        self.book.settle()
        return {"now": time_text(self.book.clock.now_ns())}


@dataclass(frozen=True, slots=True)
class AdminStream:
    """Handlers for the stream and its faults."""

    book: Book
    hub: Hub

    def routes(self) -> Routes:
        """Which path leads to which."""
        return (
            ("GET", "/admin/stream", self.get_stream),
            ("PUT", "/admin/stream", self.put_stream),
            ("POST", "/admin/stream", self.post_stream),
            ("GET", "/admin/stream/faults", self.get_faults),
            ("POST", "/admin/stream/faults", self.post_fault),
            ("DELETE", "/admin/stream/faults", self.delete_faults),
            ("GET", "/admin/stream/faults/{fault_id:int}", self.get_fault),
            ("DELETE", "/admin/stream/faults/{fault_id:int}", self.delete_fault),
        )

    async def get_stream(self, request: Request) -> Json:
        """Who is connected; ?listening=n waits until that many listen, to ?account= or to any."""
        account, wanted = request.query_params.get("account"), number(request, "listening", 0)
        await until(lambda: self.hub.listening(account) >= wanted, self.hub.bell, request)
        return {
            "state": "unplugged" if self.hub.is_unplugged else "open",
            "sockets": [socket.shown() for socket in self.hub.sockets],
        }

    async def put_stream(self, request: Request) -> Json:
        """Unplug the stream for some seconds, cut all sockets once, or plug it in again."""
        members = await read_object(request, "stream")
        state = members.text("state", among=("open", "unplugged", "cut"))
        seconds = members.seconds("seconds") if state == "unplugged" else 0.0
        members.finish()
        match state:
            case "unplugged":
                self.hub.unplug(seconds)
            case "cut":
                self.hub.put(Cut(None, "reset"))
            case _:
                self.hub.unplugged_until_ns = 0
        return {"state": state, "seconds": seconds}

    async def post_stream(self, request: Request) -> Json:
        """Send the sockets of an account anything: a text, any JSON, or an event of an order as it is now."""
        members = await read_object(request, "message")
        account = account_named(self.book, members.text("account")).name
        if members.has("text"):
            data = members.text("text").encode(errors="surrogatepass")
        elif members.has("json"):
            data = to_json(members.json("json"))
        else:
            data = self._event(members.text("event"), members.text("order_id"))
        members.finish()
        self.hub.put(Frame(account, data))
        return {"sockets": self.hub.listening(account)}

    def _event(self, event: str, order_id: str) -> bytes:
        self.book.settle()
        order = self.book.store.orders.get(order_id)
        if order is None:
            raise NotHereError("there is no such order")
        update = Update(event=event, order=order, at_ns=self.book.clock.now_ns())
        return to_json(update_json(update, ()))

    async def get_faults(self, _request: Request) -> Json:
        """Every fault with how often it matched and fired."""
        return [fault.shown() for fault in self.hub.faults.all()]

    async def post_fault(self, request: Request) -> Json:
        """Set a fault."""
        return self.hub.faults.add(await read_json(request)).shown()

    async def delete_faults(self, _request: Request) -> Json:
        """Clear all faults."""
        self.hub.faults.clear()
        return {"cleared": True}

    async def get_fault(self, request: Request) -> Json:
        """One fault; ?fired=n waits until it has fired that often, at most ?wait_s=."""
        return await _when_fired(self.hub.faults, request)

    async def delete_fault(self, request: Request) -> Json:
        """Clear one fault."""
        return _removed(self.hub.faults, request)


async def _when_fired(faults: Faults[Thing, Deed], request: Request) -> Json:
    fault = _fault(faults, request)
    fired = number(request, "fired", 0)
    await until(lambda: fault.fired >= fired, faults.bell, request)
    return fault.shown()


def _removed(faults: Faults[Thing, Deed], request: Request) -> Json:
    fault = _fault(faults, request)
    faults.remove(fault.fault_id)
    return fault.shown()


def _fault(faults: Faults[Thing, Deed], request: Request) -> Fault[Thing, Deed]:
    fault = faults.get(request.path_params["fault_id"])
    if fault is None:
        raise NotHereError("there is no such fault")
    return fault
