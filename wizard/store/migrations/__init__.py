"""The history of the tables, one file a change. `migrate` runs what is missing."""
