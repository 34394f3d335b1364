"""What the parties say to each other, as bytes and signatures. Pure: the standard library and cryptography alone.

No module here reads a clock, a file or a socket.
"""
