"""The applicants' forms: one for each of the twelve questions, and the estimator's."""

from grants.forms.base import AnswerForm
from grants.forms.estimate import EstimateForm
from grants.forms.questions import FORMS
from grants.forms.size import SizeForm

__all__ = ["FORMS", "AnswerForm", "EstimateForm", "SizeForm"]
