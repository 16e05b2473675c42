"""Background work of the site."""

from __future__ import annotations

from django_tasks import task

from cms.search import refresh_search


@task()
def refresh_search_entries() -> int:
    """Make the entries of search again after something was published."""
    return refresh_search()
