"""The public site: home, plain pages, navigation and the site's settings."""

from cms.pages import HomePage, PlainPage
from cms.search import SearchEntry
from cms.settings import NavigationLink, SiteSettings

__all__ = ["HomePage", "NavigationLink", "PlainPage", "SearchEntry", "SiteSettings"]
