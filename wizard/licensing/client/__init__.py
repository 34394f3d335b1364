"""The FanRuan application's side: a library that keeps a project registered, and reference applications built on it."""
