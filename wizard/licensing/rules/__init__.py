"""The rules of registration (SPEC.md, section 3): two state machines, as frozen data and pure functions.

`server` is the authorization application's machine, `project` the FanRuan application's; `machine` says what a
transition is, and `limits` holds the constants. Nothing in here reads a clock, a file or a socket.

Times are whole milliseconds since 1970 (UTC). Every limit is exact to one of them (R14), they are stored and compared
in SQL as they are, and no arithmetic on them rounds; an aware datetime promises none of the three. Durations are
milliseconds too. A limit belongs to the allowed side: `<=` holds, `>` fails.
"""
