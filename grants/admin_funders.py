"""Funders and who reads for them: chairs see them, operators write them. Registered by grants.admin."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from grants import calls
from grants.admin_forms import show_faults, textarea
from grants.forms.fields import EmailField, TextField
from grants.models import Funder
from portal.access import get_visible_from
from portal.admin_base import workroom_page
from portal.models import User
from portal.once import once
from portal.refused import Refused

PAGE = "admin:grants_funder_change"
OPERATOR = frozenset({"operator"})


class FunderForm(forms.Form):
    name = TextField(label=gettext_lazy("Name"), most=120, is_one_line=True)
    about = TextField(label=gettext_lazy("About"), most=1000, required=False, widget=textarea(4))


class SeatForm(forms.Form):
    email = EmailField(
        label=gettext_lazy("E-mail of a person who reads for this funder"),
        help_text=gettext_lazy("They must have signed up first."),
    )


@once
def add_funder(request: HttpRequest) -> HttpResponse:
    form = FunderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            funder = calls.add_funder(by=cast(User, request.user), now=_now(request), **form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect(PAGE, funder.pk)
        except Refused as no:
            show_faults(form, no.fields, str(no))
    return workroom_page(request, "admin/grants/form.html", title=_("Add a funder"), form=form)


def funder_page(request: HttpRequest, funder: Funder) -> HttpResponse:
    return _page(request, funder, SeatForm())


def _page(request: HttpRequest, funder: Funder, form: SeatForm) -> HttpResponse:
    writes = Funder.objects.visible_to(request.user, "write", as_=OPERATOR).filter(pk=funder.pk).exists()
    context: dict[str, Any] = {
        "funder": funder,
        "seats": funder.seats.select_related("user").order_by("pk") if writes else None,
        "form": form if writes else None,
    }
    return workroom_page(request, "admin/grants/funder.html", title=funder.name, **context)


@require_POST
@once
def add_seat(request: HttpRequest, pk: int) -> HttpResponse:
    funder = get_visible_from(Funder.objects.all(), request.user, "write", as_=OPERATOR, pk=pk)
    form = SeatForm(request.POST)
    person = _person(request, form.cleaned_data["email"]) if form.is_valid() else None
    if person is None:
        form.add_error("email", _("Nobody with this address has signed up."))
        return _page(request, funder, form)
    calls.seat(funder=funder, user=person, by=cast(User, request.user), now=_now(request))
    messages.success(request, _("%(person)s reads for this funder now.") % {"person": person})
    return redirect(PAGE, funder.pk)


def _person(request: HttpRequest, email: str) -> User | None:
    return User.objects.visible_to(request.user, as_=OPERATOR).filter(email__iexact=email).first()


def _now(request: HttpRequest) -> Any:
    return request.arrived_at  # type: ignore[attr-defined]
