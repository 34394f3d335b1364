"""What runs outside a request: operations, and the worker that does them. The row in the store is the truth."""
