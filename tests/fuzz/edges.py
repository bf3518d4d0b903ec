"""Numbers, times and intervals where each ends: the last that is one, and the first that is none."""

from __future__ import annotations

from hypothesis import strategies as st

# Of a broker or a strategy, as JSON: texts and numbers.
DECIMALS = st.one_of(
    st.sampled_from(
        ["10", "0", "-0", "-1", "0.000000001", "1e400", "1e-7", "+1", ".5", "5.", "NaN", "Infinity"]
    ),
    st.sampled_from(["9" * 64, "9" * 65, "9" * 80, "9" * 81, f"0.{'0' * 77}1", "", " 1", "ten", "\u0661"]),
    st.sampled_from([None, 10, -0.0, 1.5, 2**53 + 1, 10**80]),
)
PRICES = ("notional", "limit_price", "stop_price")
TIMES = st.one_of(
    st.sampled_from(
        ["2026-03-02T15:00:00Z", "2026-03-02T15:00:00.123456789Z", "2026-03-02T14:59:59.9999999Z"]
    ),
    st.sampled_from(["2026-03-08T02:30:00-05:00", "2026-03-03T05:00:00+14:00", "2026-03-02t15:00-00:00"]),
    st.sampled_from(["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999999999Z"]),
    st.sampled_from(
        ["9999-12-31T23:59:59-00:01", "2026-03-02T24:00:00Z", "2026-03-02T15:00:60Z", "2026-02-29T00:00Z"]
    ),
    st.sampled_from(["2026-03-02T15:00:00", "now", "infinity", "-infinity", "yesterday", "", None, 1e9]),
)

# As arguments.
NUMERICS = ["1", "0", "-3", "0.000000001", "1e200", "1e-900", "NaN", "Infinity", "-Infinity"]
INTERVALS = [
    "1 hour",
    "1 microsecond",
    "0",
    "-1 s",
    "7 days",
    "8 days",
    "1 month -29 days",
    "1 day -23:59:00",
]
INTERVALS += ["1000 years", "178000000 years", "2147483647 days"]
MOMENTS = [
    "2026-03-02T14:00:00Z",
    "infinity",
    "-infinity",
    "0001-01-01T00:00:00Z BC",
    "10000-01-01T00:00:00Z",
]
MOMENTS += ["4714-11-24 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00"]

# What an answer may say of the rate limit.
COUNTS = ["0", "1", "200", "-1", "1e3", "1.5", "999999999", "999999999999", "9999999999999", "soon"]
RATE_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after")
HEADERS = st.fixed_dictionaries({}, optional=dict.fromkeys(RATE_HEADERS, st.sampled_from(COUNTS)))

WAITS = [
    "max_decision_age",
    "send_within",
    "absence_quiet",
    "lookup_max_wait",
    "throttle_wait",
    "drift_grace",
]
SETTINGS = st.one_of(
    st.sampled_from([{"max_in_doubt": 5}, {"rate_limit": "x"}, {"absence_quiet": "-1 s"}, {"no": 1}]),
    st.dictionaries(st.sampled_from(WAITS), st.sampled_from(INTERVALS), max_size=2),
    st.fixed_dictionaries({"reconcile_from": TIMES}),
    st.fixed_dictionaries({"crypto_fee_allowance": DECIMALS}),
)
