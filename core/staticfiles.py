"""How static files are named and packed for serving."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class CompressedManifestStorage(CompressedManifestStaticFilesStorage):
    """Names carry a digest, also in the imports of ES modules, and a packed copy lies beside each file."""

    support_js_module_import_aggregation = True
