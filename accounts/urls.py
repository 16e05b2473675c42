"""Addresses of this floor."""

from django.urls import URLPattern, URLResolver, path

from accounts import views, views_jobs

app_name = "accounts"

urlpatterns: list[URLPattern | URLResolver] = [
    path("my/profile/", views.edit_profile, name="profile"),
    path("my/devices/<int:key>/end/", views.end_session, name="session_end"),
    path("my/data/", views.show_data, name="data"),
    path("my/data/download/", views.ask_for_data, name="data_download"),
    path("my/data/consents/<uuid:key>/withdraw/", views.withdraw_consent, name="consent_withdraw"),
    path("my/data/texts/<uuid:key>/erase/", views.erase_text, name="text_erase"),
    path("my/data/erase/", views.erase_account, name="erase"),
    path("erased/", views.show_erased, name="erased"),
    path("my/jobs/", views_jobs.list_jobs, name="jobs"),
    path("my/jobs/<uuid:key>/", views_jobs.show_job, name="job"),
    path("my/jobs/<uuid:key>/file/", views_jobs.fetch_job_file, name="job_file"),
    path("files/<uuid:key>/", views.download_file, name="file"),
]
