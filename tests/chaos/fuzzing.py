"""A coverage-guided fuzzer on what the receiver reads before it stores anything: the signature's header and the envelope.

libFuzzer ends the process it runs in, so it has one of its own: `python -m tests.chaos.fuzzing CORPUS -runs=100000 -seed=1`.
What it holds: only `Forged` and `NotAnEvent` are ever raised, and what is read agrees with Python's own JSON reader.
"""

import json
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["domain.envelope", "webhooks.receiver"]):
    from domain.envelope import NotAnEvent, read
    from webhooks.receiver import Forged, check_signature

SEEDS = (
    b'{"id":"evt_1","object":"event","type":"invoice.paid","created":1795000000,"data":{"object":{"id":"in_1","customer":"cus_1"}}}',
    b'{"id":"evt_1","type":"t","created":0,"data":{"object":{"customer":{"id":"cus_1"}}}}',
    b'{"id":"evt_1","type":"t","created":1,"data":{"object":null},"x":"\\ud800"}',
    b"t=1795000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd",
    b"t=1,t=2,v1=,v0=a",
)
WORDS = (
    '"id":',
    '"type":',
    '"object":',
    '"created":',
    '"data":',
    '"customer":',
    '"event"',
    "null",
    "true",
    "1e5",
    "-0",
    "[",
    "{",
    "}",
    "]",
    ",",
    "\\\\ud800",
    "\\\\u0000",
    "t=",
    "v1=",
)


def once(data: bytes) -> None:
    """One input, as a header and as a body. Raises AssertionError, or whatever the product should not have."""
    try:
        check_signature(b"{}", data.decode(errors="surrogateescape"), ("whsec_a", "whsec_b"), 1_795_000_000)
        raise AssertionError("a signature was guessed")
    except Forged:
        pass
    try:
        arrival = read(data)
    except NotAnEvent:
        return
    same = json.loads(data)
    assert (arrival.id, arrival.type, arrival.created_at.timestamp()) == (same["id"], same["type"], same["created"])
    assert arrival.payload.encode() == data
    assert arrival.id.isascii()
    assert 0 < len(arrival.lane) <= 255


def main() -> None:
    """Sow the corpus and let go."""
    corpus = Path(sys.argv[1])
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(SEEDS):
        (corpus / f"seed{number}").write_bytes(seed)
    words = corpus.with_suffix(".dict")
    words.write_text("".join('"{}"\n'.format(word.replace('"', '\\"')) for word in WORDS))
    atheris.Setup([*sys.argv, f"-dict={words}"], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
