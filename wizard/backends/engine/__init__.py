"""The API that Docker and Podman speak, for the backends that use it: how to reach it, ask it, and read its answers."""
