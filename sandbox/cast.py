"""Who is in the sandbox: an organisation with teams, and a small second workspace for the wrong-workspace rule. All invented.

One person, Tove Hedlund, is a member of both with the same address, as a consultant would be.
"""

from dataclasses import dataclass, field

AVATARS = ("#1f6f54", "#8a4b9e", "#b4562b", "#2d6a9f", "#a23b5a", "#5c6b2f", "#3f5fae", "#7a5230", "#2f7f86", "#914a4a")


@dataclass
class User:
    """Somebody (or a bot) in a workspace, with what Slack knows of them."""

    id: str
    team_id: str
    name: str
    real_name: str
    email: str
    locale: str
    tz: str
    is_bot: bool = False
    is_restricted: bool = False  # a guest
    is_ultra_restricted: bool = False  # a guest of one channel
    deleted: bool = False
    is_admin: bool = False
    updated: int = 0

    @property
    def counted(self) -> bool:
        """An active human who is no guest."""
        return not (self.is_bot or self.is_restricted or self.deleted)

    @property
    def initials(self) -> str:
        """Two letters for the avatar."""
        return "".join(part[0] for part in self.real_name.split()[:2]).upper()

    @property
    def colour(self) -> str:
        """The avatar's colour, always the same for the same person."""
        return AVATARS[sum(map(ord, self.id)) % len(AVATARS)]


@dataclass
class Channel:
    """A public or private channel."""

    id: str
    team_id: str
    name: str
    purpose: str
    members: list[str] = field(default_factory=list)
    is_private: bool = False
    creator: str = ""
    is_archived: bool = False
    previous_names: list[str] = field(default_factory=list)


@dataclass
class UserGroup:
    """A user group: what a team is, to Kassör."""

    id: str
    team_id: str
    handle: str
    name: str
    users: list[str]
    deleted_at: int = 0  # when it was disabled, seconds since 1970
    deleted_by: str | None = None
    updated: int = 1_700_000_000


@dataclass
class Workspace:
    """A workspace, its people, channels and groups, and the app's place in it."""

    id: str
    name: str
    domain: str
    bot_user_id: str
    bot_id: str
    bot_token: str
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    usergroups: dict[str, UserGroup] = field(default_factory=dict)
    installed: bool = False


@dataclass
class Organisation:
    """An Enterprise Grid organisation of workspaces, and the app's place in it. There is none until one is formed."""

    id: str
    name: str
    domain: str
    bot_user_id: str
    bot_id: str
    bot_token: str
    workspaces: list[str]
    installed: bool = False
    admitted: list[str] = field(default_factory=list)  # the workspaces that it lets the app into


_STOCKHOLM, _NEW_YORK, _LONDON = "Europe/Stockholm", "America/New_York", "Europe/London"

_FJALLVIND = (
    ("U0ALICE01", "alice", "Alice Morgan", "en-US", _NEW_YORK),
    ("U0BJORN02", "bjorn", "Björn Åkesson", "sv-SE", _STOCKHOLM),
    ("U0CARIN03", "carin", "Carin Öberg", "sv-SE", _STOCKHOLM),
    ("U0DAVID04", "david", "David Chen", "en-GB", _LONDON),
    ("U0EBBA005", "ebba", "Ebba Lindström", "sv-SE", _STOCKHOLM),
    ("U0FREYA06", "freya", "Freya Nyström", "sv-SE", _STOCKHOLM),
    ("U0GRACE07", "grace", "Grace Okafor", "en-GB", _LONDON),
    ("U0HUGO008", "hugo", "Hugo Sandberg", "sv-SE", _STOCKHOLM),
    ("U0INGRID9", "ingrid", "Ingrid Holm", "sv-SE", _STOCKHOLM),
    ("U0JAMES10", "james", "James Porter", "en-US", _NEW_YORK),
    ("U0KLARA11", "klara", "Klara Ekman", "sv-SE", _STOCKHOLM),
    ("U0LIAM012", "liam", "Liam Walsh", "en-GB", _LONDON),
    ("U0MAJA013", "maja", "Maja Forsberg", "sv-SE", _STOCKHOLM),
    ("U0NILS014", "nils", "Nils Wikström", "sv-SE", _STOCKHOLM),
    ("U0OLIVE15", "olivia", "Olivia Reyes", "en-US", _NEW_YORK),
    ("U0PRIYA16", "priya", "Priya Raman", "en-GB", _LONDON),
    ("U0SAGA017", "saga", "Saga Bergqvist", "sv-SE", _STOCKHOLM),
    ("U0TOVE018", "tove", "Tove Hedlund", "sv-SE", _STOCKHOLM),
)
_PIXELBRYGGAN = (
    ("U1ANTON01", "anton", "Anton Dahl", "sv-SE", _STOCKHOLM),
    ("U1BECKY02", "becky", "Becky Stone", "en-GB", _LONDON),
    ("U1TOVE003", "tove", "Tove Hedlund", "sv-SE", _STOCKHOLM),
    ("U1DAN0004", "dan", "Dan Whitfield", "en-US", _NEW_YORK),
)

# A consultant who is a member of both, with one address: who Slack knows twice, and Stripe once.
IN_BOTH = ("U0TOVE018", "U1TOVE003")
IN_BOTH_EMAIL = "tove@hedlund.example"

SET_UP_BY = "W0SETUP001"  # had Kassör installed before anybody came; an administrator who is in neither workspace

SALES_CHANNEL, SUPPORT_CHANNEL, AUDIT_CHANNEL = "C0SALES001", "C0SUPPORT1", "C0AUDIT001"
SALES_STAFF = ("U0NILS014", "U0OLIVE15")


def workspaces() -> dict[str, Workspace]:
    """The two workspaces as the sandbox opens: everybody on Basic, nobody owner."""
    first = Workspace("T0FJALL01", "Fjällvind", "fjallvind", "U0KASSOR1", "B0KASSOR1", "xoxb-sandbox-fjallvind-0001")
    second = Workspace(
        "T1PIXEL01", "Pixelbryggan", "pixelbryggan", "U1KASSOR1", "B1KASSOR1", "xoxb-sandbox-pixelbryggan-0002"
    )
    for workspace, people in ((first, _FJALLVIND), (second, _PIXELBRYGGAN)):
        for user_id, name, real_name, locale, tz in people:
            email = IN_BOTH_EMAIL if user_id in IN_BOTH else f"{name}@{workspace.domain}.example"
            workspace.users[user_id] = User(user_id, workspace.id, name, real_name, email, locale, tz)
        next(iter(workspace.users.values())).is_admin = True
        workspace.users[workspace.bot_user_id] = User(
            workspace.bot_user_id, workspace.id, "kassor", "Kassör", "", "en-US", "UTC", is_bot=True
        )
    first.users["U0GUEST19"] = User(
        "U0GUEST19", first.id, "vera", "Vera Blom", "vera@byran.example", "sv-SE", _STOCKHOLM, is_restricted=True
    )
    first.users["U0STATUS1"] = User("U0STATUS1", first.id, "statusbot", "Status Bot", "", "en-US", "UTC", is_bot=True)
    first.users["U0GONE020"] = User(
        "U0GONE020", first.id, "sixten", "Sixten Gran", "sixten@fjallvind.example", "sv-SE", _STOCKHOLM, deleted=True
    )
    _channels(first, second)
    design = [user_id for user_id, *_ in _FJALLVIND[4:9]]
    first.usergroups["S0DESIGN1"] = UserGroup("S0DESIGN1", first.id, "design", "Design", design)
    crew = [user_id for user_id, *_ in _FJALLVIND[9:12]]
    first.usergroups["S0DATA001"] = UserGroup("S0DATA001", first.id, "data", "Data", crew)
    return {first.id: first, second.id: second}


def _channels(first: Workspace, second: Workspace) -> None:
    people = [user.id for user in first.users.values() if user.counted]
    everyone = [*people, "U0GUEST19", "U0STATUS1", first.bot_user_id]
    desk = [*SALES_STAFF, "U0PRIYA16"]
    for channel in (
        Channel("C0GENERAL", first.id, "allmänt", "Everyone at Fjällvind", everyone),
        Channel("C0DESIGN1", first.id, "design", "Sketches and opinions", [user_id for user_id, *_ in _FJALLVIND[4:9]]),
        Channel(SALES_CHANNEL, first.id, "sales-desk", "Requests that need a person", [*desk, first.bot_user_id]),
        Channel(SUPPORT_CHANNEL, first.id, "support", "Questions about billing", [*desk, first.bot_user_id]),
        Channel(
            AUDIT_CHANNEL, first.id, "billing-audit", "Who changed what", ["U0ALICE01", *desk, first.bot_user_id], True
        ),
    ):
        channel.creator = channel.members[0]
        first.channels[channel.id] = channel
    everyone_there = [user.id for user in second.users.values()]
    second.channels["C1GENERAL"] = Channel(
        "C1GENERAL", second.id, "general", "Everyone", everyone_there, creator=everyone_there[0]
    )
