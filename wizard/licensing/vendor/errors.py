"""What the vendor's desk cannot do."""


class VendorError(Exception):
    """`what` happened, and what to do about it: one sentence each."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what} {todo}")
        self.what = what
        self.todo = todo
