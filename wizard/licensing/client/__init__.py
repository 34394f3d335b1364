"""The FanRuan application's side: a library that keeps a project registered, and reference applications built on it.

To embed it, give it a folder, the names of the project's nodes, and a heartbeat::

    import time
    from pathlib import Path

    from wizard.licensing.client import Client, ClientError, Drawer, Heartbeat, PinnedLine


    def clock() -> int:
        return time.time_ns() // 1_000_000


    client = Client("Sales reports", Drawer(Path("/var/lib/sales"), ("node-a", "node-b")), PinnedLine())
    heart = Heartbeat(client, clock)
    heart.start()
    try:
        client.register("192.168.1.5", 18081, clock())
        heart.wake()
    except ClientError as error:
        print(error.code, error.message)
    for node in client.look(clock()).nodes:
        print(node.name, node.registration.state, node.problem)

and at the end `heart.stop()`. Nothing else is needed: a restart finds everything again, and beats at once.

`Client`
    `register` (R8), `beat` (R9), `deauthorize` (R12), `look`, `next_beat`. Times are milliseconds since 1970 (UTC), and
    are given, never read. Safe between threads.
`Heartbeat`
    The thread that calls `beat` when it is due. Without it, call `beat(now)` at each `next_beat(now)`.
`Drawer`
    The project's folder: its private key, and `registration.json`. What is damaged is put aside and told; see
    `wizard.licensing.client.memory`.
`PinnedLine`
    The network: HTTPS to the key that the project registered with. `Line` is what it must do.
`Memory`
    What `look` returns: each `Node` with its state (`wizard.licensing.rules.project`) and its problem, the `Server`
    with its `Endpoint`, a `Fork`, a `Notice`, and the `history`: the last 200 failures and recoveries, each an `Entry`
    with its time, its nodes, the states before and after, and its `Cause`.
`ClientError`
    `LineError`: no usable answer. `NotRegistered`: it was refused. `StorageError`: what must be remembered cannot be
    written, so nothing was sent. Each has a `code`, a `message`, and a `cause`.

Two copies of one project (a copied folder, a restored backup) have one key, and count their messages apart. The
authorization application answers FORK to a message whose sequence was already used, so each copy is told in turn. That
is no answer that keeps a registration alive: the state goes on as after silence, and `Memory.fork` says so. Then:

- Stop the other copy. This one goes on by itself: its next sequences are higher.
- Or make this one a project of its own: `register(…, own_key=True)`. It takes slots of its own with a new key, which
  replaces the old one when, and only when, it was accepted. What the old key holds stays with the other copy, or frees
  itself after 24 h (R11). The same happens without being asked for when FORK was the last word, as after `register`
  was refused with the code `fork`: with the old key it would be refused again, or take the other copy's slots.
- `deauthorize` gives up the slots of the old key, for every copy of it.
"""

from wizard.licensing.client.causes import Cause, ClientError, NotRegistered, StorageError
from wizard.licensing.client.client import Client
from wizard.licensing.client.heartbeat import Heartbeat
from wizard.licensing.client.history import Entry
from wizard.licensing.client.line import Endpoint, Line, LineError, PinnedLine
from wizard.licensing.client.memory import Drawer
from wizard.licensing.client.state import Fork, Memory, Node, Notice, Server

__all__ = [
    "Cause",
    "Client",
    "ClientError",
    "Drawer",
    "Endpoint",
    "Entry",
    "Fork",
    "Heartbeat",
    "Line",
    "LineError",
    "Memory",
    "Node",
    "NotRegistered",
    "Notice",
    "PinnedLine",
    "Server",
    "StorageError",
]
