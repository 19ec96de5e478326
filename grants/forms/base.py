"""What the twelve forms of answers have in common. Called by the forms beside and the question pages."""

from typing import Any, ClassVar

from django import forms

from grants.models import Application
from grants.questions import FIELD_WORDS, Question, question


class AnswerForm(forms.Form):
    """One question: its fields are columns of an application, with the words of the one table."""

    number: ClassVar[int]
    use_required_attribute = False

    def __init__(self, *args: Any, application: Application, **more: Any) -> None:
        self.application = application
        kept = {column: getattr(application, column) for column in self.question.fields}
        more["initial"] = kept | more.get("initial", {})
        super().__init__(*args, **more)
        for column in self.question.fields:
            field: Any = self.fields[column]  # its stubs know no Promise
            field.label, field.help_text = FIELD_WORDS[column].label, FIELD_WORDS[column].help
        if len(self.question.fields) == 1:
            # The question is the label, so its reason is the help; an optional one says so in its own label.
            field.label = field.label if self.question.is_optional else self.question.title
            field.help_text = self.question.why
        self.offer_choices()

    def offer_choices(self) -> None:
        """For forms whose choices depend on the application."""

    @property
    def question(self) -> Question:
        return question(self.number)

    @property
    def answers(self) -> dict[str, Any]:
        """The columns to keep, once the form is valid."""
        return {column: self.cleaned_data[column] for column in self.question.fields}
