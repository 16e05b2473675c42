"""Open Badges 3.0 and W3C Verifiable Credentials 2.0: an adapter that knows no tables and no settings."""
