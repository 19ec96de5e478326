"""The groups of the demo and what they write. Invented; the texts are data, not translated."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grants.models import GpuType

HOUR = 3600
PROMISES = ["true_answers", "rules", "publish", "no_harm", "conflicts"]


@dataclass(frozen=True)
class DemoGroup:
    name: str
    kind: str
    country: str
    size: int
    contact: str
    title: str
    problem: str
    sdg: int
    others: tuple[int, ...]
    outcome: tuple[int, str]
    job: str
    ask: int
    minimum: int
    done: str

    def answers(self, *, gpu_type: GpuType, after: datetime) -> dict[str, Any]:
        """All twelve answers, with hours from the first month after the hours start."""
        month = after.date().replace(day=1)
        start = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
        return {
            "title": self.title,
            "problem": self.problem,
            "sdg_main": self.sdg,
            "sdg_others": list(self.others),
            "outcome_number": self.outcome[0],
            "outcome_unit": self.outcome[1],
            "outcome_month": start.replace(year=start.year + 1),
            "outcome_text": "",
            "job_kind": self.job,
            "gpu_type": gpu_type,
            "ask_gpu_seconds": self.ask * HOUR,
            "minimum_gpu_seconds": self.minimum * HOUR,
            "ask_reason": "Three runs, each with one repeat for power cuts.",
            "wants_help": False,
            "done_so_far": self.done,
            "data_rights": ["community"],
            "shares": ["model", "lesson"],
            "shares_why": "",
            "start_month": start,
            "weeks": 12,
            "steadiness": "cuts",
            "country": self.country,
            "group_name": self.name,
            "group_kind": self.kind,
            "group_size": self.size,
            "contact_phone": "+000 555 0100",
            "contact_email": "",
            "promises": PROMISES,
            "known_reviewers": "",
        }


GROUPS = (
    DemoGroup(
        name="Surma Voice Circle",
        kind="community",
        country="BD",
        size=4,
        contact="Amina Khatun",
        title="A Sylheti speech recogniser for farm helplines",
        problem=(
            "Farmers in three districts call a helpline that cannot understand Sylheti. "
            "They wait two days for an answer; in the rains that costs a crop."
        ),
        sdg=2,
        others=(10,),
        outcome=(500, "calls answered"),
        job="speech",
        ask=150,
        minimum=75,
        done="Forty hours of recordings, agreed by the people who speak in them.",
    ),
    DemoGroup(
        name="Clinique Mobile du Fleuve",
        kind="nonprofit",
        country="SN",
        size=9,
        contact="Awa Diop",
        title="Reading malaria slides where there is no laboratory",
        problem=(
            "Our boat visits forty villages. A slide travels six days to be read. "
            "A small image model on a laptop would tell us the same evening."
        ),
        sdg=3,
        others=(1,),
        outcome=(1200, "slides read on board"),
        job="images",
        ask=240,
        minimum=120,
        done="Three thousand slides with two readings each.",
    ),
    DemoGroup(
        name="Escuela Rural 31",
        kind="school",
        country="UY",
        size=12,
        contact="Marta Silva",
        title="A reading helper that speaks like our pupils",
        problem=(
            "Pupils between eight and eleven read aloud to nobody, for one teacher has four classes. "
            "A helper that listens would let each of them read every day."
        ),
        sdg=4,
        others=(),
        outcome=(60, "pupils reading aloud daily"),
        job="fine_tune",
        ask=120,
        minimum=60,
        done="A year of recordings with the parents' consent.",
    ),
    DemoGroup(
        name="Lake Fishers' Union",
        kind="cooperative",
        country="KE",
        size=31,
        contact="Achieng Odhiambo",
        title="Storm warnings in Dholuo by voice message",
        problem=(
            "Warnings come in English, by text, to people on a boat at night. "
            "We turn the weather office's bulletin into voice messages in Dholuo."
        ),
        sdg=13,
        others=(14, 8),
        outcome=(900, "boats warned in time"),
        job="speech",
        ask=180,
        minimum=100,
        done="Two seasons of bulletins read by radio speakers.",
    ),
    DemoGroup(
        name="Open Wells",
        kind="nonprofit",
        country="IN",
        size=6,
        contact="Ravi Iyer",
        title="Finding wells that will fall dry before the summer",
        problem=(
            "Eleven villages share ninety wells and nobody knows which will fail. "
            "From levels, rain and pictures from above we predict it eight weeks ahead."
        ),
        sdg=6,
        others=(11,),
        outcome=(90, "wells with a forecast"),
        job="fine_tune",
        ask=300,
        minimum=150,
        done="Four years of levels, and a first model that is right two times of three.",
    ),
    DemoGroup(
        name="Signs of Home",
        kind="community",
        country="JO",
        size=5,
        contact="Nour Haddad",
        title="Captions for lessons in sign language",
        problem=(
            "Deaf children in two camps follow lessons that nobody captions in their signs. "
            "We have forty hours of lessons, signed and written."
        ),
        sdg=4,
        others=(10,),
        outcome=(200, "lessons with captions"),
        job="images",
        ask=200,
        minimum=120,
        done="Forty hours of video; the families keep the rights.",
    ),
    DemoGroup(
        name="Ana Souza",
        kind="person",
        country="BR",
        size=1,
        contact="Ana Souza",
        title="A model that knows our river's plants",
        problem=(
            "Healers on our river know six hundred plants by names that no book holds. "
            "With them I make a guide that young people can ask by picture."
        ),
        sdg=15,
        others=(3,),
        outcome=(600, "plants named"),
        job="images",
        ask=90,
        minimum=45,
        done="Two hundred plants, with pictures and who may use them.",
    ),
)
