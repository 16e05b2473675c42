"""How static files are named and packed for serving."""

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class CompressedManifestStorage(CompressedManifestStaticFilesStorage):
    """Names carry a digest, also in the imports of our own ES modules, and a packed copy lies beside each file."""

    support_js_module_import_aggregation = True
    # Ours only: scripts of third parties import what their packages do not ship.
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )

    def url(self, name: str | None, force: bool = False) -> Any:
        """The address of a file. Worked out once a process: a page names dozens."""
        kept = self.__dict__.setdefault("_kept_urls", {})
        if (name, force) not in kept:
            kept[name, force] = super().url(name, force)
        return kept[name, force]
