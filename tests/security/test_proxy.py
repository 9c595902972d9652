"""The proxy lets photos through for those who have a key, and nothing else for anybody."""

import http.client
import ssl
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc

from clients import Enhancer, Retry, api_key
from clients.errors import BusyError, DeniedError, PhotoError
from clients.transports.shared_memory import FOLDER, PREFIX, SMALLEST_PHOTO
from deploy.access import keys
from deploy.access.certificates import Certificates
from deploy.proxy.settings import Server
from deploy.server.triton import TritonServer
from tests.photos import encoded, photo
from tests.security.conftest import PHOTO, Site, start

BOTH = pytest.mark.parametrize("protocol", ["grpc", "http"])
SERVICE = service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
INNER_MODELS = ("decode", "tiler", "generator", "encode")
REFUSALS = (401, 403, 404, 413, 415, 429)
FORWARDED = {"ServerLive", "ServerReady", "ServerMetadata", "ModelReady", "ModelMetadata", "ModelInfer"}


@pytest.fixture
def channel(site: Site) -> Iterator[grpc.Channel]:
    """To the proxy, without a key."""
    credentials = grpc.ssl_channel_credentials(site.proxy.certificates.authority.read_bytes())
    with grpc.secure_channel(site.proxy.grpcs_url.removeprefix("grpcs://"), credentials) as channel:
        yield channel


def metadata(key: str) -> tuple[tuple[str, str], ...]:
    return tuple(api_key(key).items())


@pytest.fixture(autouse=True)
def _what_is_refused_reaches_no_server(site: Site) -> Iterator[None]:
    yield
    refused = [entry for entry in site.access_log if entry["status"] in REFUSALS or entry["endpoint"] == "other"]
    assert not [entry for entry in refused if entry["server"]]


@BOTH
def test_a_photo_comes_back_as_from_the_server_itself(
    site: Site, restricted_server: TritonServer, protocol: str
) -> None:
    direct = {"grpc": restricted_server.grpc_url, "http": restricted_server.http_url}[protocol]
    large = encoded(photo(1500, 1000), quality=95)
    with Enhancer(direct) as near, site.enhancer(protocol) as far:
        far.check()
        for content in (PHOTO, large):
            assert far.enhance(content, mode="fast").data == near.enhance(content, mode="fast").data


def test_shared_memory_is_given_up_without_a_word(site: Site, restricted_server: TritonServer) -> None:
    """Over the proxy, which does not forward it, and at the server, which wants the operator's key for it."""
    large = encoded(photo(1500, 1000), quality=95)
    assert len(large) > SMALLEST_PHOTO
    with Enhancer(restricted_server.grpc_url) as near, site.enhancer("grpc") as far:
        assert near.enhance(large, mode="fast").data == far.enhance(large, mode="fast").data
    assert not list(FOLDER.glob(f"{PREFIX}*"))


@BOTH
@pytest.mark.parametrize("key", ["studio-00000000:guess", "{id}:guess", "{id}x:{secret}", "{id}:{secret}x", None])
def test_no_key_and_wrong_keys_are_refused(site: Site, protocol: str, key: str | None) -> None:
    key_id, _, secret = site.key.partition(":")
    headers = api_key(key.format(id=key_id, secret=secret)) if key else {}
    with site.enhancer(protocol, headers=headers) as enhancer:
        for call in (enhancer.check, lambda: enhancer.enhance(PHOTO)):
            with pytest.raises(DeniedError, match="API key is missing, unknown or revoked"):
                call()


@BOTH
def test_a_key_ends_with_the_next_request_after_it_is_revoked(site: Site, protocol: str) -> None:
    stolen = keys.add("freelancer", site.proxy.keys)
    with site.enhancer(protocol, headers=api_key(stolen)) as enhancer, site.enhancer(protocol) as other:
        enhancer.enhance(PHOTO, mode="fast")
        keys.revoke("freelancer", site.proxy.keys)
        with pytest.raises(DeniedError):
            enhancer.enhance(PHOTO, mode="fast")
        other.enhance(PHOTO, mode="fast")


@pytest.mark.parametrize("method", [method.name for method in SERVICE.methods])
def test_of_tritons_calls_only_inference_health_and_metadata_are_forwarded(
    site: Site, channel: grpc.Channel, method: str
) -> None:
    call = channel.unary_unary(f"/{SERVICE.full_name}/{method}", bytes, bytes)
    with pytest.raises(grpc.RpcError) as without_key:
        call(b"")
    assert without_key.value.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
    if method in FORWARDED:
        assert without_key.value.code() is grpc.StatusCode.UNAUTHENTICATED
    else:
        with pytest.raises(grpc.RpcError) as refused:
            call(b"", metadata=metadata(site.key))
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("service", ["grpc.health.v1.Health/Check", "inference.Other/ModelInfer"])
def test_other_services_are_refused(site: Site, channel: grpc.Channel, service: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(f"/{service}", bytes, bytes)(b"", metadata=metadata(site.key))
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


REFUSED_PATHS = [
    *("/", "/metrics", "/v2/models/stats", "/v2/logging", "/v2/trace/setting", "/v2/repository/index"),
    *("/v2/repository/models/enhance/load", "/v2/repository/models/enhance/unload"),
    *("/v2/systemsharedmemory/status", "/v2/systemsharedmemory/region/x/register", "/v2/cudasharedmemory/status"),
    *("/v2/models/enhance/config", "/v2/models/enhance/stats", "/v2/models/enhance/trace/setting"),
    *("/v2/models/enhance/versions/1/infer", "/v2/models/enhance/generate", "/v2/models/enhance/generate_stream"),
    *(f"/v2/models/{model}{verb}" for model in INNER_MODELS for verb in ("", "/infer", "/ready")),
]  # fmt: skip


@pytest.mark.parametrize("path", REFUSED_PATHS)
def test_other_addresses_and_models_are_refused(site: Site, path: str) -> None:
    with site.http() as client:
        for method in ("GET", "POST"):
            answer = client.request(method, path)
            assert (answer.status_code, "only inference" in answer.json()["error"]) == (403, True)


@pytest.mark.parametrize("request_line", ["DELETE /v2", "POST /v2/models/enhance", "GET /v2/models/enhance/infer"])
def test_other_methods_are_refused(site: Site, request_line: str) -> None:
    with site.http() as client:
        assert client.request(*request_line.split()).status_code == 403


TRICKS = [
    *("//v2", "/v2//models/enhance", "/v2/./models/enhance", "/v2/models/generator/../enhance", "/v2/models/../v2"),
    *("/v2/models/enhance/infer/../../generator/infer", "/v2/models/enhance%2f..%2fgenerator/infer", "/%76%32"),
    *("/v2/models/%65nhance/infer", "/v2/models/enhance/infer%0a", "/v2/models/enhance%00", "/v2/models/enhance?a"),
    *("/V2/models/enhance", "/v2/models/Enhance", "/v2/models/enhance/infer/", "/v2/models/enhance.", "/v2./models"),
    *("/v2/models/enhance/infer;v=1", "/v2/models/enhance\\infer", "/v2/models/enhance/..", "/v2/..;/metrics"),
    *("/v2/models/enhance/infer/..%2f..%2fgenerator", "http://127.0.0.1/v2/repository/index", "/v2#/../metrics"),
    *(f"/{SERVICE.full_name}/../{SERVICE.full_name}/ModelInfer", "/inference%2eGRPCInferenceService/ModelInfer"),
]  # fmt: skip


@pytest.mark.parametrize("path", TRICKS)
def test_tricks_with_the_path_reach_no_server(site: Site, path: str) -> None:
    context = ssl.create_default_context(cafile=site.proxy.certificates.authority)
    connection = http.client.HTTPSConnection("127.0.0.1", site.proxy.port, context=context)
    connection.request("GET", path, headers=api_key(site.key))
    assert connection.getresponse().status in (400, 403, 404)
    connection.close()


def test_compressed_requests_are_refused_before_anything_unpacks_them(site: Site, channel: grpc.Channel) -> None:
    with site.http() as client:
        answer = client.post("/v2/models/enhance/infer", content=b"x", headers={"content-encoding": "gzip"})
    assert answer.status_code == 415
    stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
    request = service_pb2.ModelInferRequest(model_name="enhance", raw_input_contents=[bytes(1_000_000)])
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(request, metadata=metadata(site.key), compression=grpc.Compression.Gzip)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_plain_connections_are_told_to_use_tls(site: Site) -> None:
    answer = httpx.get(site.proxy.https_url.replace("https", "http") + "/v2")
    assert answer.status_code == 400 and "TLS" in answer.json()["error"]


@pytest.mark.parametrize("model", INNER_MODELS)
def test_inner_models_survive_whatever_a_key_holder_sends_over_grpc(
    site: Site, channel: grpc.Channel, model: str
) -> None:
    """The model's name is inside the message, where nginx does not look: what is refused over HTTP is not here."""
    stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
    described = stub.ModelMetadata(service_pb2.ModelMetadataRequest(name=model), metadata=metadata(site.key))
    request = service_pb2.ModelInferRequest(model_name=model)
    for tensor in described.inputs:
        request.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=[abs(size) for size in tensor.shape])
        request.raw_input_contents.append(b"\xff")
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(request, metadata=metadata(site.key), timeout=20)
    assert refused.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL)
    with site.enhancer("grpc", retry=Retry(attempts=1)) as enhancer:
        enhancer.enhance(PHOTO, mode="fast")


def test_no_region_of_memory_can_be_named_from_outside(site: Site, channel: grpc.Channel) -> None:
    """Whoever could register one, or guess another's, could read and write the memory of others."""
    stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
    request = service_pb2.ModelInferRequest(model_name="enhance")
    photo_elsewhere = request.inputs.add(name="IMAGE", datatype="UINT8", shape=[100]).parameters
    photo_elsewhere["shared_memory_region"].string_param = "region"
    photo_elsewhere["shared_memory_byte_size"].int64_param = 100
    with pytest.raises(grpc.RpcError, match="Unable to find shared memory region"):
        stub.ModelInfer(request, metadata=metadata(site.key))


@BOTH
def test_a_servers_refusal_passes_through(site: Site, protocol: str) -> None:
    with site.enhancer(protocol) as enhancer, pytest.raises(PhotoError, match="not a photo"):
        enhancer.enhance(b"Dear server")


@BOTH
def test_a_server_that_is_away_is_told_from_a_refusal(
    certificates: Certificates, restricted_server: TritonServer, tmp_path: Path, protocol: str
) -> None:
    key = keys.add("studio", tmp_path / "api-keys")
    proxy = start(restricted_server, certificates, tmp_path)
    proxy.servers = [Server("127.0.0.1:1", "127.0.0.1:1")]
    with (
        proxy,
        Site(proxy, key).enhancer(protocol) as enhancer,
        pytest.raises(BusyError, match="server behind the proxy does not answer"),
    ):
        enhancer.check()
