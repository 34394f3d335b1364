"""Every limit of the door: what an archive may have, and an upload. Sizes in bytes."""

LARGEST_FILE = 4 << 30
"""Of a file that is received, however it is packed."""
LARGEST_ARCHIVE = 8 << 30
"""Of an archive, and of all its layers unpacked."""
MOST_MEMBERS = 20_000
LONGEST_NAME = 4096
LARGEST_EXTENSION = 64 * 1024
"""Of a pax header or a GNU long name."""
SMALL = 64 * 1024
"""Whatever is smaller is kept in memory: the personal layer, with the claims alone in it, is."""
LARGEST_JSON = 4 << 20
MOST_KEPT = 16 << 20
"""Of content kept in memory, over all files."""
LONGEST_FILENAME = 255
LONGEST_MARK = 200
"""Of what a sender says to recognise its file by."""
RESERVE = 64 << 20
"""Of the disk: so much an upload leaves free, for the store and the logs."""
PIECE = 1 << 20
"""Read and hashed at a time."""
