"""The public site: home, plain pages, navigation and the site's settings."""

from cms.pages import HomePage, PlainPage
from cms.settings import SiteSettings

__all__ = ["HomePage", "PlainPage", "SiteSettings"]
