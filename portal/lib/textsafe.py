"""Cleans text that people type before it is stored; fields of forms and models call it.

A database refuses some of these characters, mail and CSV are broken by others: better told at the field.
"""

import re
import unicodedata

from django.utils.translation import gettext as _

LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# Marks that turn the order of the text around them: pasted by accident, used to deceive, never needed.
TURNING_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")
LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
DOMAIN = re.compile(
    r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})"
)


class TextRefused(ValueError):
    """The text cannot be taken as it is; the message says what to change."""


def clean_text(value: str, *, is_one_line: bool = False) -> str:
    """The text in one normal form: composed letters, plain line ends, no blanks around it.

    Raises TextRefused for characters that stand for nothing a person can write.
    """
    text = TURNING_MARKS.sub("", LINE_ENDS.sub("\n", value))
    if is_one_line:
        text = " ".join(text.replace("\t", " ").split("\n"))
    for character in text:
        if not _is_writable(character):
            raise TextRefused(
                _("The text holds a character that cannot be stored (%(code)s). Delete it, then go on.")
                % {"code": f"U+{ord(character):04X}"}
            )
    return unicodedata.normalize("NFC", text).strip()


def _is_writable(character: str) -> bool:
    if character in "\n\t":
        return True
    # Cc: control characters, NUL among them; Cs: halves of a letter (lone surrogates).
    is_nothing = ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF
    return not is_nothing and unicodedata.category(character) not in ("Cc", "Cs")


def clean_email(value: str) -> str:
    """The address in the one form that is stored and compared: lower case, plain Latin letters.

    Letters that only look like Latin ones are refused, in every part: two addresses that a person or a
    database might take for one another can then never both exist. Raises TextRefused.
    """
    address = value.strip()
    if not address.isascii():
        looks_like = unicodedata.normalize("NFKC", address)
        odd = next(character for character in address if not character.isascii())
        raise TextRefused(
            _("“%(letter)s” in this address is not a plain letter. Write it in plain letters%(hint)s.")
            % {"letter": odd, "hint": f" ({looks_like.lower()})" if looks_like.isascii() else ""}
        )
    address = address.lower()
    local, _at, domain = address.rpartition("@")
    if len(local) > 64 or not LOCAL_PART.fullmatch(local) or not DOMAIN.fullmatch(domain):
        raise TextRefused(_("This is not a whole e-mail address. Write it like name@example.org."))
    return address
