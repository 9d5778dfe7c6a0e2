"""What the page that asks for consent says, in Swedish and English: of each permission a sentence, as somebody would tell it."""

WORDS = {
    "en": {
        "title": "{app} asks to be let in · Slack",
        "asks": "{app} asks for access to {place}",
        "workspace": "the workspace {name}",
        "organisation": "the whole organisation {name}",
        "signed_in": "Signed in to",
        "elsewhere": "Choose where",
        "wide": "{name} (whole organisation)",
        "view": "What will {app} be able to see?",
        "do": "What will {app} be able to do?",
        "people": "People and their profiles",
        "places": "Channels, messages and files",
        "workspace_itself": "The workspace itself",
        "others": "Other permissions",
        "allow": "Allow",
        "cancel": "Cancel",
        "again": "{app} is there already. Allowing renews its permissions.",
        "later": "Afterwards an admin chooses the workspaces it may be in.",
        "leads": "Either answer leads back to {host}.",
        "local": "Sandbox",
        "wrong": "This address asks for nothing that can be given",
    },
    "sv": {
        "title": "{app} ber om att få komma in · Slack",
        "asks": "{app} ber om åtkomst till {place}",
        "workspace": "arbetsytan {name}",
        "organisation": "hela organisationen {name}",
        "signed_in": "Inloggad i",
        "elsewhere": "Välj var",
        "wide": "{name} (hela organisationen)",
        "view": "Vad kommer {app} att kunna se?",
        "do": "Vad kommer {app} att kunna göra?",
        "people": "Människor och deras profiler",
        "places": "Kanaler, meddelanden och filer",
        "workspace_itself": "Själva arbetsytan",
        "others": "Andra behörigheter",
        "allow": "Tillåt",
        "cancel": "Avbryt",
        "again": "{app} finns där redan. Om du tillåter förnyas behörigheterna.",
        "later": "Sedan väljer en administratör vilka arbetsytor den får vara i.",
        "leads": "Båda svaren leder tillbaka till {host}.",
        "local": "Sandlåda",
        "wrong": "Den här adressen ber inte om något som kan ges",
    },
}

# Under which heading, in which group, and the sentence in each language.
SCOPES: dict[str, tuple[str, str, dict[str, str]]] = {
    scope: (kind, group, {"en": english, "sv": swedish})
    for scope, kind, group, english, swedish in (
        (
            *("users:read", "view", "people"),
            "See who is here: names, pictures, languages and time zones",
            "Se vilka som finns här: namn, bilder, språk och tidszoner",
        ),
        (
            *("users:read.email", "view", "people"),
            "See people’s e-mail addresses",
            "Se människors e-postadresser",
        ),
        (
            *("channels:read", "view", "places"),
            "See which public channels there are and who is in them",
            "Se vilka öppna kanaler som finns och vilka som är med i dem",
        ),
        (
            *("groups:read", "view", "places"),
            "See the private channels it has been invited to, and who is in them",
            "Se de privata kanaler som den är inbjuden till, och vilka som är med i dem",
        ),
        (
            *("im:read", "view", "places"),
            "See which direct messages it has with people",
            "Se vilka direktmeddelanden den har med människor",
        ),
        (
            *("mpim:read", "view", "places"),
            "See which group messages it takes part in",
            "Se vilka gruppmeddelanden den är med i",
        ),
        (
            *("channels:history", "view", "places"),
            "Read what is written in the public channels it is in",
            "Läsa det som skrivs i de öppna kanaler som den är med i",
        ),
        (
            *("groups:history", "view", "places"),
            "Read what is written in the private channels it is in",
            "Läsa det som skrivs i de privata kanaler som den är med i",
        ),
        (
            *("im:history", "view", "places"),
            "Read the direct messages people have with it",
            "Läsa de direktmeddelanden som människor har med den",
        ),
        (
            *("mpim:history", "view", "places"),
            "Read the group messages it takes part in",
            "Läsa de gruppmeddelanden som den är med i",
        ),
        (
            *("files:read", "view", "places"),
            "See files in the conversations it is in",
            "Se filer i de konversationer som den är med i",
        ),
        (
            *("team:read", "view", "workspace_itself"),
            "See what the workspace is called, its address and its picture",
            "Se vad arbetsytan heter, dess adress och dess bild",
        ),
        (
            *("usergroups:read", "view", "workspace_itself"),
            "See which user groups there are and who is in them",
            "Se vilka användargrupper som finns och vilka som är med i dem",
        ),
        (
            *("chat:write", "do", "places"),
            "Send messages in its own name",
            "Skicka meddelanden i eget namn",
        ),
        (
            *("im:write", "do", "places"),
            "Begin direct messages with people",
            "Börja direktmeddelanden med människor",
        ),
        (
            *("mpim:write", "do", "places"),
            "Begin group messages with people",
            "Börja gruppmeddelanden med människor",
        ),
        (
            *("channels:join", "do", "places"),
            "Join public channels",
            "Gå med i öppna kanaler",
        ),
        (
            *("channels:manage", "do", "places"),
            "Make public channels and look after them",
            "Skapa öppna kanaler och sköta dem",
        ),
        (
            *("groups:write", "do", "places"),
            "Make private channels and look after them",
            "Skapa privata kanaler och sköta dem",
        ),
        (
            *("files:write", "do", "places"),
            "Share files in its own name, change and remove them",
            "Dela filer i eget namn, ändra och ta bort dem",
        ),
        (
            *("commands", "do", "workspace_itself"),
            "Add commands that begin with / and that people can type",
            "Lägga till kommandon som börjar med / och som människor kan skriva",
        ),
    )
}
GROUPS = ("people", "places", "workspace_itself", "others")


def language_of(accept_language: str) -> str:
    """Swedish where the browser asks for it before English."""
    wishes = (each.strip().lower()[:2] for each in accept_language.split(","))
    return next((each for each in wishes if each in WORDS), "en")
