"""Applications that work together with the wizard, to learn from."""
