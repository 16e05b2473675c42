"""A later version of the software, as far as `backups` needs one."""
