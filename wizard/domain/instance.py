"""How a node and its containers are, as its engine tells."""

from dataclasses import dataclass, field
from datetime import datetime

from wizard.text import Text


@dataclass(frozen=True, kw_only=True)
class Health:
    """How a node's engine is. `detail` says why when it is not well."""

    node: str
    well: bool
    detail: Text
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A container of ours on a node, as the engine has it. `exit_code` when it is not running and has run."""

    name: str
    running: bool
    port: int
    exit_code: int | None = None
    paused: bool = field(default=False, compare=False)
    """Whether somebody has frozen it: it runs, has its port and volume, and answers nobody."""
    restarts: int = field(default=0, compare=False)
    """How often the engine has started it again by itself."""
    out_of_memory: bool = field(default=False, compare=False)
    """Whether it ended because it needed more than it may have, as far as the engine tells."""
    memory: int = field(default=0, compare=False)
    """Bytes that it may have; 0 when that is not limited, or not told."""
    licence: str = field(default="", compare=False)
    """Whose volume it has."""
