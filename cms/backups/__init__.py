"""Backing up and restoring an installation: what the ground can do (`core.backup`), with what the floors know.

`make` writes the file, `target` looks at where it is to go, `restore` puts it in place, `checks` proves what came.
"""
