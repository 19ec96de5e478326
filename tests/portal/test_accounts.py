"""Sign-up and sign-in with a mailed code, links that sign in, the second factor, and what headers promise."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts import make_sign_in_link
from portal.models import AuditEntry, Mail, SignInLink, User
from tests import factories as make

pytestmark = pytest.mark.django_db

LOGIN_CODE, SIGN_UP, SIGN_UP_CODE = "/accounts/login/code/", "/accounts/signup/", "/accounts/confirm-email/"
CONFIRM = "/accounts/login/code/confirm/"


@pytest.fixture(autouse=True)
def without_earlier_tries() -> None:
    """Limits on tries live in the cache."""
    cache.clear()


def mailed_code(address: str) -> str:
    """The code in the newest mail to somebody: eight characters on a line of their own, or so."""
    body = Mail.objects.filter(to_address=address).latest("pk").body
    found = re.search(r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", body, re.MULTILINE)
    assert found, body
    return found[1]


def a_member() -> User:
    """Somebody who has shown at their sign-up that the address is theirs."""
    user = make.a_user()
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user


def is_signed_in(client: Client) -> bool:
    return client.get("/my/").status_code == 200


def sign_in_by_code(client: Client, user: User, **query: str) -> Any:
    client.post(LOGIN_CODE, {"email": user.email}, query_params=query)
    return client.post(CONFIRM, {"code": mailed_code(user.email)}, query_params=query)


class TestSignUp:
    def test_a_newcomer_signs_up_with_a_mailed_code_and_no_password(self, client: Client) -> None:
        answer = client.post(SIGN_UP, {"email": "New.Person@example.org"})
        assert answer.status_code == 302
        assert not is_signed_in(client)
        answer = client.post(SIGN_UP_CODE, {"code": mailed_code("new.person@example.org")})
        assert answer.status_code == 302
        assert is_signed_in(client)
        user = User.objects.get()
        assert user.email == "new.person@example.org"
        assert not user.has_usable_password()
        assert not (user.is_staff or user.is_chair or user.is_reviewer or user.is_operator)

    def test_a_wrong_code_opens_nothing(self, client: Client) -> None:
        client.post(SIGN_UP, {"email": "new@example.org"})
        assert client.post(SIGN_UP_CODE, {"code": "AAAA-AAAA"}).status_code == 200
        assert not is_signed_in(client)

    def test_nobody_signs_themselves_up_as_staff(self, client: Client) -> None:
        extra = {
            "is_staff": "on",
            "is_superuser": "on",
            "is_chair": "on",
            "is_operator": "on",
            "role": "chair",
        }
        client.post(SIGN_UP, {"email": "sly@example.org", **extra})
        client.post(SIGN_UP_CODE, {"code": mailed_code("sly@example.org"), **extra})
        user = User.objects.get()
        assert not (user.is_staff or user.is_superuser or user.is_chair or user.is_operator)

    def test_an_address_that_is_known_gets_the_same_answer(self, client: Client) -> None:
        known = a_member()
        answers = [Client().post(SIGN_UP, {"email": each}) for each in (known.email, "unknown@example.org")]
        assert {(each.status_code, each.url) for each in answers} == {(302, answers[0].url)}
        assert User.objects.filter(email=known.email).count() == 1


class TestSignIn:
    def test_a_person_made_by_the_site_shows_first_that_the_address_is_theirs(self, client: Client) -> None:
        user = make.a_user()
        assert sign_in_by_code(client, user).url == SIGN_UP_CODE
        assert not is_signed_in(client)
        client.post(SIGN_UP_CODE, {"code": mailed_code(user.email)})
        assert is_signed_in(client)

    def test_somebody_signs_in_with_a_mailed_code(self, client: Client) -> None:
        user = a_member()
        assert sign_in_by_code(client, user).status_code == 302
        assert is_signed_in(client)

    def test_a_code_opens_one_browser_only_and_once(self, client: Client) -> None:
        user, stranger = a_member(), Client()
        client.post(LOGIN_CODE, {"email": user.email})
        code = mailed_code(user.email)
        stranger.post(CONFIRM, {"code": code})
        assert not is_signed_in(stranger)
        client.post(CONFIRM, {"code": code})
        assert is_signed_in(client)
        client.post("/accounts/logout/")
        client.post(CONFIRM, {"code": code})
        assert not is_signed_in(client)

    def test_the_session_changes_at_sign_in(self, client: Client) -> None:
        user = a_member()
        client.post(LOGIN_CODE, {"email": user.email})
        before = client.cookies["sessionid"].value
        client.post(CONFIRM, {"code": mailed_code(user.email)})
        assert client.cookies["sessionid"].value != before

    def test_an_unknown_address_gets_the_same_answer(self) -> None:
        known = a_member().email
        pages = []
        for address in (known, "nobody@example.org"):
            client = Client()
            answer = client.post(LOGIN_CODE, {"email": address})
            shown = client.get(answer.url).content.decode().replace(address, "ADDRESS")
            pages.append((answer.status_code, answer.url, without_tokens(shown)))
        assert pages[0] == pages[1]

    def test_many_wrong_codes_end_the_try(self, client: Client) -> None:
        user = a_member()
        client.post(LOGIN_CODE, {"email": user.email})
        code = mailed_code(user.email)
        for _try in range(5):
            client.post(CONFIRM, {"code": "AAAA-AAAA"})
        client.post(CONFIRM, {"code": code})
        assert not is_signed_in(client)

    def test_mails_for_one_address_are_few(self) -> None:
        user = a_member()
        for _try in range(20):
            Client().post(LOGIN_CODE, {"email": user.email})
        assert 1 <= Mail.objects.filter(to_address=user.email).count() <= 6

    @pytest.mark.parametrize(
        "after", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"]
    )
    def test_next_leads_to_our_own_pages_only(self, client: Client, after: str) -> None:
        answer = sign_in_by_code(client, a_member(), next=after)
        assert "evil" not in answer.url and "javascript" not in answer.url

    def test_next_leads_where_the_person_wanted_to_go(self, client: Client) -> None:
        answer = sign_in_by_code(client, a_member(), next="/estimate/")
        assert answer.url == "/estimate/"


def without_tokens(text: str) -> str:
    return re.sub(r'name="(csrfmiddlewaretoken|once)" value="[^"]*"', "", text)


class TestLinks:
    def test_a_link_signs_in_once(self, client: Client) -> None:
        user = make.a_user()
        path = make_sign_in_link(user=user, now=timezone.now())
        answer = client.get(path)
        assert (answer.status_code, answer.url) == (302, "/my/")
        assert is_signed_in(client)
        assert AuditEntry.objects.filter(did="person.entered_by_link", by=user).count() == 1
        second = Client()
        assert second.get(path).url == reverse("account_login")
        assert not is_signed_in(second)

    def test_a_link_of_the_demo_works_again(self) -> None:
        path = make_sign_in_link(user=make.a_user(), now=timezone.now(), is_reusable=True)
        for _time in range(2):
            client = Client()
            client.get(path)
            assert is_signed_in(client)

    def test_a_link_ends(self, client: Client) -> None:
        path = make_sign_in_link(user=make.a_user(), now=timezone.now() - timedelta(hours=2))
        client.get(path)
        assert not is_signed_in(client)

    @pytest.mark.parametrize("token", ["nothing", "x" * 500, "%F0%9F%92%A3", "%00"])
    def test_a_token_that_is_none_opens_nothing(self, client: Client, token: str) -> None:
        make_sign_in_link(user=make.a_user(), now=timezone.now())
        assert client.get(f"/enter/{token}/").status_code == 302
        assert not is_signed_in(client)

    def test_the_token_itself_is_not_kept(self) -> None:
        path = make_sign_in_link(user=make.a_user(), now=timezone.now())
        assert path.split("/")[2] not in str(SignInLink.objects.values().get())

    def test_somebody_who_is_no_longer_active_does_not_get_in(self, client: Client) -> None:
        user = make.a_user(is_active=False)
        client.get(make_sign_in_link(user=user, now=timezone.now()))
        assert not is_signed_in(client)

    @pytest.mark.parametrize(
        "after", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"]
    )
    def test_a_link_leads_to_our_own_pages_only(self, client: Client, after: str) -> None:
        path = make_sign_in_link(user=make.a_user(), now=timezone.now())
        assert client.get(path, {"next": after}).url == "/my/"

    def test_a_link_leads_where_it_says(self, client: Client) -> None:
        path = make_sign_in_link(user=make.a_user(), now=timezone.now())
        assert client.get(path, {"next": "/estimate/"}).url == "/estimate/"


class TestStaff:
    def test_staff_without_a_second_factor_are_led_to_set_one_up(self, client: Client, settings: Any) -> None:
        settings.STAFF_NEEDS_MFA = True
        client.force_login(make.a_chair())
        for path in ("/admin/", "/admin/grants/call/", "/admin/grants/call/add/"):
            answer = client.get(path)
            assert (answer.status_code, answer.url) == (302, reverse("mfa_index"))
        assert client.post("/admin/grants/call/add/", {"title": "x"}).status_code == 302

    def test_in_the_demo_one_step_is_enough(self, client: Client, settings: Any) -> None:
        settings.STAFF_NEEDS_MFA = False
        client.force_login(make.a_chair())
        assert client.get("/admin/").status_code == 200

    def test_the_site_itself_asks_for_it_outside_the_demo(self) -> None:
        from portal import settings as own

        assert own.IS_DEMO is False
        assert own.STAFF_NEEDS_MFA is True

    def test_the_page_of_mails_is_there_in_the_demo_only(self, client: Client, settings: Any) -> None:
        assert client.get("/demo/mail/").status_code == 404
        client.force_login(make.an_operator())
        assert client.get("/demo/mail/").status_code == 404
        settings.IS_DEMO = True
        assert Client().get("/demo/mail/").status_code == 200


OPEN_PAGES = [
    "/",
    "/calls/",
    "/estimate/",
    "/register/",
    "/register.csv",
    "/register.json",
    "/help/",
    "/accounts/login/",
]
OWN_PAGES = ["/my/", "/accounts/email/", "/accounts/2fa/", "/accounts/sessions/"]


class TestHeaders:
    @pytest.mark.parametrize("path", [*OPEN_PAGES, "/accounts/login/", "/no/such/page/", "/healthz"])
    def test_every_page_says_what_may_run_in_it(self, client: Client, path: str) -> None:
        policy = client.get(path)["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy

    def test_signed_in_pages_are_kept_by_nobody(self, client: Client) -> None:
        application = make.an_application()
        client.force_login(application.owner)
        own = f"/applications/{application.public_id}/"
        for path in [*OPEN_PAGES, *OWN_PAGES, own, f"{own}check/", f"{own}receipt/", "/no/such/page/"]:
            answer = client.get(path, follow=True)
            assert "no-store" in answer["Cache-Control"], path
            assert "default-src 'self'" in answer["Content-Security-Policy"], path

    def test_pages_are_framed_by_nobody_and_sniffed_by_nobody(self, client: Client) -> None:
        answer = client.get("/")
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "[::1"])
    def test_a_host_that_is_not_ours_is_refused(self, client: Client, host: str) -> None:
        assert client.get("/", headers={"host": host}).status_code == 400

    def test_a_form_from_elsewhere_is_refused(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(make.a_user())
        assert client.post("/accounts/logout/").status_code == 403
        assert is_signed_in(client)
