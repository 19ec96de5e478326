"""The one table of the twelve questions: texts, examples, limits, the columns each fills, choices.

Called by forms, the question pages, the page with all questions, the check page and the help.
No text of a question is written anywhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise

TITLE_LEAST, TITLE_MOST = 10, 140
TEXT_MOST = 2000
PROBLEM_GUIDE_WORDS = 100
ATTACHMENT_MOST_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True)
class Choice:
    """One card to pick. str() is its label, so that it can stand as a label in a form's choices."""

    key: str
    label: Words
    help: Words = ""

    def __str__(self) -> str:
        return str(self.label)


@dataclass(frozen=True)
class Question:
    """One page of the form. `fields` are columns of Application, in the order of the page."""

    number: int
    key: str
    title: Words
    why: Words
    example: Words
    fields: tuple[str, ...]
    short: Words
    guide_words: int | None = None
    cap_characters: int | None = None
    is_optional: bool = False
    hidden_from_reviewers: bool = False


@dataclass(frozen=True)
class FieldWords:
    """Label and help of one column on its page."""

    label: Words
    help: Words = ""


JOB_KINDS: tuple[Choice, ...] = (
    Choice(
        "fine_tune", _("Fine-tune a language model"), _("Teach a ready model your language or your subject")
    ),
    Choice("speech", _("Speech"), _("Recognise or make speech")),
    Choice("images", _("Images"), _("Sort, find or make pictures")),
    Choice("run_model", _("Run a model"), _("Use a ready model on your own data, without training")),
    Choice("class", _("A class"), _("Pupils or students learn with it; a teacher asks")),
    Choice("api_credits", _("API credits"), _("Calls to a hosted model instead of a GPU")),
    Choice("not_sure", _("I’m not sure"), _("A person will help you to find out")),
)
DATA_RIGHTS: tuple[Choice, ...] = (
    Choice("public", _("Public data"), _("Its licence allows what we plan")),
    Choice("ours", _("Our own data"), _("We made or collected it ourselves")),
    Choice("community", _("A community’s data"), _("The community has agreed to this use")),
    Choice(
        "personal",
        _("Data about persons"),
        _("We will ask you how you protect them; it does not rule you out"),
    ),
    Choice("not_yet", _("We do not have it yet"), _("Tell us later where it comes from")),
)
SHARES: tuple[Choice, ...] = (
    Choice("model", _("The model"), _("Others can download and use it")),
    Choice("data", _("The data"), _("As far as its owners allow")),
    Choice("lesson", _("What we learned"), _("A short text, also about what did not work")),
    Choice("nothing", _("Nothing"), _("There can be good reasons; tell us yours")),
)
STEADINESS: tuple[Choice, ...] = (
    Choice("steady", _("Steady"), _("Cuts are rare")),
    Choice("cuts", _("Cuts most weeks"), _("We save each job as it goes and start it again for you")),
    Choice("now_and_then", _("Online now and then"), _("Jobs run while you are away")),
    Choice("not_sure", _("I’m not sure")),
)
GROUP_KINDS: tuple[Choice, ...] = (
    Choice("community", _("A community group"), _("No legal form is needed")),
    Choice("nonprofit", _("A non-profit organisation")),
    Choice("school", _("A school")),
    Choice("university", _("A university or research institute")),
    Choice("cooperative", _("A cooperative")),
    Choice("company", _("A company")),
    Choice("person", _("One person"), _("You alone are enough")),
)
PROMISES: tuple[Choice, ...] = (
    Choice("true_answers", _("Our answers are true as far as we know.")),
    Choice("rules", _("We use the hours for this work, and keep the cluster’s rules.")),
    Choice("publish", _("If we get hours, our title, goal, country and outcome may be published.")),
    Choice("no_harm", _("We do not use the hours to hurt, deceive or spy on people.")),
    Choice("conflicts", _("We name every reviewer whom we know, so that they can stand back.")),
)

QUESTIONS: tuple[Question, ...] = (
    Question(
        1,
        "make",
        _("What will you make?"),
        _("One line tells reviewers, and later the public, what the hours are for."),
        _("A Sylheti speech recogniser for farm helplines"),
        fields=("title",),
        short=_("What you will make"),
        cap_characters=TITLE_MOST,
    ),
    Question(
        2,
        "problem",
        _("What problem, for whom, where?"),
        _("Three or four sentences, in any language. Reviewers use this to see who is helped."),
        _(
            "Deaf pupils in our town have no captions for lessons in Wolof. Eleven teachers have recorded "
            "forty hours and want captions by September."
        ),
        fields=("problem",),
        short=_("Problem, for whom, where"),
        guide_words=PROBLEM_GUIDE_WORDS,
        cap_characters=TEXT_MOST,
    ),
    Question(
        3,
        "goal",
        _("Which goal is this mainly for?"),
        _("Funders give hours for certain goals. One main goal is enough; add two others at most."),
        _(
            "A helpline for farmers is mainly for goal 2, zero hunger. If it also helps people who were left "
            "out, add goal 10."
        ),
        fields=("sdg_main", "sdg_others"),
        short=_("Goal"),
    ),
    Question(
        4,
        "outcome",
        _("What will change, and how will you know?"),
        _("A number and a month make it possible to look back together. A modest number is fine."),
        _("500 calls answered by June"),
        fields=("outcome_number", "outcome_unit", "outcome_month", "outcome_text"),
        short=_("What will change"),
        cap_characters=TEXT_MOST,
    ),
    Question(
        5,
        "job",
        _("What kind of job is it?"),
        _("It decides how we estimate the hours and which cluster suits you."),
        _("Captions for lessons: choose speech. Answers to letters in your own language: choose fine-tune."),
        fields=("job_kind",),
        short=_("Kind of job"),
    ),
    Question(
        6,
        "size",
        _("How big is the job?"),
        _(
            "Tell us three things and we work out the hours. A guess is fine: nobody is marked down for "
            "asking for help."
        ),
        _("A 7B model, 50,000 sentences, three times through them: one run takes 1 to 6 hours. Ask for 15."),
        fields=("gpu_type", "ask_gpu_seconds", "minimum_gpu_seconds", "ask_reason", "wants_help"),
        short=_("Hours"),
    ),
    Question(
        7,
        "so_far",
        _("What have you done so far?"),
        _("It shows that you can do it; no degree is asked for. “Nothing yet” is a good answer too."),
        _("We recorded forty calls and tried a ready model on a laptop. It understood one word in three."),
        fields=("done_so_far",),
        short=_("Done so far"),
        cap_characters=TEXT_MOST,
        is_optional=True,
    ),
    Question(
        8,
        "data",
        _("Whose data is it, and may you use it?"),
        _("Data belong to people. We ask so that nobody is used without a say."),
        _(
            "Recordings by the callers, who agreed in writing: choose a community’s data and data about "
            "persons."
        ),
        fields=("data_rights",),
        short=_("Data and rights"),
    ),
    Question(
        9,
        "share",
        _("What will you share?"),
        _("The hours are public, so we ask what comes back to others. A lesson learned counts."),
        _(
            "The model under an open licence, and two pages on what did not work. The recordings stay with "
            "the community."
        ),
        fields=("shares", "shares_why"),
        short=_("What you will share"),
        cap_characters=TEXT_MOST,
    ),
    Question(
        10,
        "when",
        _("When, and how steady are power and internet?"),
        _("We ask so that we can queue and resume jobs for you. A weak line never lowers your score."),
        _("From March, for 12 weeks. Power cuts most weeks."),
        fields=("start_month", "weeks", "steadiness"),
        short=_("When"),
    ),
    Question(
        11,
        "who",
        _("Who are you, and how can we reach you?"),
        _("Only to talk to you. Reviewers do not see it before all scores are in. You need no organisation."),
        _("Surma Voice Circle, four people in Bangladesh, by phone."),
        fields=("country", "group_name", "group_kind", "group_size", "contact_phone", "contact_email"),
        short=_("Who you are"),
        hidden_from_reviewers=True,
    ),
    Question(
        12,
        "promises",
        _("Five promises"),
        _("The hours are lent on trust. Read each line and tick it if you agree."),
        _(
            "If you know one of the reviewers, write the name. It does you no harm; another person reads "
            "instead."
        ),
        fields=("promises", "known_reviewers"),
        short=_("Promises"),
        hidden_from_reviewers=True,
    ),
)

FIELD_WORDS: Mapping[str, FieldWords] = {
    "title": FieldWords(_("What will you make?"), _("One line, ten to 140 characters")),
    "problem": FieldWords(_("What problem, for whom, where?"), _("About 100 words are plenty")),
    "sdg_main": FieldWords(_("The main goal"), _("Leave it open if you are not sure")),
    "sdg_others": FieldWords(_("Other goals (optional)"), _("Two at most")),
    "outcome_number": FieldWords(_("How many?"), _("A number, such as 500")),
    "outcome_unit": FieldWords(_("Of what?"), _("Such as: calls answered, pupils, hectares")),
    "outcome_month": FieldWords(_("By which month?")),
    "outcome_text": FieldWords(_("Or in your own words"), _("Use this if no number fits")),
    "job_kind": FieldWords(_("Kind of job")),
    "gpu_type": FieldWords(_("Which GPU?"), _("Take the first one if you are not sure")),
    "ask_gpu_seconds": FieldWords(_("Hours you ask for")),
    "minimum_gpu_seconds": FieldWords(
        _("Least that would still help"),
        _("If hours run short we may offer something between the two, rather than say no."),
    ),
    "ask_reason": FieldWords(
        _("Why so many?"), _("One sentence: your ask is more than twice what we suggested")
    ),
    "wants_help": FieldWords(_("Let a person work it out with me")),
    "done_so_far": FieldWords(_("What have you done so far? (optional)"), _("A few sentences, or a link")),
    "data_rights": FieldWords(_("Whose data is it?"), _("Choose all that fit")),
    "shares": FieldWords(_("What will you share?"), _("Choose all that fit")),
    "shares_why": FieldWords(_("Tell us more (optional)"), _("If you share nothing, tell us why")),
    "start_month": FieldWords(_("First month")),
    "weeks": FieldWords(_("For how many weeks?"), _("A number, such as 6")),
    "steadiness": FieldWords(_("Power and internet where you work")),
    "country": FieldWords(_("Country")),
    "group_name": FieldWords(_("Name of your group"), _("Your own name will do")),
    "group_kind": FieldWords(_("What kind of group?")),
    "group_size": FieldWords(_("How many people are you?")),
    "contact_phone": FieldWords(_("Phone"), _("Phone or e-mail: one is enough")),
    "contact_email": FieldWords(_("E-mail"), _("Phone or e-mail: one is enough")),
    "promises": FieldWords(_("We promise")),
    "known_reviewers": FieldWords(_("Reviewers whom you know (optional)"), _("Names, one a line")),
}


def question(number: int) -> Question:
    """Question 1 to 12; raises KeyError for any other number."""
    if not 1 <= number <= len(QUESTIONS):
        raise KeyError(number)
    return QUESTIONS[number - 1]


def question_of(field: str) -> Question:
    """The question that fills this column."""
    return next(each for each in QUESTIONS if field in each.fields)


def pairs(choices: Sequence[Choice]) -> list[tuple[str, Words]]:
    """(key, label), for model fields and filters."""
    return [(choice.key, choice.label) for choice in choices]


def picks(choices: Sequence[Choice]) -> list[tuple[str, Choice]]:
    """(key, Choice), for form fields: the partial _pick.html then shows each card's help line too."""
    return [(choice.key, choice) for choice in choices]


def labels(choices: Sequence[Choice], keys: Sequence[str]) -> list[str]:
    """The labels of the chosen keys, in the order of the table."""
    return [str(choice.label) for choice in choices if choice.key in keys]
