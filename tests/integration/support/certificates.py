"""Certificates for tests, made at run time by the openssl command; nothing of them is kept."""

import pathlib
import shutil
import subprocess
import tempfile


def openssl(*arguments, folder):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=folder,
                   stdin=subprocess.DEVNULL, timeout=60)


class Pair:
    """A certificate and its key, as files."""

    def __init__(self, cert, key):
        self.cert, self.key = str(cert), str(key)

    @property
    def files(self):
        return {"cert": self.cert, "key": self.key}


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(self, name="hangu tests"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hangu-ca-"))
        self.cert = str(self.folder / "ca.pem")
        self.count = 0
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", "ca.key", "-out", "ca.pem", "-days", "365", "-subj", f"/CN={name}",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign", folder=self.folder)
        (self.folder / "index.txt").write_text("", encoding="ascii")
        (self.folder / "crlnumber").write_text("01\n", encoding="ascii")
        (self.folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=crlnumber\n"
            "default_md=sha256\ndefault_crl_days=30\nprivate_key=ca.key\ncertificate=ca.pem\n",
            encoding="ascii")

    def issue(self, names, subject=None, kind="ec", days=90, expired=False):
        """A certificate for alternative names such as "DNS:a.example"."""
        self.count += 1
        base = self.folder / f"leaf{self.count}"
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else \
            ["-newkey", kind]
        openssl("req", *new_key, "-nodes", "-keyout", f"{base}.key", "-out", f"{base}.csr", "-subj",
                f"/CN={subject or names[0].partition(':')[2]}", folder=self.folder)
        extensions = base.with_suffix(".ext")
        extensions.write_text(f"subjectAltName={','.join(names)}\n", encoding="ascii")
        if expired:
            database = self.folder / "expired"
            database.mkdir(exist_ok=True)
            (database / "index.txt").write_text("", encoding="ascii")
            (self.folder / "expired.cnf").write_text(
                "[ca]\ndefault_ca=d\n[d]\ndatabase=expired/index.txt\nrand_serial=yes\n"
                "default_md=sha256\nprivate_key=ca.key\ncertificate=ca.pem\n"
                "new_certs_dir=expired\npolicy=p\n[p]\ncommonName=supplied\n", encoding="ascii")
            openssl("ca", "-batch", "-notext", "-config", "expired.cnf", "-in", f"{base}.csr",
                    "-out", f"{base}.pem", "-extfile", extensions, "-startdate", "20200101000000Z",
                    "-enddate", "20200201000000Z", folder=self.folder)
        else:
            openssl("x509", "-req", "-in", f"{base}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                    "-CAcreateserial", "-out", f"{base}.pem", "-days", days, "-extfile", extensions,
                    folder=self.folder)
        return Pair(f"{base}.pem", f"{base}.key")

    def revoke(self, pair=None):
        """The revocation list, with one more certificate on it."""
        if pair:
            openssl("ca", "-config", "ca.cnf", "-revoke", pair.cert, folder=self.folder)
        openssl("ca", "-config", "ca.cnf", "-gencrl", "-out", "crl.pem", folder=self.folder)
        return str(self.folder / "crl.pem")

    def ocsp_response(self, pair):
        """The file of a response that says what the authority knows of the certificate."""
        common = ["ocsp", "-CA", "ca.pem", "-issuer", "ca.pem"]
        openssl(*common, "-cert", pair.cert, "-reqout", "request.der", folder=self.folder)
        openssl("ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey",
                "ca.key", "-reqin", "request.der", "-respout", "ocsp.der", folder=self.folder)
        return str(self.folder / "ocsp.der")

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
