"""One form, one effect: with `@once` a double click, a resend or a reload of a POST does its work once.

The form carries `once`, a UUID. The first POST with it runs the view and stores where it led; a later one
with the same content is led to the same place; the same key with other content answers 409.
"""

import hashlib
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from portal.models import PostedForm

P = ParamSpec("P")
FIELD = "once"
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class _NothingDoneError(Exception):
    """The view answered without doing its work (a form to mend): its key stays unused."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.response = response


def once(view: View[P]) -> View[P]:
    @wraps(view)
    def wrapped(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        key = _key(request)
        if request.method != "POST" or key is None:
            return view(request, *args, **kwargs)
        try:
            with transaction.atomic():
                if not _is_first(request, key):
                    return _answer_again(request, key)
                response = view(request, *args, **kwargs)
                if not isinstance(response, HttpResponseRedirect):
                    raise _NothingDoneError(response)
                PostedForm.objects.filter(pk=key).update(answer=response.url[:500])
                return response
        except _NothingDoneError as nothing:
            return nothing.response

    return wrapped


def _key(request: HttpRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.POST.get(FIELD, ""))
    except ValueError:
        return None


def _digest(request: HttpRequest) -> str:
    content = sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")
    return hashlib.sha256(repr(content).encode("utf-8", "surrogatepass")).hexdigest()


def _is_first(request: HttpRequest, key: uuid.UUID) -> bool:
    """Takes the key; a racing twin waits here until the first is through."""
    try:
        with transaction.atomic():
            PostedForm.objects.create(
                key=key,
                user=request.user if request.user.is_authenticated else None,
                path=request.path[:300],
                body_sha256=_digest(request),
                at=timezone.now(),
            )
    except IntegrityError:
        return False
    return True


def _answer_again(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    posted = PostedForm.objects.get(pk=key)
    person = request.user.pk if request.user.is_authenticated else None
    same = (posted.user_id, posted.path, posted.body_sha256) == (person, request.path[:300], _digest(request))
    if not same:
        return render(request, "409.html", status=409)
    return HttpResponseRedirect(posted.answer)
