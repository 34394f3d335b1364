"""Every limit of the door: what an archive may have, and an upload. Sizes in bytes."""

LARGEST_FILE = 4 << 30
"""Of a file that is received, however it is packed."""
LARGEST_ARCHIVE = 8 << 30
"""Of an archive, and of all its layers unpacked."""
ALLOWANCE = 64 << 20
RATIO = 100
"""Something packed may become so many times what was read of it, and ALLOWANCE more. Real images become four times."""
MOST_STREAMS = 50_000
"""One after another in what is packed. zstd:chunked has one for each file."""
XZ_MEMORY = 34 << 20
"""To unpack xz: presets up to -8; the default -6 needs 9 MiB."""
LARGEST_WINDOW = 25
"""Of zstd, as a power of two: 32 MiB, as zstd:chunked has it; the highest level without an option, -19, needs 23."""
MOST_MEMBERS = 20_000
MOST_LAYER_MEMBERS = 100_000
"""Of one layer."""
MOST_LAYER_HEADERS = 3 * MOST_LAYER_MEMBERS
"""Of one layer: each file may have two extensions."""
MOST_LAYER_NAMES = 16 << 20
"""Of the names in one layer, all together."""
MOST_LAYER_LINKS = 20_000
"""Of one layer: symbolic links, and folders that are named in paths alone. Debian's base has some 1,600."""
MOST_LINKS_KEPT = 8 << 20
"""Of the names of those, over all layers."""
LONGEST_NAME = 4096
LARGEST_EXTENSION = 64 * 1024
"""Of a pax header or a GNU long name."""
LARGEST_LAYER_EXTENSION = 1 << 20
"""Of those in a layer, where they may hold attributes."""
MOST_ZEROS = 1 << 20
"""After the end of a tar file. Real ones fill 10 KB."""
SMALL = 64 * 1024
"""Whatever is smaller is kept in memory: the personal layer, with the claims alone in it, is."""
LARGEST_JSON = 4 << 20
MOST_VALUES = 100_000
"""In one description, about: its commas and brackets are counted. Real ones have some hundreds."""
MOST_KEPT = 16 << 20
"""Of content kept in memory, over all files."""
LONGEST_FILENAME = 255
LONGEST_MARK = 200
"""Of what a sender says to recognise its file by."""
RESERVE = 64 << 20
"""Of the disk: so much an upload leaves free, for the store and the logs."""
PIECE = 1 << 20
"""Read and hashed at a time."""
HASHED_AT_ONCE = 256 * 1024
"""Handed to a second thread at a time. It stays in the processor's cache."""
AHEAD = 64 * 1024
"""Read at a time where there are many headers, and where something is unpacked."""
