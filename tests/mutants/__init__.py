"""Faults that are planted in the rules of licensing, one at a time: each must be found by the suite. `make mutants`."""
