"""The 17 Sustainable Development Goals: number, short name, colour, a plain line on each.

Called wherever a goal shows: as number, colour and words. The United Nations' icons need permission, so none
is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WHITE, BLACK = "#ffffff", "#111111"


@dataclass(frozen=True)
class Goal:
    number: int
    name: str | Promise
    plain: str | Promise
    colour: str
    text_colour: str

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


GOALS: tuple[Goal, ...] = (
    Goal(1, _("No poverty"), _("People have enough to live on, also after a bad year."), "#e5243b", WHITE),
    Goal(
        2, _("Zero hunger"), _("Everyone eats well, and farmers can live from their land."), "#dda63a", BLACK
    ),
    Goal(
        3,
        _("Good health and well-being"),
        _("Fewer people fall ill, and those who do get care."),
        "#4c9f38",
        BLACK,
    ),
    Goal(
        4,
        _("Quality education"),
        _("Everyone can learn, at any age, in a language they know."),
        "#c5192d",
        WHITE,
    ),
    Goal(5, _("Gender equality"), _("Women and girls decide, earn and live in safety."), "#ff3a21", BLACK),
    Goal(
        6,
        _("Clean water and sanitation"),
        _("Safe water to drink, and toilets for everyone."),
        "#26bde2",
        BLACK,
    ),
    Goal(
        7,
        _("Affordable and clean energy"),
        _("Power that people can pay for and that does not pollute."),
        "#fcc30b",
        BLACK,
    ),
    Goal(
        8,
        _("Decent work and economic growth"),
        _("Fair, safe work, and small businesses that can grow."),
        "#a21942",
        WHITE,
    ),
    Goal(
        9,
        _("Industry, innovation and infrastructure"),
        _("Roads, networks and workshops that last, and new ideas that are put to use."),
        "#fd6925",
        BLACK,
    ),
    Goal(
        10,
        _("Reduced inequalities"),
        _("Those who are left out get the same chances as others."),
        "#dd1367",
        WHITE,
    ),
    Goal(
        11,
        _("Sustainable cities and communities"),
        _("Homes, buses and public places that are safe and open to all."),
        "#fd9d24",
        BLACK,
    ),
    Goal(
        12,
        _("Responsible consumption and production"),
        _("Make and use things with less waste."),
        "#bf8b2e",
        BLACK,
    ),
    Goal(
        13,
        _("Climate action"),
        _("Slow down climate change, and get ready for what comes."),
        "#3f7e44",
        WHITE,
    ),
    Goal(14, _("Life below water"), _("Healthy seas, coasts and fish."), "#0a97d9", BLACK),
    Goal(15, _("Life on land"), _("Forests, soils, animals and plants that live on."), "#56c02b", BLACK),
    Goal(
        16,
        _("Peace, justice and strong institutions"),
        _("Less violence, fair courts, and offices that answer to people."),
        "#00689d",
        WHITE,
    ),
    Goal(
        17,
        _("Partnerships for the goals"),
        _("Countries and groups that help each other to get there."),
        "#19486a",
        WHITE,
    ),
)
BY_NUMBER: Mapping[int, Goal] = {goal.number: goal for goal in GOALS}


def goal(number: int) -> Goal:
    return BY_NUMBER[number]


def goal_choices() -> list[tuple[int, Goal]]:
    """For a form field; the partial _pick.html shows the name and, below it, `plain`."""
    return [(each.number, each) for each in GOALS]
