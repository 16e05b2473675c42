"""The composition of the floors: settings, URLs, the server. Imported by no floor."""
