"""What the tests of the workroom share: clients, paths, an application whose private words stand nowhere else."""

import uuid
from typing import Any

from django.test import Client
from django.urls import reverse

from grants.models import Application, Assignment, Call
from portal.models import User
from tests import factories as make

CANARIES = {
    "group_name": "Canary-Group-Quetzal",
    "contact_phone": "+99 777 5551234",
    "contact_email": "canary-contact@quetzal.example",
    "known_reviewers": "Canary Known Person",
}


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, (path, response.status_code)
    return response.content.decode()


def post(client: Client, path: str, **fields: Any) -> Any:
    return client.post(path, {"once": str(uuid.uuid4()), **fields})


def review_path(assignment: Assignment) -> str:
    return reverse("admin:grants_assignment_change", args=[assignment.pk])


def application_path(application: Application) -> str:
    return reverse("admin:grants_application_change", args=[application.pk])


def call_path(call: Call) -> str:
    return reverse("admin:grants_call_change", args=[call.pk])


def a_secret_application(**answers: Any) -> Application:
    """One whose every private field holds words that stand nowhere else."""
    owner = make.a_user("canary-owner", display_name="Canary Owner Name")
    return make.an_application(owner=owner, **(CANARIES | answers))


def private_words(application: Application) -> list[str]:
    names = [*CANARIES.values(), application.owner.email, "Canary Owner Name", application.group.public_id]
    return [*names, "Bangladesh"]


def a_whole_review(assignment: Assignment, points: str = "4", **changed: Any) -> dict[str, Any]:
    keys = assignment.application.call.criteria.values_list("key", flat=True)
    words = {"strength": "Clear.", "fix": "Say who pays.", "harm": "none", "harm_note": "", "step": "send"}
    return {f"score_{key}": points for key in keys} | words | changed
