"""The thin half of Orderlatch: carries the requests that Postgres asks for, and brings the answers back."""
