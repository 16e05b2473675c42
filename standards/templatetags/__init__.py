"""Tags and filters of the standards."""
