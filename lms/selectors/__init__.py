"""Reads of the course engine: one function a screen, each with its cost in queries."""
