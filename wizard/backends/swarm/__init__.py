"""Docker Swarm: a node is a member of a cluster, and a container is the one task of a service that is pinned to it."""

from wizard.backends.swarm.backend import SwarmBackend

__all__ = ["SwarmBackend"]
