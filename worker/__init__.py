"""The thin half of Orderlatch: carries the requests that Postgres asks for, and brings the answers back."""


class OrderlatchError(Exception):
    """What a person can put right; the message says how. A command ends with it, without a traceback."""
