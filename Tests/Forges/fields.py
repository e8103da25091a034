"""What a JSON body has to be: a closed map of names and checks. A name that nobody knows is refused; forges pass over it, and a
misspelt field would be a feature that is quietly not there."""

import re


class Wrong(Exception):
    """This field is not what it has to be. `kind`: missing, unknown, type, long, short, value."""

    def __init__(self, field, kind, problem):
        super().__init__(field, kind, problem)
        self.field, self.kind, self.problem = field, kind, problem

    def __str__(self):
        return f"{self.field} {self.problem}"


def read(document, fields, at=""):
    """`fields`: name to check; a name with `?` may be missing. Returns the document."""
    known = {name.rstrip("?"): (check, name.endswith("?")) for name, check in fields.items()}
    for name in document:
        if name not in known:
            raise Wrong(at + name, "unknown", "is unknown")
    for name, (check, optional) in known.items():
        if name in document:
            check(document[name], at + name)
        elif not optional:
            raise Wrong(at + name, "missing", "is missing")
    return document


def typed(kind, name):
    def check(value, at):
        if type(value) is not kind:
            raise Wrong(at, "type", f"is not {name}")
    return check


flag = typed(bool, "a boolean")


def text(most=65536, least=0, one_of=None, like=None):
    def check(value, at):
        typed(str, "a string")(value, at)
        if len(value) > most:
            raise Wrong(at, "long", f"is too long (maximum is {most} characters)")
        if len(value) < least:
            raise Wrong(at, "short", "is empty")
        if one_of is not None and value not in one_of or like is not None and not re.fullmatch(like, value):
            raise Wrong(at, "value", "does not have a valid value")
    return check


def address(most=65536):
    """An http or https URL, or nothing."""
    return text(most=most, like=r"(https?://[^\s/]+[^\s]*)?")


def number(least=0, most=1 << 53):
    def check(value, at):
        typed(int, "an integer")(value, at)
        if not least <= value <= most:
            raise Wrong(at, "value", "does not have a valid value")
    return check


def real(value, at):
    if type(value) not in (int, float):
        raise Wrong(at, "type", "is not a number")


def listed(check, most=1000, least=0):
    def checks(value, at):
        typed(list, "an array")(value, at)
        if not least <= len(value) <= most:
            raise Wrong(at, "long", f"has not between {least} and {most} elements")
        for place, element in enumerate(value):
            check(element, f"{at}[{place}]")
    return checks


def mapped(**fields):
    """A closed map; a trailing underscore in a name stands for the question mark that Python does not allow there."""
    fields = {name[:-1] + "?" if name.endswith("_") else name: check for name, check in fields.items()}

    def checks(value, at):
        typed(dict, "an object")(value, at)
        read(value, fields, f"{at}.")
    return checks


def either(*checks):
    def check(value, at):
        for one in checks[:-1]:
            try:
                return one(value, at)
            except Wrong:
                continue
        return checks[-1](value, at)
    return check


def null(value, at):
    if value is not None:
        raise Wrong(at, "type", "is not null")
