"""The course of one call of the trading API: note it, let faults at it, perform it, answer."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, assert_never

from worker.sandbox import errors
from worker.sandbox.auth import KeyRing
from worker.sandbox.bodies import JSON, Answer, request_id, spoilt
from worker.sandbox.book import Book, Fate
from worker.sandbox.calls import LoggedCall
from worker.sandbox.endpoints import ORDERS, Ask, Endpoints, read_query
from worker.sandbox.errors import ApiError
from worker.sandbox.faults import (
    Action,
    AnswerWith,
    Call,
    CancelEnds,
    Close,
    Delay,
    Endless,
    Fateful,
    Gate,
    Hang,
    Hide,
    LateOrder,
    Refuse,
    RejectLater,
    ReplaceEnds,
    Reset,
    StagedAction,
    When,
)
from worker.sandbox.gates import Gates
from worker.sandbox.hub import Hub
from worker.sandbox.rates import Budget, Rates, kind_of
from worker.sandbox.reads import Reads
from worker.sandbox.transport import ClientGoneError, Door, Wire
from worker.sandbox.traps import Faults
from worker.sandbox.validation import read_members
from worker.sandbox.values import Json, to_json

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

MAX_LOGGED_BODY: Final = 8192


class CutError(Exception):
    """The connection was ended by a fault: there is nobody left to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call with all that its course needs."""

    call: Call
    logged: LoggedCall
    wire: Wire
    door: Door | None
    query: dict[str, str]
    body: bytes
    members: dict[str, Json] | None
    actions: tuple[Action, ...]
    refusal: ApiError | None  # of the key
    budget: Budget | None

    @property
    def late(self) -> LateOrder | None:
        """The fault that postpones the order, if one does."""
        return next((action for action in self.actions if isinstance(action, LateOrder)), None)

    @property
    def fate(self) -> Fate:
        """What the faults have in store for an order that this call creates or changes."""
        fate = Fate()
        for action in self.actions:
            match action:
                case Hide(seconds):
                    fate = replace(fate, hide_s=max(fate.hide_s, seconds))
                case RejectLater(seconds):
                    fate = replace(fate, reject_after_s=seconds)
                case CancelEnds(outcome):
                    fate = replace(fate, cancel=outcome)
                case ReplaceEnds(outcome):
                    fate = replace(fate, replace=outcome)
        return fate

    def headers(self, answer: Answer) -> list[tuple[str, str]]:
        """X-Request-ID always, X-Ratelimit-* when the key is known [D; I staff]."""
        headers = [("X-Request-ID", request_id()), *answer.headers]
        if self.budget is not None and self.budget.limit and answer.with_ratelimit:
            left = 0 if answer.status == 429 else self.budget.remaining
            headers += [
                ("X-Ratelimit-Limit", str(self.budget.limit)),
                ("X-Ratelimit-Remaining", str(left)),
                ("X-Ratelimit-Reset", str(self.budget.reset_at_s)),
            ]
        return headers


class Trading:
    """The ASGI application under /v2."""

    def __init__(
        self,
        book: Book,
        reads: Reads,
        keys: KeyRing,
        rates: Rates,
        faults: Faults[Call, Action],
        gates: Gates,
        hub: Hub,
    ) -> None:
        self._book = book
        self._keys = keys
        self._rates = rates
        self._faults = faults
        self._gates = gates
        self._hub = hub
        self._endpoints = Endpoints(book, reads)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Take one call from its first byte to its end, whatever that is."""
        wire = Wire(scope, receive, send)
        try:
            body = await wire.body()
        except ClientGoneError:
            return
        request = self._open(scope, wire, body)
        calls = self._book.store.calls
        if request.actions:
            calls.insert(request.logged)  # before anything happens, so that a SIGKILL cannot hide it
            answer = await self._suffered(request)
        else:
            # A call that no fault hits is one transaction: fast, and a SIGKILL leaves all of it or nothing.
            with self._book.store.transaction():
                answer = self._perform(request)
                status = answer.status if answer else None
                calls.insert(replace(request.logged, ended_ns=self._book.clock.now_ns(), status=status))
        await self._hub.flush_what_is_early()
        if answer is not None:
            await wire.answer(answer, request.headers(answer))

    async def _suffered(self, request: Request) -> Answer | None:
        """The answer that faults leave to be given, if any."""
        answer = None
        try:
            answer = await self._answer(request)
        except CutError:
            return None
        finally:
            self._end(request, answer)
        return answer

    def _end(self, request: Request, answer: Answer | None) -> None:
        """Close the call's line in the log before its client can know, so that no test need wait."""
        status = None if answer is None else answer.status
        self._book.store.calls.end(request.call.call_no, self._book.clock.now_ns(), status)

    def _open(self, scope: "Scope", wire: Wire, body: bytes) -> Request:
        """Say who calls, and find the faults that hit the call."""
        now_ns = self._book.clock.now_ns()
        method, path = scope["method"], scope["path"]
        account, refusal, budget = None, None, None
        try:
            key, account = self._keys.caller(dict(scope["headers"]))
            budget = self._rates.spend(key, kind_of(method, path), now_ns, self._book.settings)
        except ApiError as error:
            refusal = error
        query_text = scope["query_string"].decode("latin-1")
        query = read_query(query_text) if query_text else {}
        members = read_members(body) if body else None
        named = members if members is not None else query
        symbols = (query.get("symbols") or "").split(",") if members is None else [_word(named.get("symbol"))]
        call = Call(
            call_no=self._book.store.calls.next_no(),
            method=method,
            path=path,
            account=account,
            symbols=frozenset(symbol for symbol in symbols if symbol),
            client_order_id=_word(named.get("client_order_id")),
        )
        hits = self._faults.fire(call)
        logged = LoggedCall(
            call_no=call.call_no,
            at_ns=now_ns,
            account=account,
            method=method,
            path=_storable(path),
            query=query_text,
            client_order_id=call.client_order_id,
            symbol=",".join(sorted(call.symbols)) or None,
            body=_storable(body[:MAX_LOGGED_BODY].decode(errors="replace")) if body else None,
            faults=",".join(str(fault.fault_id) for fault in hits),
        )
        return Request(
            call=call,
            logged=logged,
            wire=wire,
            door=scope.get("state", {}).get("door"),
            query=query,
            body=body,
            members=members,
            actions=tuple(fault.action for fault in hits),
            refusal=refusal,
            budget=budget,
        )

    async def _answer(self, request: Request) -> Answer:
        """The answer that goes out, or CutError when a fault ended the connection."""
        answer = await self._suffer(request, "before", None)
        if answer is not None:
            return answer
        truth = self._perform(request)
        self._hub.flush()  # a response that is held or lost holds nothing back
        answer = await self._suffer(request, "after", truth)
        if answer is None:
            # A late order has no answer of its own: its POST hangs unless a fault speaks for it.
            await request.wire.client_gone()
            raise CutError
        return answer

    def _perform(self, request: Request) -> Answer | None:
        """Do what was asked for. No await in here: calls cannot come between each other's checks."""
        call, account = request.call, request.call.account
        try:
            if account is None:
                raise request.refusal or errors.unauthorized()
            if request.budget is not None and request.budget.exceeded and request.budget.limit:
                raise errors.rate_limited()
            self._book.settle()
            late = request.late
            if late is not None and (call.method, call.path) == ("POST", ORDERS):
                text = request.body.decode(errors="replace")
                self._book.submit_late(account, text, request.fate, call.call_no, late.seconds)
                return None
            reply = self._endpoints.perform(
                Ask(
                    account=account,
                    method=call.method,
                    path=call.path,
                    query=request.query,
                    members=request.members,
                    fate=request.fate,
                    call_no=call.call_no,
                )
            )
        except ApiError as error:
            return Answer.of_error(error)
        return Answer(reply.status, b"" if reply.status == 204 else to_json(reply.body), JSON)

    async def _suffer(self, request: Request, when: When, answer: Answer | None) -> Answer | None:
        """Let the faults of one stage act, in the order in which they were set."""
        for action in request.actions:
            if isinstance(action, Fateful) or action.when != when:
                continue
            changed = await self._act(action, request, answer)
            if changed is not None:
                return changed
        return answer

    async def _act(self, action: StagedAction, request: Request, answer: Answer | None) -> Answer | None:
        """Let one fault act; what it returns ends the stage."""
        wire = request.wire
        match action:
            case Delay():
                await self._book.clock.sleep(action.seconds)
                return None
            case Gate():
                await self._gates.hold(action, request.call, self._book.clock.now_ns())
                return None
            case AnswerWith():
                return _given(action, answer)
            case Close():
                self._end(request, None)
                await wire.close()
            case Reset(after_headers=True) if answer is not None:
                self._end(request, None)
                await wire.reset_after_headers(answer, request.headers(answer))
            case Reset():
                self._end(request, None)
                await wire.reset()
            case Hang():
                await wire.client_gone()
            case Endless():
                await wire.endless(action, JSON, request.headers(answer or Answer(action.status, b"")))
            case Refuse():
                if request.door is None:
                    raise TypeError(
                        "this fault needs a real connection: run the sandbox under its own server"
                    )
                await request.door.refuse(action.seconds)
                await wire.client_gone()
            case _:
                assert_never(action)
        raise CutError


def _given(action: AnswerWith, truth: Answer | None) -> Answer:
    answer = spoilt(action.body, truth)
    if action.content is not None:
        answer = replace(answer, body=action.content)
    return replace(
        answer,
        status=action.status or answer.status,
        content_type=action.content_type or answer.content_type,
        headers=(*answer.headers, *action.headers),
        with_ratelimit=action.with_ratelimit,
    )


def _word(value: Json) -> str | None:
    return _storable(value) if isinstance(value, str) and value else None


def _storable(text: str) -> str:
    """Text that SQLite takes: no lone surrogates."""
    return text.encode(errors="replace").decode()
