"""Pages of decisions, awards and runs."""

from django.urls import path

from allocation import register_views, report_views, views

urlpatterns = [
    path("applications/<slug:public_id>/decision/", views.decision, name="decision"),
    path("awards/<slug:account_name>/", views.award, name="award"),
    path("awards/<slug:account_name>/accept/", views.accept_award, name="accept_award"),
    path("awards/<slug:account_name>/note/", views.progress_note, name="progress_note"),
    path("awards/<slug:account_name>/give-back/", views.give_back, name="give_back"),
    path("runs/<slug:public_id>/", views.run, name="run"),
    path("runs/<slug:public_id>/bundle.json", views.run_bundle, name="run_bundle"),
    path("register/", register_views.page, name="register"),
    path("register.csv", register_views.as_csv, name="register_csv"),
    path("register.json", register_views.as_json, name="register_json"),
    path("funder/", report_views.funder, name="funder"),
    path("funder/calls/<slug:slug>/report/", report_views.ask_for_report, name="ask_for_report"),
    path(
        "funder/awards/<slug:account_name>/report/",
        report_views.ask_for_award_report,
        name="ask_for_award_report",
    ),
    path("reports/<slug:public_id>.pdf", report_views.report_pdf, name="report_pdf"),
    path("reports/<slug:public_id>.html", report_views.report_html, name="report_html"),
    path("reports/<slug:public_id>.csv", report_views.report_csv, name="report_csv"),
]
