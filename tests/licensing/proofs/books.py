"""What is written down about a server that is killed again and again, and what must be true of it afterwards."""

from dataclasses import dataclass, field

from wizard.licensing.protocol.qr import from_path, unpack


@dataclass
class Books:
    """Counts. `lost`, `forgotten` and `reused` are what must not happen."""

    kills: int = 0
    acknowledged: int = 0
    """Registrations, beats and deauthorizations that were answered."""
    lost: int = 0
    """Of those: the server did not remember them."""
    charged: int = 0
    """Wrong codes that were answered."""
    locks: int = 0
    """After how many kills a lock had to be there still."""
    forgotten: int = 0
    """Locks that were gone or had moved, and wrong codes that were not counted any more."""
    reused: int = 0
    """Counters that were in two QR codes."""
    qr_codes: int = 0

    def __add__(self, other: "Books") -> "Books":
        return Books(**{name: value + getattr(other, name) for name, value in vars(self).items()})


@dataclass
class QrCodes:
    """All that were seen of one instance."""

    books: Books
    nonces: dict[int, bytes] = field(default_factory=dict)

    def see(self, url: str) -> None:
        body = unpack(from_path(url.rpartition("/")[2]))
        nonce = self.nonces.setdefault(body.counter, body.nonce)
        self.books.reused += nonce != body.nonce
        self.books.qr_codes = len(self.nonces)
