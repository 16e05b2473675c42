"""The migration of a later version."""
