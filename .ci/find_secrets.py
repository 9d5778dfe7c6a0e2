"""Secrets committed by mistake, in every file that git tracks or in those named. Exits 1 and says where, never what.

It knows secrets by their shapes and does not guess by entropy: the locks are thousands of random-looking digests, and a check that
is mostly wrong is soon switched off. Beside the shapes that detect-secrets keeps, it knows those of Slack, Stripe and our settings.
"""

import re
import subprocess
import sys
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parents[1]
KNOWN = (
    "AWSKeyDetector", "AzureStorageKeyDetector", "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector",
    "JwtTokenDetector", "MailchimpDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector",
    "SendGridDetector", "SquareOAuthDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip


class KassorDetector(RegexBasedDetector):
    """What Kassör is trusted with, as the real ones look; the sandbox's and the tests' are shorter, and plainly made up."""

    secret_type = "a secret of Slack's, Stripe's or Kassör's"  # noqa: S105 - what it is called when it is found
    denylist = (
        re.compile(r"xox[abeoprs](?:\.xox[bp])?-[0-9A-Za-z-]{30,}"),
        re.compile(r"xapp-[0-9]-[0-9A-Z]{9,}-[0-9]{9,}-[0-9a-f]{32,}"),
        re.compile(r"[rs]k_(?:live|test)_[0-9A-Za-z]{24,}"),
        re.compile(r"whsec_[0-9A-Za-z+/]{24,}"),
        re.compile(r"""SLACK_(?:SIGNING|CLIENT)_SECRET["']?\s*[:=]\s*["']?[0-9a-f]{32}\b"""),
        re.compile(r"""KASSOR_ENCRYPTION_KEYS["']?\s*[:=]\s*["']?[0-9A-Za-z_-]{43}="""),
    )


def found_in(files: list[Path]) -> list[str]:
    """`file:line: what kind`, for each secret."""
    plugins = [{"name": name} for name in KNOWN]
    plugins.append({"name": KassorDetector.__name__, "path": f"file://{Path(__file__).resolve()}"})
    found = SecretsCollection()
    with transient_settings({"plugins_used": plugins}):
        for file in files:
            found.scan_file(str(file))
    return sorted({f"{file}:{secret.line_number}: {secret.type}" for file, secret in found})


def tracked() -> list[Path]:
    """Every file that git would put into a commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def main(names: list[str]) -> int:
    """1 when there is anything."""
    files = [Path(name) for name in names] or tracked()
    found = found_in(files)
    for line in found:
        print(f"{line}. Take it out, and make it worthless where it was issued: git remembers.", file=sys.stderr)
    print(f"{len(files)} files looked through for secrets: {len(found)} found.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
