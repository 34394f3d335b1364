"""What every implementation of a port must do. A suite is a class; who inherits it gives the fixture."""
