"""The FineOps Registration Wizard: from a mailed licence image to a registered project, in seven steps."""
