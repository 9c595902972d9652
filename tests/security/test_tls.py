"""Encryption: of Triton itself through the launcher, and of the proxy."""

import datetime
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trustme

from clients import Enhanced, Enhancer, Retry, Tls, api_key
from clients.errors import DeniedError, UnreachableError
from deploy.access import keys
from deploy.access.certificates import Certificates, CertificatesError, make
from deploy.server.ports import Ports
from deploy.server.restrictions import Access
from deploy.server.triton import TritonServer
from files.checkout import ROOT
from tests.security.conftest import PHOTO, Site, start

BOTH = pytest.mark.parametrize("protocol", ["grpc", "http"])
YESTERDAY = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
ELSEWHERE = "127.0.0.2"  # another address of this machine, as a network's would be


def enhanced(url: str, tls: Tls, **settings: object) -> Enhanced:
    with Enhancer(url, tls=tls, retry=Retry(attempts=1), **settings) as enhancer:
        return enhancer.enhance(PHOTO, mode="fast")


def client_tls(certificates: Certificates) -> Tls:
    certificate, key = certificates.client
    return Tls(certificates.authority, key, certificate)


@dataclass
class Command:
    """A server that the command started: where it said that it listens."""

    http_url: str
    grpc_url: str
    metrics_url: str
    certificates: Certificates


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """The launcher with mutual TLS, told to listen on another address than this machine's own."""
    certificates = Certificates(tmp_path_factory.mktemp("tls"))
    make([ELSEWHERE], certificates)
    arguments = [f"--{name}-port={port}" for name, port in vars(Ports.free()).items()]
    arguments += ["--host", ELSEWHERE, "--tls", "mutual", "--secrets", str(certificates.folder)]
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.server", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as launcher:
        try:
            assert launcher.stdout is not None
            yield Command(*launcher.stdout.readline().split()[1:4], certificates)
        finally:
            launcher.send_signal(signal.SIGINT)


def test_encrypted_server_takes_photos_of_those_who_have_a_certificate(command: Command) -> None:
    assert command.grpc_url.startswith(f"grpcs://{ELSEWHERE}:")
    assert enhanced(command.grpc_url, client_tls(command.certificates)).size_px == (320, 200)
    with pytest.raises(UnreachableError, match="--certificate-chain"):
        enhanced(command.grpc_url, Tls(command.certificates.authority))
    with pytest.raises(UnreachableError):
        enhanced(command.grpc_url.replace("grpcs", "grpc"), Tls())


def test_protocols_without_encryption_stay_on_this_machine(command: Command) -> None:
    for url in (f"{command.http_url}/v2", command.metrics_url):
        assert httpx.get(url).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(url.replace("127.0.0.1", ELSEWHERE))


def test_one_sided_tls_asks_for_no_client_certificate(certificates: Certificates) -> None:
    def names(tls: str) -> set[str]:
        return {option.split("=")[0] for option in Access(tls=tls, secrets=certificates.folder).options()}

    assert names("mutual") - names("server") == {"--grpc-use-ssl-mutual", "--grpc-root-cert"}


def test_a_missing_certificate_names_the_command_that_makes_it(tmp_path: Path) -> None:
    server = TritonServer(access=Access(tls="server", secrets=tmp_path), log=tmp_path / "log")
    with pytest.raises(CertificatesError, match=r"deploy\.access certificates "), server:
        pass


def written(folder: Path, authority: trustme.CA, identity: str, **settings: object) -> Certificates:
    """Certificates of a given authority, in the place where the proxy looks for them."""
    certificates = Certificates(folder)
    leaf = authority.issue_cert(identity, **settings)
    folder.mkdir()
    for certificate, key in (certificates.server, certificates.client):
        leaf.cert_chain_pems[0].write_to_path(certificate)
        leaf.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(certificates.authority)
    return certificates


@BOTH
@pytest.mark.parametrize("flaw", ["expired", "for another host", "of an unknown authority"])
def test_clients_refuse_a_proxy_whose_certificate_is_wrong(
    restricted_server: TritonServer, tmp_path: Path, protocol: str, flaw: str
) -> None:
    authority = trustme.CA()
    identity = "elsewhere.local" if flaw == "for another host" else "127.0.0.1"
    settings = {"not_after": YESTERDAY} if flaw == "expired" else {}
    certificates = written(tmp_path / "secrets", authority, identity, **settings)
    trusted = tmp_path / "trusted.pem"
    (trustme.CA() if "unknown" in flaw else authority).cert_pem.write_to_path(trusted)
    key = keys.add("studio", tmp_path / "api-keys")
    with start(restricted_server, certificates, tmp_path) as proxy:
        url = {"grpc": proxy.grpcs_url, "http": proxy.https_url}[protocol]
        with pytest.raises(UnreachableError, match=r"(?i)certificate|hostname verification"):
            enhanced(url, Tls(trusted), headers=api_key(key))
        assert not (tmp_path / "logs/access.log").read_text()  # the key was not sent


@pytest.fixture(scope="module")
def mutual_site(
    restricted_server: TritonServer, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A proxy that wants a client's certificate and a key."""
    folder = tmp_path_factory.mktemp("mutual")
    key = keys.add("studio", folder / "api-keys")
    with start(restricted_server, certificates, folder, mutual=True) as proxy:
        yield Site(proxy, key)


@BOTH
def test_mutual_tls_of_the_proxy_wants_both_certificate_and_key(mutual_site: Site, protocol: str) -> None:
    right = client_tls(mutual_site.proxy.certificates)
    with mutual_site.enhancer(protocol, tls=right) as enhancer:
        assert enhancer.enhance(PHOTO, mode="fast").size_px == (320, 200)
    with mutual_site.enhancer(protocol, tls=right, headers={}) as enhancer, pytest.raises(DeniedError, match="key"):
        enhancer.enhance(PHOTO)
    with mutual_site.enhancer(protocol) as enhancer, pytest.raises(DeniedError, match=r"certificate|403"):
        enhancer.enhance(PHOTO)


@BOTH
@pytest.mark.parametrize("flaw", ["expired", "of an unknown authority"])
def test_client_certificates_that_are_wrong_are_refused(
    mutual_site: Site, certificates: Certificates, tmp_path: Path, protocol: str, flaw: str
) -> None:
    if flaw == "expired":
        pem = (certificates.authority.read_bytes(), (certificates.folder / "ca.key").read_bytes())
        authority, settings = trustme.CA.from_pem(*pem), {"not_after": YESTERDAY}
    else:
        authority, settings = trustme.CA(), {}
    wrong = client_tls(written(tmp_path / "secrets", authority, "client", **settings))
    tls = Tls(certificates.authority, wrong.private_key, wrong.certificate_chain)
    with mutual_site.enhancer(protocol, tls=tls) as enhancer, pytest.raises(DeniedError, match=r"certificate|403"):
        enhancer.enhance(PHOTO)


def test_old_versions_of_tls_are_refused(site: Site) -> None:
    context = ssl.create_default_context(cafile=site.proxy.certificates.authority)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.ConnectError, match=r"(?i)protocol"):
        httpx.get(site.proxy.https_url, verify=context)


def test_made_certificates_can_be_renewed_under_the_same_authority(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    make(["spark.local", "192.168.1.20"], certificates)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    make(["spark.local"], certificates)
    assert certificates.authority.read_bytes() == before["ca.pem"]
    assert certificates.server[0].read_bytes() != before["server.pem"]
    for key in tmp_path.glob("*.key"):
        assert key.stat().st_mode & 0o077 == 0
    verify = ["openssl", "verify", "-verify_hostname", "spark.local", "-CAfile", "ca.pem", "server.pem"]
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_a_proxy_says_what_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.proxy", "--secrets", str(tmp_path)]

    def told() -> str:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        return done.stderr

    assert "deploy.access certificates " in told()
    make(["localhost"], Certificates(tmp_path))
    assert "deploy.access keys add" in told()
