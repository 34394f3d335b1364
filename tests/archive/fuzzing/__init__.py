"""Archives that nobody thought of: each is made from a good one by chance, and the same from the same seed."""
