"""The limits of SPEC.md once more, in milliseconds, as the oracle knows them: written from its text, not imported."""

SECOND = 1000
MINUTE = 60_000
HOUR = 3_600_000

BEAT = 7_200_000
"""R9: every two hours."""
RETRIES = (60_000, 120_000, 240_000, 300_000)
"""R9: after a failed one, retry after 60 s, doubling to 300 s; the last one again and again."""
DAY = 86_400_000
"""R7, R10, R11: 24 h."""
RECONNECT = 7_200_000
"""R10: within two hours of the restart."""
HEAL = 93_600_000
"""Section 3: a lapsed project heals until 26 h after its last feedback."""
ALIVE = 60_000
"""Section 3: the time alive is persisted each minute."""
QR = 300_000
"""R6: five minutes, up to and including 300.000 s."""
LOCK = 900_000
"""R6: 15 minutes."""
LOCKING = 6
"""R6: the sixth wrong input locks."""
BLOCKING = 30
"""R6: 30 wrong in total since the last success block for 24 h."""
REMEMBERED = 100
"""Not SPEC's: of the slots that are not held so many are remembered."""
