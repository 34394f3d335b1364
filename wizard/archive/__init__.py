"""A licence image archive as it is mailed: a strict reader, its checks, and the spool where it lies once received."""
