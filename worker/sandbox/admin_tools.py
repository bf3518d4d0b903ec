"""What the handlers of the admin API share: reading requests, waiting, and saying what went wrong."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from worker.sandbox.book import Book
from worker.sandbox.errors import ApiError
from worker.sandbox.members import BadRequestError, Members
from worker.sandbox.model import Account, Order
from worker.sandbox.traps import Bell
from worker.sandbox.values import Json, parse_json, to_json

Handler = Callable[[Request], Awaitable[Json]]
Routes = tuple[tuple[str, str, Handler], ...]


class NotHereError(Exception):
    """There is no such thing."""


class NotInTimeError(Exception):
    """What was waited for did not happen in time."""


def endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """The handler as Starlette wants it, with its errors as answers."""

    async def answer(request: Request) -> Response:
        try:
            status, body = 200, await handler(request)
        except BadRequestError as error:
            status, body = 400, {"error": str(error)}
        except ApiError as error:
            status, body = 400, {"error": error.message}
        except NotHereError as error:
            status, body = 404, {"error": str(error)}
        except NotInTimeError as error:
            status, body = 408, {"error": str(error)}
        return Response(to_json(body) + b"\n", status, media_type="application/json")

    return answer


async def read_json(request: Request) -> Json:
    """The body. Raises BadRequestError."""
    try:
        return parse_json(await request.body())
    except ValueError:
        raise BadRequestError("the body is not JSON") from None


async def read_object(request: Request, what: str) -> Members:
    """The body, which must be an object."""
    return Members(await read_json(request), what)


def chosen(request: Request) -> tuple[str | None, str | None]:
    """?account= and ?client_order_id=."""
    return request.query_params.get("account"), request.query_params.get("client_order_id")


def number(request: Request, name: str, default: int) -> int:
    """A whole number of the query."""
    text = request.query_params.get(name, str(default))
    if not text.isdecimal():
        raise BadRequestError(f"{name} must be a whole number")
    return int(text)


async def until(holds: Callable[[], bool], bell: Bell, request: Request) -> None:
    """Wait, at most ?wait_s= real seconds, until something holds."""
    try:
        async with asyncio.timeout(number(request, "wait_s", 5)):
            while not holds():
                await bell.heard()
    except TimeoutError:
        raise NotInTimeError("it did not happen in time") from None


def account_named(book: Book, name: str) -> Account:
    """An account. Raises NotHereError."""
    for account in book.store.accounts():
        if account.name == name:
            return account
    raise NotHereError(f"there is no account {name}")


def order_of(book: Book, request: Request) -> Order:
    """The order of the path, as it is now. Raises NotHereError."""
    book.settle()
    order = book.store.orders.get(request.path_params["order_id"])
    if order is None:
        raise NotHereError("there is no such order")
    return order
