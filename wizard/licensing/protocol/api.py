"""Where the authorization application answers, and what a client needs to know before it asks."""

PROTOCOL = 1
"""The version of the API and of the messages, as the status says it."""

API = "/license/api/v1"
STATUS = f"{API}/status"
CHALLENGES = f"{API}/challenges"
CODES = f"{API}/codes"
REGISTRATIONS = f"{API}/registrations"
BEATS = f"{API}/beats"
DEAUTHORIZATIONS = f"{API}/deauthorizations"
HEALTH = "/healthz"
PAGE = "/license/qrcode"
"""The page for people (R5)."""

DEFAULT_PORT = 18081
"""R4."""

PIN_FILE = "tls.pin"
"""In the config volume: the pin of the TLS key (`wizard.licensing.pinned`), in hex, and a newline."""
PRIVATE_CONFIG = "privateConfig"
"""In the config volume: who this instance is, to be attached to a request (R13). Public data only."""
