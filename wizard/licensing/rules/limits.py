"""Every limit of SPEC.md, section 3, in milliseconds or as a count."""

Millis = int
"""Milliseconds: since 1970 (UTC) for a moment, or a duration."""

SECOND: Millis = 1000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE

BEAT: Millis = 2 * HOUR
"""A project's requests come this often (R9)."""
RETRY_FIRST: Millis = 60 * SECOND
RETRY_LONGEST: Millis = 300 * SECOND
"""After a failed request: the first wait, doubled up to the longest (R9)."""

DAY: Millis = 24 * HOUR
"""Down, silent, verified without a registration, or without an answer: not longer than this (R7, R10, R11)."""
RECONNECT: Millis = 2 * HOUR
"""After a restart a project must reconnect within this time (R10)."""
HEAL: Millis = DAY + RECONNECT
"""A lapsed project can be healed until this long after its last answer (R10 and R11 together)."""
PERSISTED: Millis = MINUTE
"""The time alive is written this often, so the time of a crash is known to that much."""

QR_VALID: Millis = 5 * MINUTE
"""From the creation of a challenge until the code is received (R6)."""
LOCK: Millis = 15 * MINUTE
TOLERATED = 5
"""Wrong inputs that do not lock; the next one does, for LOCK (R6)."""
BLOCKING_TOTAL = 30
"""Wrong inputs since the last success that block the instance for a DAY (R6)."""

REMEMBERED = 100
"""Slots that failed or were given up. Our own: without it a stranger who registers and gives up, again and again while
a slot is free, makes the store and the status grow without bound."""
