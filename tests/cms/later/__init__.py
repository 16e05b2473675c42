"""A later version of the software, as far as `test_backups` needs one."""
