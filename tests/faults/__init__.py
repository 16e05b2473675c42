"""Faults that really happen: killed processes, a database that goes away, full disks, files made to harm."""
