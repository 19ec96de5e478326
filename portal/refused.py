"""The one error that a person may read: a stage function says no, and why."""

from collections.abc import Mapping


class Refused(Exception):
    """Raised by stage functions; views show its text as a message.

    `fields` names the form fields at fault, with what to do about each.
    """

    def __init__(self, text: object, *, fields: Mapping[str, object] | None = None) -> None:
        super().__init__(str(text))
        self.fields = {name: str(value) for name, value in (fields or {}).items()}
