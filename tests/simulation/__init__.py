"""Years of an authorization application and its projects, and traces aimed at every limit, checked against an oracle.

`world` drives the real rules of `wizard.licensing.rules` and compares each answer and each state with what the oracle
says. `oracle` is written from SPEC.md alone: from the log of what physically happened it computes what must hold at a
moment, with intervals and not with states. `years` lives through years at random, `boundaries` aims at each limit.
"""
