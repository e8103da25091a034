"""Doubles of the forges: strict servers on loopback, written from the forges' documentation, which refuse what the real ones refuse.

What a real forge lets pass and we should never send (a field that nobody knows, a wrong content type) they refuse as well: a double that
is kinder than the original would be a test that cannot fail."""
