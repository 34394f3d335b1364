"""Benchmarks: what can be carried, in figures, each beside the same work with the interesting part left out.

`python -m bench` runs all of them, `python -m bench NAME` or BENCH=NAME one. A ratio says more than a rate: it holds on
another machine too.
"""
