"""Backing up and restoring an installation: what the ground can do (`core.backup`), with what the floors know.

`make` writes the file, `restore` puts it in place, `checks` proves what came.
"""
