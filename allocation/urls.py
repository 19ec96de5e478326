"""Pages of decisions, awards and runs."""

from django.urls import path

from allocation import views

urlpatterns = [
    path("applications/<slug:public_id>/decision/", views.decision, name="decision"),
    path("awards/<slug:account_name>/", views.award, name="award"),
    path("awards/<slug:account_name>/accept/", views.accept_award, name="accept_award"),
    path("awards/<slug:account_name>/note/", views.progress_note, name="progress_note"),
    path("awards/<slug:account_name>/give-back/", views.give_back, name="give_back"),
    path("runs/<slug:public_id>/", views.run, name="run"),
    path("runs/<slug:public_id>/bundle.json", views.run_bundle, name="run_bundle"),
]
