"""Addresses of brokers and streams, checked and normalised, so that a host is known however it is spelt.

What is wrong with one is said without quoting it: it may hold a password.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit


def checked_origin(url: str) -> str:
    """Return scheme, host and port of a broker's API. Raises ValueError."""
    origin, path = _checked_url(url, secure="https", plain="http", example="https://paper-api.alpaca.markets")
    if path not in ("", "/"):
        raise ValueError("must have no path: paths come with each request")
    return origin


def checked_stream(url: str) -> str:
    """Return the URL of a stream; the path is /stream unless there is one. Raises ValueError."""
    example = "wss://paper-api.alpaca.markets/stream"
    origin, path = _checked_url(url, secure="wss", plain="ws", example=example)
    if not re.fullmatch(r"[!-~]*", path):
        raise ValueError("must have a path of printable ASCII")
    return origin + (path if path.strip("/") else "/stream")


def _checked_url(url: str, *, secure: str, plain: str, example: str) -> tuple[str, str]:
    """Return the origin, normalised, and the path."""
    not_understood = ValueError(f"must be like {example}")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:  # its own message quotes the URL
        raise not_understood from None
    if parts.scheme not in (secure, plain) or not re.fullmatch(r"[a-z0-9.:-]+", host):
        raise not_understood
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must have no query and no user")
    if parts.scheme == plain and not _is_loopback(host):
        raise ValueError(f"must be {secure}: keys travel in it ({plain} is for 127.0.0.1, ::1 and localhost)")
    authority = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{authority}" + ("" if port is None else f":{port}"), parts.path


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
