"""``python -m modules.packcheck [FOLDER …]``: says everything that is wrong with content packs, one line each.

It reads files only and needs no database. `docs/packs.md` says what is checked, `bounds.py` how much is too much.
"""
