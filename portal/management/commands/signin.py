"""`manage.py signin EMAIL`: a link that signs one person in once, for operators and the demo."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.accounts import make_sign_in_link
from portal.models import User


class Command(BaseCommand):
    help = "Prints a link that signs this person in once within the hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"], is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody here has the address {options['email']}.")
        self.stdout.write(settings.SITE_URL + make_sign_in_link(user=user, now=timezone.now()))
