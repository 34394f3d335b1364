"""Uploads through real web processes: by the clients that others wrote, through kills, and with a full disk."""
