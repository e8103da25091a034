"""Reads an OpenAPI document on standard input and says what is wrong with it; exit 0 if nothing is.

With openapi-spec-validator installed, that decides; what is checked here is checked in any case: references resolve,
operations have names of their own, path parameters and templates agree, and every schema is of a kind that exists.
"""

import json
import re
import sys

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
TYPES = {"string", "integer", "number", "boolean", "array", "object", "null"}


def resolve(document, reference):
    node = document
    if not reference.startswith("#/"):
        return None
    for part in reference[2:].split("/"):
        if not isinstance(node, dict) or part not in node:
            return None
        node = node[part]
    return node


def check_schema(document, schema, place):
    if not isinstance(schema, dict):
        yield f"{place}: not a schema"
        return
    if "$ref" in schema:
        if resolve(document, schema["$ref"]) is None:
            yield f"{place}: {schema['$ref']} leads nowhere"
        return
    types = schema.get("type", [])
    for name in types if isinstance(types, list) else [types]:
        if name not in TYPES:
            yield f"{place}: no type {name!r}"
    for name, inner in schema.get("properties", {}).items():
        yield from check_schema(document, inner, f"{place}.{name}")
    for name in schema.get("required", []):
        if name not in schema.get("properties", {}):
            yield f"{place}: requires {name}, which it does not describe"
    if types == "array" and "items" not in schema:
        yield f"{place}: an array of what?"
    if "items" in schema:
        yield from check_schema(document, schema["items"], place + "[]")
    for inner in schema.get("anyOf", []):
        yield from check_schema(document, inner, place)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from check_schema(document, schema["additionalProperties"], place + ".*")


def check_content(document, holder, place):
    for media, content in holder.get("content", {}).items():
        if "/" not in media:
            yield f"{place}: {media!r} is not a media type"
        yield from check_schema(document, content.get("schema"), f"{place} {media}")


def check_operation(document, path, method, operation):
    place = f"{method.upper()} {path}"
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        if parameter.get("in") not in {"path", "query", "header", "cookie"}:
            yield f"{place}: parameter {parameter.get('name')} is nowhere"
        yield from check_schema(document, parameter.get("schema"), f"{place} {parameter.get('name')}")
    described = {p["name"] for p in parameters if p.get("in") == "path" and p.get("required") is True}
    if described != set(re.findall(r"{(\w+)}", path)):
        yield f"{place}: the parameters of the path are not those described"
    responses = operation.get("responses") or {}
    if not any(re.fullmatch(r"2\d\d", status) for status in responses):
        yield f"{place}: never succeeds"
    for status, response in responses.items():
        if not re.fullmatch(r"[1-5]\d\d|default", status) or not response.get("description"):
            yield f"{place}: response {status}"
        yield from check_content(document, response, f"{place} {status}")
    if "requestBody" in operation:
        yield from check_content(document, operation["requestBody"], f"{place} body")
    schemes = document.get("components", {}).get("securitySchemes", {})
    for name in (name for need in operation.get("security", []) for name in need):
        if name not in schemes:
            yield f"{place}: no security scheme {name}"


def check(document):
    if not str(document.get("openapi", "")).startswith("3.1."):
        yield "not OpenAPI 3.1"
    if not {"title", "version"} <= document.get("info", {}).keys():
        yield "info has no title or no version"
    seen = set()
    for path, item in document.get("paths", {}).items():
        if not path.startswith("/"):
            yield f"{path}: not a path"
        for method, operation in item.items():
            if method not in METHODS:
                yield f"{path}: no method {method}"
                continue
            name = operation.get("operationId")
            if not name or name in seen:
                yield f"{method.upper()} {path}: needs an operationId of its own"
            seen.add(name)
            yield from check_operation(document, path, method, operation)
    if not seen:
        yield "no operations"
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        yield from check_schema(document, schema, name)


def validated(document):
    """The verdict of openapi-spec-validator, where there is one."""
    try:
        from openapi_spec_validator import OpenAPIV31SpecValidator
    except ImportError:
        return
    try:
        for error in OpenAPIV31SpecValidator(document).iter_errors():
            yield f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
    except Exception as error:  # it raises for what it cannot resolve
        yield f"openapi-spec-validator: {type(error).__name__}: {str(error)[:200]}"


def main():
    try:
        document = json.load(sys.stdin)
    except ValueError as error:
        sys.exit(f"not JSON: {error}")
    if not isinstance(document, dict):
        sys.exit("not an object")
    problems = list(check(document)) or list(validated(document))
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
