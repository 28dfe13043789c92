"""Which model is asked, where, and how patiently: plain settings, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.tutoring import ModelAbout, Price
from jupyter_ppo.tutor.retrying import Backoff

#: Where each provider's requests go unless ``base_url`` says otherwise.
OWN_URLS = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
#: How an answer's schema is asked for: by the wire format, by words, or by what works.
STRUCTURED = ("auto", "schema", "prompt")


@dataclass(frozen=True, slots=True)
class ModelSetup:
    """What a model is reached by; times in seconds.

    ``timeout`` bounds one request, from its first byte to its last; ``concurrency`` how many are
    under way at once. Raises ``InvalidInputError`` naming the field that cannot be used.
    """

    provider: str
    model: str
    key: str = field(default="", repr=False)
    base_url: str = ""
    structured: str = "auto"
    timeout: float = 60.0
    concurrency: int = 4
    price: Price | None = None
    backoff: Backoff = field(default_factory=Backoff)

    def __post_init__(self) -> None:
        """Refuse what cannot work, and an address that would carry a secret around."""
        if self.provider not in OWN_URLS:
            msg = f"provider: {self.provider!r} is not known. Use one of {sorted(OWN_URLS)}."
            raise InvalidInputError(msg, field="provider")
        if not self.model.strip() or not self.model.isprintable():
            msg = "model: no model is named. Use the name that the service has for it."
            raise InvalidInputError(msg, field="model")
        if self.structured not in STRUCTURED:
            msg = f"structured: {self.structured!r} is not known. Use one of {STRUCTURED}."
            raise InvalidInputError(msg, field="structured")
        check_url(self.base_url)
        if not self.key.isascii() or not self.key.isprintable() or " " in self.key:
            msg = "key: it has characters that no header can carry. Copy it again."
            raise InvalidInputError(msg, field="key")

    @property
    def url(self) -> str:
        """Where requests go."""
        return self.base_url or OWN_URLS[self.provider]

    @property
    def lacks_key(self) -> bool:
        """Whether this service takes no request without a key, and there is none."""
        return not self.key and (self.provider == "anthropic" or not self.base_url)

    @property
    def about(self) -> ModelAbout:
        """What may be told of it."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
        return ModelAbout(self.provider, self.model, f"{host}{port}", self.price)


def check_url(url: str) -> None:
    """Raise ``InvalidInputError`` for a base address that cannot be used; "" is none."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        bare = "@" not in parts.netloc and not parts.query and not parts.fragment
        _ = parts.port  # raises for what is no port
    except ValueError:
        usable, bare = False, True
    # The address itself is not repeated: a key in it would end up in a log.
    if not bare:
        msg = (
            "base_url: it has a user, a query or a fragment. Use the plain address; a key belongs "
            "in the setting of the key."
        )
        raise InvalidInputError(msg, field="base_url")
    if not usable or not url.isprintable() or " " in url:
        msg = "base_url: this is no address. Use https://host/v1, as the service documents it."
        raise InvalidInputError(msg, field="base_url")
