"""The tests mirror wizard/; tests/contracts/ runs one suite over every implementation of a port."""
