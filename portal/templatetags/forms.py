"""`{% once %}`: the hidden key that makes a form work a single time (portal.once)."""

import uuid

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def once() -> SafeString:
    return format_html('<input type="hidden" name="once" value="{}">', uuid.uuid4())
