"""What every list and page of the workroom (the Django admin) rests on. Each app's admin.py subclasses VisibleAdmin.

How to use it:

    @admin.register(Ranking)
    class RankingAdmin(VisibleAdmin):
        relations = frozenset({"chair"})      # the relations of MATRIX that bring a person to this list
        desk_name = gettext_lazy("Rankings")  # what the index calls it; without it the model's own name
        list_display = ("call", "made_at")

Rows come from `visible_to`, and only by the relations named: a chair who also applies does not meet their own
application here. Permissions rest on roles and on MATRIX, so a superuser gets no more than the table says.
Nothing is added, changed or deleted by the stock forms: an admin that writes sets `add_page` or `change_page`
to a view (request, [row]) -> response, which calls a stage function. Extra pages go into `pages()`; wrap
what they answer with `workroom_page`. The admin's own history is off: portal.audit replaces it.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.functional import Promise

from portal.access import MATRIX, READ, WRITE, get_visible_from

Page = Callable[..., HttpResponse]

# Which relations of MATRIX a person in a role can stand in; others (owner, visitor …) do not lead to the workroom.
RELATIONS_OF_ROLES = {
    "is_chair": frozenset({"chair"}),
    "is_reviewer": frozenset({"self", "assigned reviewer"}),
    "is_operator": frozenset({"operator"}),
}
LOOKUPS = frozenset({"exact", "in", "isnull"})


if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


def relations_of(user: Any) -> frozenset[str]:
    """The relations that the roles of this person can bring them into."""
    has = (relations for role, relations in RELATIONS_OF_ROLES.items() if getattr(user, role, False))
    return frozenset().union(*has)


def workroom_page(
    request: HttpRequest, template: str, *, title: object, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of the workroom with its header, sidebar and title."""
    return render(
        request,
        template,
        {**admin.site.each_context(request), "title": title, **context},
        status=status,
    )


class VisibleAdmin(_ModelAdmin):
    """Shows the rows that the person may see by a relation of the table, and writes nothing by itself."""

    relations: ClassVar[Collection[str]] = frozenset()
    desk_name: ClassVar[str | Promise] = ""
    intro: ClassVar[str | Promise] = ""
    actions: Any = None
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    add_page: ClassVar[Page | None] = None
    change_page: ClassVar[Page | None] = None
    with_change_page: ClassVar[bool] = True
    change_list_template = "admin/visible_list.html"

    def pages(self) -> list[tuple[str, Page, str]]:
        """(path under the model, view, name of its URL) of further pages."""
        return []

    def rows(self, request: HttpRequest, right: str = READ) -> QuerySet[Any]:
        """The rows of this list that the person may read, or write."""
        mine = relations_of(request.user) & set(self.relations)
        found: QuerySet[Any] = self.model._default_manager.visible_to(request.user, right, as_=mine)
        return found

    def row(self, request: HttpRequest, pk: object, right: str = READ) -> Any:
        """The one row, or 404."""
        mine = relations_of(request.user) & set(self.relations)
        return get_visible_from(self.model._default_manager.all(), request.user, right, as_=mine, pk=pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.rows(request).order_by(
            *(self.get_ordering(request) or self.model._meta.ordering or ["-pk"])
        )

    def get_urls(self) -> list[URLPattern]:
        """List, row and further pages; no deleting, no history."""
        model = self.model._meta
        name = f"{model.app_label}_{model.model_name}"
        wrap = self.admin_site.admin_view
        urls = [path("", wrap(self.changelist_view), name=f"{name}_changelist")]
        if self.add_page is not None:
            urls.append(path("add/", wrap(self.add_view), name=f"{name}_add"))
        urls += [path(where, wrap(page), name=page_name) for where, page, page_name in self.pages()]
        if self.with_change_page:
            urls.append(path("<path:object_id>/change/", wrap(self.change_view), name=f"{name}_change"))
        return urls

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": self.desk_name or self.model._meta.verbose_name_plural, "intro": self.intro}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request) or self.add_page is None:
            raise Http404
        return type(self).add_page(request)  # type: ignore[misc]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        show = type(self).change_page
        if show is not None:
            return show(request, self.row(request, object_id))
        if request.method != "GET":
            raise Http404
        return super().change_view(
            request, object_id, form_url, {"show_close": True, **(extra_context or {})}
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(relations_of(request.user) & set(self.relations))

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_module_permission(request) and self._sees(request, obj, READ)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Stock forms change nothing; pages of our own fetch their row with the right to write."""
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.add_page is not None and bool(
            relations_of(request.user) & self.adding_relations() & set(self.relations)
        )

    def adding_relations(self) -> frozenset[str]:
        """Relations that may write a row of this model."""
        kinds = self.model._default_manager.all().kinds
        return frozenset(
            relation for kind in kinds for relation, rights in MATRIX[kind].items() if WRITE in rights
        )

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def _sees(self, request: HttpRequest, obj: Model | None, right: str) -> bool:
        return obj is None or self.rows(request, right).filter(pk=obj.pk).exists()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only the filters that the page shows. The stock rule lets anyone who sees a row filter by each of its
        columns (`?contact_email__startswith=a`), and so read letter by letter what the page hides."""
        shown = [item for item in self.get_list_filter(request) if isinstance(item, str | tuple)]
        named = {item if isinstance(item, str) else item[0] for item in shown}
        named |= {f"{name}__id" for name in named}
        field, _, last = lookup.rpartition("__")
        return lookup in named or (field in named and last in LOOKUPS)

    def _get_obj_does_not_exist_redirect(self, *args: Any) -> HttpResponse:
        raise Http404

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit log holds what was done; a second one would name people."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """As `log_addition`."""

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """As `log_addition`."""
