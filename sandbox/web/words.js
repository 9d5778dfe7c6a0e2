// The client's own words, in the language of whoever is acting; what Kassör says is its own.

const WORDS = {
  en: {
    channels: "Channels", apps: "Apps", home: "Home", messages: "Messages", you: "You are", switch: "Act as somebody else",
    only: "Only visible to you", app: "APP", write: "Message, or / for a command", send: "Send", close: "Close", required: "required",
    optional: "optional", now: "It is", day: "+1 day", week: "+1 week", renewal: "To the next renewal", moving: "Time passes…",
    empty: "Nothing here yet. Type /upgrade to begin.", emptyChannel: "Nothing here yet.", pick: "Pick one", yes: "Yes", no: "Cancel",
    english: "English", swedish: "Swedish", stripe: "Stripe's side", members: "members", working: "One moment…", guest: "guest",
    homeEmpty: "Open the Home tab to see your billing page.", failed: "That did not work", more: "More", download: "Download",
    menu: "Menu", pickSeveral: "Pick one or more", search: "Search", type: "Type to search", remove: "Remove",
    world: "World", time: "Time", year: "+1 year", people: "People", person: "Person", deactivate: "Deactivate", reactivate: "Reactivate",
    makeGuest: "Make a guest", makeMember: "Make a member", newName: "Newcomer", join: "Let somebody join", gone: "deactivated",
    groups: "User groups", group: "Group", addToGroup: "Add the person", takeFromGroup: "Remove the person", disableGroup: "Disable the group",
    mishaps: "Mishaps", fault: "What", howOften: "How often", arrange: "Let it happen", waiting: "Waiting to happen", takeBack: "Take back",
    faultRate: "Slack: too many calls (429)", faultBefore: "Slack: a message times out, unsent", faultAfter: "Slack: a message times out, yet sent",
    faultError: "Slack: an error of its own (500)", faultEventDrop: "Slack: an event is lost", faultEventTwice: "Slack: an event comes twice",
    faultEventLate: "Slack: an event comes an hour late", faultDecline: "Stripe: the next renewal is declined", faultHookDrop: "Stripe: a webhook is lost",
    faultHookTwice: "Stripe: a webhook comes twice", faultHookOrder: "Stripe: webhooks out of order", faultApi: "Stripe: an error of its own (500)",
    kassor: "Kassör", process: "Process", elsewhere: "Started elsewhere", starting: "Starting again…", kill: "Kill without a goodbye", uninstall: "Uninstall the app", install: "Install the app again",
    traffic: "What was said over HTTP", asked: "Asked", answered: "Answered", noAnswer: "no answer",
  },
  sv: {
    channels: "Kanaler", apps: "Appar", home: "Start", messages: "Meddelanden", you: "Du är", switch: "Agera som någon annan",
    only: "Bara synligt för dig", app: "APP", write: "Skriv ett meddelande, eller / för ett kommando", send: "Skicka", close: "Stäng",
    required: "krävs", optional: "valfritt", now: "Det är", day: "+1 dag", week: "+1 vecka", renewal: "Till nästa förnyelse",
    moving: "Tiden går…", empty: "Inget här än. Skriv /uppgradera för att börja.", emptyChannel: "Inget här än.", pick: "Välj",
    yes: "Ja", no: "Avbryt", english: "engelska", swedish: "svenska", stripe: "Hos Stripe", members: "medlemmar",
    working: "Ett ögonblick…", guest: "gäst", homeEmpty: "Öppna fliken Start för att se din faktureringssida.",
    failed: "Det gick inte", more: "Mer", download: "Ladda ner", menu: "Meny", pickSeveral: "Välj en eller flera", search: "Sök",
    type: "Skriv för att söka", remove: "Ta bort",
    world: "Världen", time: "Tid", year: "+1 år", people: "Människor", person: "Person", deactivate: "Inaktivera", reactivate: "Återaktivera",
    makeGuest: "Gör till gäst", makeMember: "Gör till medlem", newName: "Nykomling", join: "Låt någon börja", gone: "inaktiverad",
    groups: "Användargrupper", group: "Grupp", addToGroup: "Lägg till personen", takeFromGroup: "Ta bort personen", disableGroup: "Stäng gruppen",
    mishaps: "Missöden", fault: "Vad", howOften: "Hur många", arrange: "Låt det hända", waiting: "Väntar på att hända", takeBack: "Ta tillbaka",
    faultRate: "Slack: för många anrop (429)", faultBefore: "Slack: ett meddelande hinner inte fram", faultAfter: "Slack: svaret dröjer men meddelandet kom fram",
    faultError: "Slack: ett eget fel (500)", faultEventDrop: "Slack: en händelse försvinner", faultEventTwice: "Slack: en händelse kommer två gånger",
    faultEventLate: "Slack: en händelse kommer en timme för sent", faultDecline: "Stripe: nästa förnyelse nekas", faultHookDrop: "Stripe: en webhook försvinner",
    faultHookTwice: "Stripe: en webhook kommer två gånger", faultHookOrder: "Stripe: webhookar i fel ordning", faultApi: "Stripe: ett eget fel (500)",
    kassor: "Kassör", process: "Process", elsewhere: "Startad någon annanstans", starting: "Startar igen…", kill: "Döda utan förvarning", uninstall: "Avinstallera appen", install: "Installera appen igen",
    traffic: "Vad som sagts över HTTP", asked: "Fråga", answered: "Svar", noAnswer: "inget svar",
  },
};

let spoken = "en";
export function speak(locale) {
  spoken = locale && locale.startsWith("sv") ? "sv" : "en";
  document.documentElement.lang = spoken;
}
export const language = () => spoken;
export const t = (key) => WORDS[spoken][key] ?? key;
export const locale = () => (spoken === "sv" ? "sv-SE" : "en-GB");
