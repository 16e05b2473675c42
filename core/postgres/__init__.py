"""A database engine: Django's PostgreSQL with connections that are kept between requests. See `base`."""
