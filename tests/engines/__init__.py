"""Real engines for the tests: private daemons on hosts of their own."""
