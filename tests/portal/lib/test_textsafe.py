"""Text and addresses at the door: one normal form, nothing that a database or a reader would choke on."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib.textsafe import TextRefused, clean_email, clean_text

LOOK_ALIKES = {"\u212a", "\u212b", *"аеорсухіјѕԁһɡıⅰⅿｍ𝐦𝓶ᵐΜМѵνɑᴀℓİſøłđħŧŋƅɱոսзցʏᴏօ೦০٠"}


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\ud800", "\x9f", "\ufffe", "\ufdd0"])
def test_a_character_that_cannot_be_stored_is_refused_and_named(character: str) -> None:
    with pytest.raises(TextRefused, match=f"U\\+{ord(character):04X}"):
        clean_text(f"before{character}after")


def test_line_ends_of_all_machines_and_word_processors_become_one() -> None:
    assert clean_text("a\r\nb\rc\vd\u2028e\x85f") == "a\nb\nc\nd\ne\nf"


def test_one_line_stays_one_line() -> None:
    assert clean_text(" a\r\nb\tc ", is_one_line=True) == "a b c"


def test_letters_are_composed() -> None:
    assert clean_text("e\u0301cole") == "école"


def test_marks_that_turn_text_round_are_taken_out() -> None:
    assert clean_text("\u202dabc\u202e\u2066d\ufeff") == "abcd"


def test_joiners_that_bengali_persian_and_families_need_are_kept() -> None:
    for text in ("ক্\u200dষ", "می\u200cخواهم", "👩\u200d🌾", "א\u200f1"):
        assert clean_text(text) == unicodedata.normalize("NFC", text)


@given(st.text(alphabet=st.characters()))
def test_cleaning_twice_changes_nothing_more_and_the_result_can_be_stored(text: str) -> None:
    try:
        cleaned = clean_text(text)
    except TextRefused:
        return
    assert clean_text(cleaned) == cleaned
    assert "\x00" not in cleaned
    assert cleaned.encode().decode() == cleaned


def test_addresses_have_one_form() -> None:
    assert clean_email("  Mina.Rahman+gpu@Example.ORG ") == "mina.rahman+gpu@example.org"
    assert clean_email("a@xn--bcher-kva.de") == "a@xn--bcher-kva.de"
    assert clean_email("a@b.xn--p1ai") == "a@b.xn--p1ai"


@pytest.mark.parametrize("letter", sorted(LOOK_ALIKES))
def test_look_alike_letters_are_refused_in_every_part(letter: str) -> None:
    for address in (f"m{letter}ke@example.org", f"mike@ex{letter}mple.org", f"mike@example.{letter}rg"):
        with pytest.raises(TextRefused, match="plain letter"):
            clean_email(address)


@pytest.mark.parametrize(
    "address",
    ["", "mike", "@example.org", "mike@", "mike@localhost", "a b@example.org", "a@b@example.org",
     "a..b@example.org", ".a@example.org", "a@-b.org", "a@b..org", "a@b.org\nBcc: c@d.org", "<a@b.org>",
     "a@[127.0.0.1]", "a" * 65 + "@b.org"],
)  # fmt: skip
def test_half_an_address_is_refused(address: str) -> None:
    with pytest.raises(TextRefused, match="whole e-mail address"):
        clean_email(address)
