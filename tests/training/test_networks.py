"""Networks: what an untrained one does, the laws of the curves, what one output depends on, and weights as files."""

import math
from pathlib import Path
from statistics import fmean
from typing import TypeVar

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from pixels.brackets.exposure import to_linear
from pixels.curves import KNOTS, apply
from pixels.difference import psnr_db
from tests.training.conftest import photograph, room
from training.data.dataset import to_tensor
from training.data.fusion import FUSED_EXPOSURES_EV, meter, standard_edit, to_display
from training.data.fusion import fuse as fuse_by_opencv
from training.errors import TrainingError
from training.networks.curves import apply_curves
from training.networks.discriminator import PatchDiscriminator
from training.networks.fusion import fuse
from training.networks.generator import Generator
from training.networks.metering import metering_gains
from training.networks.refiner import MARGIN, Refiner
from training.networks.vgg import LAYERS, PerceptualDistance, load_perceptual_distance, vgg_layers
from training.networks.weights import WeightsError, load_generator, load_refiner, save_weights

Network = TypeVar("Network", bound=nn.Module)


def trained(network: Network) -> Network:
    """A network whose zeroed layers are filled, as after training."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network.eval()


def photos(side: int = 64, seed: int = 0) -> torch.Tensor:
    """Four rooms, float [4, 3, side, side], one of them dark, one burnt out in places and one tinted."""
    evs, tint = (-3, -1, 1.5, 0), (1.0, 0.9, 0.7)
    shots = [photograph(room(seed + n, side, side) * (tint if n == 3 else 1), ev) for n, ev in enumerate(evs)]
    return torch.stack([to_tensor(shot) for shot in shots])


def by_channel(curves: torch.Tensor) -> torch.Tensor:
    """[N, 3, knots, h, w]."""
    return curves.unflatten(1, (3, len(KNOTS)))


def test_untrained_generator_is_the_classical_operator() -> None:
    scores = []
    for photo in photos(256):
        expected = standard_edit(to_linear((photo * 255).byte().permute(1, 2, 0).numpy()))
        edited = apply_curves(Generator(4, tone_scale=2)(photo[None]), photo[None])
        scores.append(psnr_db(edited.detach().numpy(), to_tensor(expected)[None].numpy()))
    assert fmean(scores) > 24, scores


@pytest.mark.parametrize("network", [Generator(4, tone_scale=1), trained(Generator(4, tone_scale=1))])
def test_curves_are_lawful_whatever_was_learned(network: Generator) -> None:
    curves = by_channel(network(photos()))
    below_white = [knot for knot in KNOTS if knot <= 0.96]
    assert curves.min() >= 0 and curves.max() <= 1
    assert curves.diff(dim=2).min() >= 0, "a brighter pixel came out darker"
    assert curves[:, :, : len(below_white)].max() < 249 / 255, "a recorded light burnt out"
    assert curves[:, :, -1].min() >= 0.95 and (curves[:, :1, -1] == curves[:, :, -1]).all(), (
        "a burnt-out white is dirty"
    )


def test_edit_of_a_uniform_wall_is_smooth() -> None:
    wall = torch.tensor([0.35, 0.33, 0.3])[None, :, None, None].expand(1, 3, 256, 256)
    edited = apply_curves(Generator(4, tone_scale=2)(wall), wall)
    assert edited.diff(dim=-1).abs().max() < 1e-4 and edited.diff(dim=-2).abs().max() < 1e-4


def test_a_darker_shot_is_metered_to_the_same_photo() -> None:
    photo = photos()[3:]
    darker = photo * 0.7
    torch.testing.assert_close(darker * metering_gains(darker), photo * metering_gains(photo), atol=0.02, rtol=0)


def test_metering_takes_a_share_of_a_cast_away_more_of_a_green_one() -> None:
    grey = torch.full((1, 3, 8, 8), 0.4)
    for cast, share in (((1.2, 1.0, 1 / 1.2), 0.25), ((1.0, 1.2, 1.0), 0.6)):
        gains = metering_gains(grey * torch.tensor(cast)[:, None, None]).flatten()
        kept = (gains * torch.tensor(cast)).log()
        assert float(kept.max() - kept.min()) == pytest.approx((1 - share) * math.log(max(cast) / min(cast)), rel=1e-3)


def test_curves_are_applied_as_to_a_photo_that_is_served() -> None:
    curves, photo = torch.rand(1, 3 * len(KNOTS), 16, 24), (torch.rand(1, 3, 70, 90) * 255).round() / 255
    served = apply((photo[0] * 255).byte().permute(1, 2, 0).numpy().copy(), curves[0].numpy())
    torch.testing.assert_close(apply_curves(curves, photo)[0].clamp(0, 1), to_tensor(served), atol=0.51 / 255, rtol=0)


def test_curves_are_applied_to_a_crop_as_to_its_place_in_the_photo() -> None:
    curves, photo = torch.rand(2, 3 * len(KNOTS), 16, 24), torch.rand(2, 3, 60, 80)
    whole = apply_curves(curves, photo)
    place = torch.tensor([[20 / 80, 15 / 60, 60 / 80, 45 / 60]] * 2)
    crop = apply_curves(curves, photo[:, :, 15:45, 20:60], place)
    torch.testing.assert_close(crop, whole[:, :, 15:45, 20:60], atol=1e-4, rtol=0)


def test_fusion_is_nearer_to_that_of_opencv_than_any_exposure() -> None:
    fused_psnr, exposure_psnr = [], []
    for path in sorted(Path("docs/samples").glob("*.jpg")):
        photo = np.asarray(Image.open(path).resize((256, 256), Image.Resampling.BOX))
        frames = [to_display(meter(to_linear(photo)) * 2.0**ev) for ev in FUSED_EXPOSURES_EV]
        expected = torch.from_numpy(fuse_by_opencv(frames)).permute(2, 0, 1)[None].clamp(0, 1)
        photos = [to_tensor(frame)[None] for frame in frames]
        fused_photo, _ = fuse(torch.cat(photos, dim=1))
        fused_psnr.append(psnr_db(fused_photo.clamp(0, 1).detach().numpy(), expected.numpy()))
        exposure_psnr.append(max(psnr_db(exposure.detach().numpy(), expected.numpy()) for exposure in photos))
    assert fmean(fused_psnr) > fmean(exposure_psnr) + 4


def test_weights_of_the_exposures_add_up_to_one() -> None:
    _, weights = fuse(torch.rand(1, 12, 32, 48))
    torch.testing.assert_close(weights.sum(1), torch.ones(1, 32, 48))


def test_fusing_copies_of_a_photo_returns_the_photo() -> None:
    photo = torch.rand(2, 3, 24, 64)
    torch.testing.assert_close(fuse(photo.repeat(1, 3, 1, 1))[0], photo)


def test_an_edit_does_not_depend_on_its_batch() -> None:
    generator, batch = trained(Generator(4)), photos()
    with torch.inference_mode():
        torch.testing.assert_close(generator(batch)[1:2], generator(batch[1:2]))


def test_generator_sees_most_of_a_512_px_tile() -> None:
    generator, tile = trained(Generator(4)), torch.rand(1, 3, 512, 512, requires_grad=True)
    generator.body(F.avg_pool2d(tile.repeat(1, 7, 1, 1), 4))[0, :, 64, 64].sum().backward()
    assert tile.grad is not None
    seen = tile.grad[0].abs().sum(0).nonzero()
    assert (seen.min(0).values <= 32).all() and (seen.max(0).values >= 480).all()


def test_untrained_refiner_returns_what_it_is_given() -> None:
    photo, applied = torch.rand(2, 1, 3, 64, 64)
    assert torch.equal(Refiner()(photo, applied), applied)


def test_refiner_sees_no_farther_than_its_margin() -> None:
    refiner, (photo, applied) = trained(Refiner()), torch.rand(2, 1, 3, 96, 96)
    changed = applied.clone()
    changed[..., 40:44, 40:44] += 0.5
    with torch.inference_mode():
        differs = (refiner(photo, changed) != refiner(photo, applied)).any(1)[0].nonzero()
    assert differs.min() == 40 - MARGIN and differs.max() == 43 + MARGIN


def test_critic_judges_patches_of_70_px() -> None:
    discriminator, photo = PatchDiscriminator(width=4), torch.rand(1, 3, 256, 256, requires_grad=True)
    scores = discriminator(photo, torch.rand(1, 3, 256, 256))
    scores[0, 0, 15, 15].backward()
    assert photo.grad is not None
    seen = photo.grad[0].abs().sum(0).nonzero()
    height, width = (seen.max(0).values - seen.min(0).values + 1).tolist()
    assert (height, width) == (70, 70)


def test_weights_survive_a_file(tmp_path: Path) -> None:
    generator, refiner = trained(Generator(4)), trained(Refiner())
    save_weights(generator, tmp_path / "g.safetensors", {"recipe": "debug"})
    save_weights(refiner, tmp_path / "r.safetensors")
    photo, applied = torch.rand(2, 1, 3, 64, 64)
    loaded = load_generator(tmp_path / "g.safetensors")
    assert loaded.width == 4
    torch.testing.assert_close(loaded(photo), generator(photo), atol=1e-2, rtol=0)  # half precision
    torch.testing.assert_close(
        load_refiner(tmp_path / "r.safetensors")(photo, applied), refiner(photo, applied), atol=1e-2, rtol=0
    )


def test_unusable_weights_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        load_generator(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(WeightsError, match="not weights of a generator"):
        load_generator(tmp_path / "text.safetensors")
    metadata = {"network": "generator", "width": "4"}
    save_file(Generator(8).state_dict(), tmp_path / "lie.safetensors", metadata=metadata)
    with pytest.raises(WeightsError, match="another architecture"):
        load_generator(tmp_path / "lie.safetensors")
    with pytest.raises(WeightsError, match="of a generator, not of a refiner"):
        load_refiner(tmp_path / "lie.safetensors")


def test_weights_that_cannot_be_saved_leave_the_old_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_weights(Generator(4), tmp_path / "g.safetensors")

    def full(path: Path, _content: bytes) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.networks.weights.Path.write_bytes", full)
    with pytest.raises(WeightsError, match=r"No space left.*intact"):
        save_weights(Generator(8), tmp_path / "g.safetensors")
    assert load_generator(tmp_path / "g.safetensors").width == 4
    assert [path.name for path in tmp_path.iterdir()] == ["g.safetensors"]


def test_vgg_layers_are_numbered_as_in_torchvision() -> None:
    layers = vgg_layers()
    assert all(isinstance(layers[index], nn.ReLU) for index in LAYERS)
    convolutions = [(i, layer.out_channels) for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    assert convolutions == [
        (0, 64), (2, 64), (5, 128), (7, 128), (10, 256), (12, 256), (14, 256), (16, 256), (19, 512), (21, 512)
    ]  # fmt: skip


def test_missing_vgg_names_file_flag_and_way_out(tmp_path: Path) -> None:
    for weights in (None, tmp_path / "none.pth"):
        with pytest.raises(TrainingError, match=r"--vgg vgg19-dcbb9e9d\.pth .*download.*'shipped'"):
            load_perceptual_distance(weights)


def test_vgg_weights_load_from_a_whole_network_file(tmp_path: Path) -> None:
    reference = PerceptualDistance()
    tensors = {f"features.{name}": value for name, value in reference.features.state_dict().items()}
    torch.save(tensors | {"classifier.0.weight": torch.zeros(1)}, tmp_path / "vgg.pth")
    x, y = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    loaded = load_perceptual_distance(tmp_path / "vgg.pth")
    torch.testing.assert_close(loaded(x, y), reference(x, y))
    assert loaded(x, x) == 0
