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
RETIREMENT = f"{API}/retirement"
"""For whoever shows the entry token: the end of this instance (R13)."""
OPENAPI = f"{API}/openapi.json"
"""What all of this takes and answers, for programs (OpenAPI 3.1)."""
HEALTH = "/healthz"
METRICS = "/metrics"
"""For Prometheus. No name of a project or a node is in it."""
PAGE = "/license/qrcode"
"""The page for people (R5)."""

DEFAULT_PORT = 18081
"""R4."""

PIN_FILE = "tls.pin"
"""In the config volume: the pin of the TLS key (`wizard.licensing.pinned`), in hex, and a newline."""
ENTRY = "entry"
"""In the config volume, for its owner: that pin, a space, and the token of ENTRY_TOKEN. What a wizard needs in order to
ask lies in one file, since each one that is read through an engine takes 20 to 40 ms."""
PRIVATE_CONFIG = "privateConfig"
"""In the config volume: who this instance is, to be attached to a request (R13). Public data only."""
ENTRY_TOKEN = "entryToken"  # noqa: S105 - the name of a file
"""In the config volume: 64 hex digits. Whoever shows them (`Authorization: Bearer …`) is the admin, not a stranger."""
