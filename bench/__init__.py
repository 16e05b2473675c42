"""Benchmarks: how long the main screens take, beside a yardstick on the same PostgreSQL. See `docs/performance.md`."""
