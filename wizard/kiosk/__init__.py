"""The kiosk: one visitor after another walks the whole journey, each in a world of their own (docs/kiosk.md)."""
