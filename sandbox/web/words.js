// The client's own words, in the language of whoever is acting; what Kassör says is its own.

const WORDS = {
  en: {
    channels: "Channels", apps: "Apps", home: "Home", messages: "Messages", you: "You are", switch: "Act as somebody else",
    only: "Only visible to you", app: "APP", write: "Message, or / for a command", send: "Send", close: "Close", required: "required",
    optional: "optional", now: "It is", day: "+1 day", week: "+1 week", renewal: "To the next renewal", moving: "Time passes…",
    empty: "Nothing here yet. Type /upgrade to begin.", emptyChannel: "Nothing here yet.", pick: "Pick one", yes: "Yes", no: "Cancel",
    english: "English", swedish: "Swedish", stripe: "Stripe's side", members: "members", working: "One moment…", guest: "guest",
    homeEmpty: "Open the Home tab to see your billing page.", failed: "That did not work", more: "More", download: "Download",
    tryit: "Try", menu: "Menu", today: "Today",
  },
  sv: {
    channels: "Kanaler", apps: "Appar", home: "Start", messages: "Meddelanden", you: "Du är", switch: "Agera som någon annan",
    only: "Bara synligt för dig", app: "APP", write: "Skriv ett meddelande, eller / för ett kommando", send: "Skicka", close: "Stäng",
    required: "krävs", optional: "valfritt", now: "Det är", day: "+1 dag", week: "+1 vecka", renewal: "Till nästa förnyelse",
    moving: "Tiden går…", empty: "Inget här än. Skriv /uppgradera för att börja.", emptyChannel: "Inget här än.", pick: "Välj",
    yes: "Ja", no: "Avbryt", english: "engelska", swedish: "svenska", stripe: "Hos Stripe", members: "medlemmar",
    working: "Ett ögonblick…", guest: "gäst", homeEmpty: "Öppna fliken Start för att se din faktureringssida.",
    failed: "Det gick inte", more: "Mer", download: "Ladda ner", tryit: "Prova", menu: "Meny", today: "I dag",
  },
};

let language = "en";
export function speak(locale) {
  language = locale && locale.startsWith("sv") ? "sv" : "en";
  document.documentElement.lang = language;
}
export const t = (key) => WORDS[language][key] ?? key;
export const locale = () => (language === "sv" ? "sv-SE" : "en-GB");
