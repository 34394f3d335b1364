"""How the world in a slot is begun: its folder, its port, its inventory, its process."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from wizard.kiosk.processes import World
from wizard.kiosk.world import at_port

INVENTORY = "inventory.toml"


def maker(
    folder: Path, first_port: int, inventory: str, command: Sequence[str], cwd: Path, told: Mapping[str, str]
) -> Callable[[int], World]:
    """What begins the world of a slot, with that command. `told` is what all worlds have in their environment."""

    def make(slot: int) -> World:
        own = folder / f"{slot}-{secrets.token_hex(4)}"
        own.mkdir(mode=0o700, parents=True)
        (own / INVENTORY).write_text(at_port(inventory, first_port + slot))
        world = World(slot=slot, port=first_port + slot, folder=own)
        world.begin(command, cwd, {**told, "WIZARD_INVENTORY": str(own / INVENTORY)})
        return world

    return make
