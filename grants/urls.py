"""Addresses of calls and applications. Included at the root by portal/urls.py; paths are a contract.

Ids are slugs here: what cannot be an id never reaches the database.
"""

from django.urls import path

from grants.views import apply, calls, estimate, questions, sending

urlpatterns = [
    path("calls/", calls.calls, name="calls"),
    path("calls/<slug:slug>/", calls.call, name="call"),
    path("calls/<slug:slug>/questions/", calls.call_questions, name="call_questions"),
    path("calls/<slug:slug>/apply/", apply.apply, name="apply"),
    path("estimate/", estimate.estimate, name="estimate"),
    path("applications/<slug:public_id>/q/<int:number>/", questions.question, name="question"),
    path("applications/<slug:public_id>/check/", sending.check, name="check"),
    path("applications/<slug:public_id>/receipt/", sending.receipt, name="receipt"),
    path(
        "applications/<slug:public_id>/receipt/<int:sequence>.json",
        sending.receipt_content,
        name="receipt_content",
    ),
    path("applications/<slug:public_id>/withdraw/", sending.withdraw, name="withdraw"),
]
