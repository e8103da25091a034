"""Who has an account at a forge, and the tokens that speak for him."""

import dataclasses
import secrets


@dataclasses.dataclass(frozen=True)
class Person:
    id: int
    login: str
    name: str = ""
    bot: bool = False

    @property
    def shown(self):
        return self.name or self.login.title()


@dataclasses.dataclass
class Token:
    value: str
    person: Person
    scopes: frozenset
    # By the double's clock; None for never.
    expires: float | None = None
    revoked: bool = False
    # What only one forge's tokens have: GitHub's installation, GitLab's kind.
    about: dict = dataclasses.field(default_factory=dict)

    def is_alive(self, clock):
        return not self.revoked and (self.expires is None or clock.now() < self.expires)


class Tokens:
    def __init__(self, clock):
        self.clock, self.known = clock, {}

    def make(self, prefix, person, *scopes, seconds=None, **about):
        token = Token(prefix + secrets.token_urlsafe(24).replace("-", "x"), person, frozenset(scopes),
                      None if seconds is None else self.clock.now() + seconds, about=about)
        self.known[token.value] = token
        return token

    def find(self, value):
        """None for one that is unknown, revoked or too old: a forge tells no difference."""
        token = self.known.get(value)
        return token if token and token.is_alive(self.clock) else None
