"""What the wizard is about: frozen values with verbs. The standard library alone; `now` is always an argument."""
