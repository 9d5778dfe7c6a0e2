"""How a Kassör proves that it is the one meant: whoever shares its settings gives it a word and gets that word sealed back.

`kassor doctor` asks KASSOR_PUBLIC_URL so, and notices an address that leads to another installation, or to somebody else.
"""

import hashlib
import hmac
import re

_WORD = re.compile(r"[A-Za-z0-9_-]{16,64}")


def proof(signing_secret: str, word: str) -> str | None:
    """The word sealed, in hex; None for a word that is none of ours.

    The key is derived, and only for this: nothing that Slack would ever sign can come out of here.
    """
    if not _WORD.fullmatch(word):
        return None
    key = hmac.new(signing_secret.encode(), b"kassor: is it you?", hashlib.sha256).digest()
    return hmac.new(key, word.encode(), hashlib.sha256).hexdigest()
