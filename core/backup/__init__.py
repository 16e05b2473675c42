"""Backups: one file with the database and the files of an installation, each part named by its digest.

`archive` is the file, `manifest` says what is in it, `database` and `schema` read and write PostgreSQL, `files` the
storages. Nothing here knows what a table means; the floors above add what they know (`cms.backups`).
"""
