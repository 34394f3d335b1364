"""docker-py as the wizard must use it: nothing from the environment, and the API version agreed upon first."""

import docker
from docker.tls import TLSConfig
from docker.utils.utils import compare_version

from tests.engines.certificates import Pair

OLDEST, NEWEST = "1.41", "1.51"
"""API versions that are spoken: of Docker 20.10, and the newest that docker-py was tried with."""


def api_client(url: str, pair: Pair | None = None, timeout: int = 10) -> docker.APIClient:
    """A client that has spoken to the engine once. `timeout` in seconds, for each read.

    `trust_env` can only be set once the client is there, and with version="auto" it asks the engine before that: then
    REQUESTS_CA_BUNDLE of the environment would stand in for the engine's own authority.
    """
    with _client(url, pair, timeout, OLDEST) as first:
        spoken = first.version(api_version=False)["ApiVersion"]
    agreed = spoken if compare_version(NEWEST, spoken) < 0 else NEWEST
    return _client(url, pair, timeout, agreed)


def _client(url: str, pair: Pair | None, timeout: int, version: str) -> docker.APIClient:
    tls = pair and TLSConfig(
        client_cert=(str(pair.certificate), str(pair.key)), ca_cert=str(pair.authority), verify=True
    )
    client = docker.APIClient(base_url=url, tls=tls or False, timeout=timeout, version=version)
    client.trust_env = False
    return client
