"""The demonstration: an invented cast, a cohort at work, and a tour. Exists only where `DEMO=1`."""
