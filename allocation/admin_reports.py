"""Reports in the workroom: a chair makes one of a call, sees where it stands, and tries a parked one again."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from allocation import reports
from allocation.models import Award, Report
from grants.models import Call
from portal.access import get_visible
from portal.admin_base import VisibleAdmin, workroom_page
from portal.once import once
from portal.refused import Refused


class NewReportForm(forms.Form):
    """A whole call, or one award of it when its account is given."""

    call = forms.ModelChoiceField(queryset=Call.objects.none(), label=gettext_lazy("Call"))
    award = forms.CharField(
        label=gettext_lazy("Account of one award (optional)"),
        help_text=gettext_lazy("Leave it empty for a report of the whole call."),
        max_length=9,
        required=False,
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["call"].queryset = Call.objects.visible_to(user, as_={"chair"})  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        super().clean()
        name, call = self.cleaned_data.get("award", "").strip(), self.cleaned_data.get("call")
        mine = Award.objects.visible_to(self.user, as_={"chair"}).filter(pool__call=call, account_name=name)
        found = mine.select_related("application", "pool__call", "pool__funder").first() if name else None
        if name and call and found is None:
            self.add_error("award", _("There is no award “%(name)s” in this call.") % {"name": name})
        return self.cleaned_data | {"subject": found or call}


@once
def new_report(request: HttpRequest) -> HttpResponse:
    form = NewReportForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        subject = form.cleaned_data["subject"]
        reports.request(
            kind="award" if isinstance(subject, Award) else "call",
            subject=subject,
            by=request.user,  # type: ignore[arg-type]
            language=get_language() or "en",
            now=request.arrived_at,  # type: ignore[attr-defined]
        )
        messages.success(request, _("The report is being made. It stands here within a minute or so."))
        return redirect("admin:allocation_report_changelist")
    return workroom_page(request, "admin/allocation/new_report.html", title=_("Make a report"), form=form)


@require_POST
@once
def try_again(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_visible(Report, request.user, "write", pk=pk)
    try:
        reports.try_again(report=row, by=request.user, now=request.arrived_at)  # type: ignore[arg-type,attr-defined]
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The report is being made again."))
    return redirect("admin:allocation_report_changelist")


def report_page(request: HttpRequest, report: Report) -> HttpResponse:
    return workroom_page(
        request,
        "admin/allocation/report.html",
        title=_("Report %(id)s") % {"id": report.public_id},
        report=report,
    )


@admin.register(Report)
class ReportAdmin(VisibleAdmin):
    relations = frozenset({"chair"})
    desk_name = gettext_lazy("Reports")
    intro = gettext_lazy("Figures frozen at an instant. Each report stays as it was made.")
    list_display = ("public_id", "call", "kind", "cutoff_at", "state", "files")
    list_filter = ("state", "kind")
    add_page = new_report
    change_page = report_page

    def pages(self) -> list[Any]:
        return [("<int:pk>/again/", try_again, "allocation_report_again")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the PDFs and the figures, which a list does not show."""
        return super().get_queryset(request).select_related("call").defer("pdf", "data")

    @admin.display(description=gettext_lazy("files"))
    def files(self, report: Report) -> str:
        page = reverse("report_html", args=[report.public_id])
        return format_html('<a href="{}">{}</a>', page, _("open"))
