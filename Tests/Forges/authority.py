"""A certificate authority for one test, made by openssl when it is needed: `with Authority() as ca: GitLab(tls=ca)`, and the client
trusts `ca.certificate` alone."""

import pathlib
import shutil
import ssl
import subprocess
import tempfile


def openssl(*arguments, stdin=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout


class Authority:
    """`names`: what the server's certificate is for. Another name there is a certificate that a client has to refuse."""

    def __init__(self, names="IP:127.0.0.1,DNS:localhost"):
        self.names = names

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="forge-ca-"))
        self.certificate = self.folder / "ca.pem"
        self.make("ca", "/CN=A test's authority", "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign")
        self.make("server", "/CN=forge.test", f"subjectAltName={self.names}", "basicConstraints=CA:FALSE", signer="ca")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def make(self, name, subject, *extensions, signer=None):
        extra = [word for extension in extensions for word in ("-addext", extension)]
        if signer:
            extra += ["-CA", self.folder / f"{signer}.pem", "-CAkey", self.folder / f"{signer}.key"]
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", subject,
                "-keyout", self.folder / f"{name}.key", "-out", self.folder / f"{name}.pem", *extra)
